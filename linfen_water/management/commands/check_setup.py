"""`check_setup`: what is in place, what fell back, what is wrong."""

import sys

from django.core.management.base import BaseCommand

from linfen_water.setup_report import Level, findings

MARKS = {Level.GOOD: "✓", Level.FELL_BACK: "!", Level.WRONG: "✗"}
SUMMARIES = {Level.GOOD: "全部正常。", Level.FELL_BACK: "可以使用，带 ! 的可以更好。", Level.WRONG: "有错误，见带 ✗ 的各项。"}


class Command(BaseCommand):
    help = "检查安装：逐项说明是否齐全；有错误时退出码为 1"

    def handle(self, **options):
        paint = {Level.GOOD: str, Level.FELL_BACK: self.style.WARNING, Level.WRONG: self.style.ERROR}
        worst = Level.GOOD
        for finding in findings():
            worst = max(worst, finding.level)
            self.stdout.write(paint[finding.level](f"{MARKS[finding.level]} {finding.sentence}"))
        self.stdout.write(
            {Level.GOOD: "全部正常。", Level.FELL_BACK: "可以使用，带 ! 的可以更好。", Level.WRONG: "有错误，见带 ✗ 的各项。"}[worst]
        )
        if worst == Level.WRONG:
            sys.exit(1)
