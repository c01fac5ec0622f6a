"""Write a ledger to a workbook: `export_ledger master 总台账.xlsx --as-of 2024-12-31`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ledgers import export
from ledgers.own import all_ledgers, find_ledger
from linfen_water import clock
from linfen_water.middleware import BadDay, read_day
from linfen_water.models import Region


class Command(BaseCommand):
    help = "把台账导出为 Excel（.xlsx）或 CSV 文件，数据截至今天或 --as-of 指定的日期。"

    def add_arguments(self, parser):
        parser.add_argument("slug", help="台账代号，例如 master")
        parser.add_argument("file", type=Path, help="要写的文件，以 .xlsx 或 .csv 结尾")
        parser.add_argument("--as-of", default="", help="数据截至日期，例如 2024-12-31")

    def handle(self, *, slug: str, file: Path, as_of: str, **options):
        ledger = find_ledger(slug)
        if ledger is None:
            known = "、".join(f"{found.slug}（{found.title}）" for found in all_ledgers())
            raise CommandError(f"没有台账“{slug}”，现有：{known}。")
        if file.suffix.lower() not in {".xlsx", ".csv"}:
            raise CommandError(f"不能写成“{file.name}”：文件名须以 .xlsx 或 .csv 结尾。")
        today = clock.today()
        try:
            day = read_day(as_of, today) if as_of else today
        except BadDay as fault:
            raise CommandError(str(fault)) from None
        opened = ledger.opened(day)
        chosen = opened.qs
        sheet = export.Sheet(ledger, day, chosen, opened.spoken, Region.current().is_demo)
        try:
            self.write(sheet, file)
        except OSError as fault:
            raise CommandError(f"写不了文件“{file}”：{fault.strerror or fault}") from None
        counted = ledger.spoken_count(chosen) if ledger.spoken_count else f"{chosen.count()}{ledger.measure}{ledger.row_is}"
        self.stdout.write(f"{ledger.title}：{counted}，数据截至 {day} → {file}")

    def write(self, sheet: export.Sheet, file: Path) -> None:
        if file.suffix.lower() == ".csv":
            with file.open("w", encoding="utf-8", newline="") as out:
                out.writelines(export.csv_lines(sheet))
        else:
            with file.open("wb") as out:
                export.write_workbook(sheet, out)
