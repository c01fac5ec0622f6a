"""`demo`: load the demo city of the region (invented around what was published). Safe to repeat."""

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from ledgers import demo
from linfen_water import clock
from linfen_water.models import Region, User
from projects import wall
from projects.demo import accounts, loading
from projects.demo.promise import NoDemo
from projects.regions import loading as regions
from projects.regions import pack


class Command(BaseCommand):
    help = "装入演示城市（演示数据）。可重复执行；已有本办数据的库会拒绝。"

    def add_arguments(self, parser):
        parser.add_argument("--region", default=settings.REGION, help="区域包文件夹，或 projects/regions/ 下的名称")

    def handle(self, *, region, **options):
        began = time.monotonic()
        try:
            is_new = demo.load(pack.read(region))
        except pack.PackFaults as fault:
            raise CommandError("区域包有错误，未写入任何数据：\n  " + "\n  ".join(fault.faults)) from None
        except (loading.InUse, NoDemo, regions.OtherRegion) as fault:
            raise CommandError(str(fault)) from None
        except IntegrityError:  # whoever was first has it loaded now
            raise CommandError("另一个进程正在装入演示数据，本次没有写入。请稍后再运行一次。") from None
        if not is_new:
            self.stdout.write("演示数据已在库中，未作改动。")
            return
        wall.document(Region.current(), User.objects.get(username="leader"), clock.today())  # keeps the places: the first look is quick
        self.stdout.write(f"演示数据已装入，用时{time.monotonic() - began:.0f}秒。账号密码均为 {accounts.DEMO_PASSWORD}：")
        for name, role, _, post in accounts.demo_accounts():
            self.stdout.write(f"  {name:<12}{role.label} {post}")
