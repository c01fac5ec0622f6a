"""`create_account USERNAME --role office --unit office`: the first account of an office, with a random password shown once."""

from django.core.management.base import BaseCommand, CommandError

from linfen_water import accounts
from linfen_water.enums import Role
from linfen_water.models import Unit


class Command(BaseCommand):
    help = "建立账号并显示一次随机密码（第一次登录时须修改）。单位先由 load_region 装入。"

    def add_arguments(self, parser):
        parser.add_argument("username", help="用户名")
        parser.add_argument("--role", choices=Role.values, default=Role.OFFICE.value, help="角色，默认 office（专班办）")
        parser.add_argument("--unit", help="单位代码，见区域包 units.csv")
        parser.add_argument("--post", default="", help="岗位，例如 科长")

    def handle(self, *, username, role, unit, post, **options):
        found = Unit.objects.filter(code=unit).first() if unit else None
        if unit and not found:
            raise CommandError(f"没有代码为“{unit}”的单位。请先运行 load_region，单位代码见区域包的 units.csv。")
        try:
            user, password = accounts.create_account(username=username, role=role, unit=found, post=post, by=None)
        except accounts.Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"账号 {user.username}（{user.get_role_display()}）已建立。")
        self.stdout.write(f"密码（只显示这一次，第一次登录时须修改）：{password}")
