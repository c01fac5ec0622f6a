"""`judge [--as-of D]`: what the facts of a day call for, as JSON on stdout."""

import datetime as dt
import sys

import orjson
from django.core.management.base import BaseCommand, CommandError

from ledgers.measures import reports
from linfen_water import clock
from linfen_water.middleware import BadDay, read_day


class Command(BaseCommand):
    help = "按规则研判某一天的情况，以 JSON 输出每条结论（规则、对象、措施、一句话、依据、规则生效日）"

    def add_arguments(self, parser):
        parser.add_argument("--as-of", metavar="D", dest="as_of", help="哪一天，如 2025-02-20；默认今天")

    def handle(self, *, as_of, **options):
        try:
            day: dt.date = read_day(as_of, clock.today()) if as_of else clock.today()
        except BadDay as fault:
            raise CommandError(str(fault)) from fault
        found = [verdict.to_json() for verdict in reports.verdicts(day)]
        # Bytes, so that the answer is UTF-8 whatever the terminal thinks.
        out = getattr(self.stdout, "_out", sys.stdout)
        text = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
        if buffer := getattr(out, "buffer", None):
            buffer.write(text.encode() + b"\n")
            return
        self.stdout.write(text)
