"""`load_region DIR`: make the region's counties, units, rivers and sections follow a region pack."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from projects.regions import loading, pack


class Command(BaseCommand):
    help = "装入区域包：县（市、区）、单位、领域、河流、断面。可重复执行，不删除任何数据。"

    def add_arguments(self, parser):
        parser.add_argument("dir", nargs="?", default=settings.REGION, help="区域包文件夹，或 projects/regions/ 下的名称")

    def handle(self, *, dir, **options):
        try:
            region, done = loading.load(pack.read(dir))
        except pack.PackFaults as fault:
            raise CommandError(f"区域包有{len(fault.faults)}处错误，未写入任何数据：\n  " + "\n  ".join(fault.faults)) from None
        except loading.OtherRegion as fault:
            raise CommandError(str(fault)) from None
        self.stdout.write(f"{region.name}：新增{done.created}行，更新{done.changed}行，未变{done.unchanged}行。")
        if done.vanished:
            self.stdout.write("区域包中已没有、库中保留（不删除）：" + "、".join(done.vanished))
