"""`backtest_forecast`: how far off the forecasts would have been, against the baseline date and a straight line."""

from django.core.management.base import BaseCommand

from linfen_water import clock
from projects.backtest import lines, read_backtest


class Command(BaseCommand):
    help = "回看完工项目，说明推算完工日期的误差、偏差和区间覆盖率，并与基线日期、直线外推比较"

    def handle(self, **options):
        for line in lines(read_backtest(clock.today())):
            self.stdout.write(line)
