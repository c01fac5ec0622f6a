"""`fetch_assets`: scripts and fonts that are not part of the repository."""

from django.core.management.base import BaseCommand

from linfen_water import assets


class Command(BaseCommand):
    help = "取得图表脚本和字体；取不到时用随安装包带来的，并说明 / fetch scripts and fonts, with fallbacks"
    requires_system_checks = []  # runs before everything else is in place

    def add_arguments(self, parser):
        parser.add_argument("--retry", action="store_true", help="以前退而求其次的，再试一次 / try again what fell back before")

    def handle(self, *, retry, **options):
        fell_back = False
        for asset, fault in assets.ensure(retry=retry):
            if fault:
                fell_back = True
                self.stdout.write(self.style.WARNING(f"  ! {asset.label}：{fault}；改用 {asset.fallback}  (fallback in use)"))
            else:
                self.stdout.write(f"  ✓ {asset.label} ← {asset.source}")
            self.stdout.flush()
        if fell_back:
            self.stdout.write("    联网后可再试：manage.py fetch_assets --retry")
