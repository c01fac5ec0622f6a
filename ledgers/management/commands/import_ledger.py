"""Compare a workbook with a ledger, and take it in with `--commit`: `import_ledger master 总台账.xlsx --json`."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ledgers import air_intake, intake, intake_memory, own
from ledgers.registry import LEDGERS, Ledger
from linfen_water.tabular import read_table
from linfen_water.workbook import LARGEST, BadWorkbook, Sheet, read_workbook

ELSEWHERE = {"sections": "断面水质台账由监测数据算出，不从台账导入：请用命令 import_readings 或 /sections/import/ 导入监测数据。"}


class Command(BaseCommand):
    help = "核对要导入台账的 Excel（.xlsx）文件并列出变化；加 --commit 才写入，有错误时什么都不写。"

    def add_arguments(self, parser):
        parser.add_argument("slug", help="台账代号，例如 master")
        parser.add_argument("file", type=Path, help="要导入的 .xlsx 或 CSV 文件")
        parser.add_argument("--commit", action="store_true", help="写入；不加时只核对")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出变化、错误和未导入的内容")
        parser.add_argument("--reason", default="台账导入", help="变更理由，例如批复文号")

        parser.add_argument("--clear", action="store_true", help="表中的空格、“—”“无”清空台账里的值；不加时保留（导出的工作簿总是清空）")

    def handle(self, *, slug: str, file: Path, commit: bool, json: bool, reason: str, clear: bool, **options):
        ledger = own.find_ledger(slug) if slug in LEDGERS else None
        if ledger is None:
            known = "、".join(f"{found.slug}（{found.title}）" for found in LEDGERS.values())
            raise CommandError(f"没有台账“{slug}”，现有：{known}。")
        if ledger.writer is None and slug != "air":
            raise CommandError(ELSEWHERE.get(slug) or ledger.no_intake or intake.NO_INTAKE)
        reason = reason.strip()
        if not 0 < len(reason) <= intake.LONGEST_REASON:
            raise CommandError(f"--reason 须写明变更理由，最多 {intake.LONGEST_REASON} 字。")
        rehearsal = self.outcome(ledger, file, commit, reason, erases=clear)
        self.tell(rehearsal, as_json=json)
        if rehearsal.errors:
            raise CommandError(f"有{len(rehearsal.errors)}处错误，未写入任何数据。")
        if not json:
            self.stdout.write(f"{'已变更' if commit else '核对完毕，将变更'}{len(rehearsal.revisions)}{self.counted(ledger)}。")

    def counted(self, ledger: Ledger) -> str:
        return "个时段" if ledger.slug == "air" else f"{ledger.measure}{ledger.row_is}"

    def outcome(self, ledger: Ledger, file: Path, commit: bool, reason: str, *, erases: bool = False) -> intake.Rehearsal:
        try:
            with file.open("rb") as opened:
                data = opened.read(LARGEST + 1)  # enough to see that it is too large
            sheets = read_workbook(data) if ledger.slug == "air" else read_table(data, file.name)
        except OSError as fault:
            raise CommandError(f"读不了文件“{file}”：{fault.strerror or fault}") from None
        except BadWorkbook as fault:
            return intake.Rehearsal(errors=[intake.Error("", None, "", file.name, str(fault))])
        try:
            return self.take_in(ledger, sheets, file, data, commit, reason, erases)
        except intake.Unfit as unfit:
            return unfit.rehearsal

    def take_in(
        self, ledger: Ledger, sheets: list[Sheet], file: Path, data: bytes, commit: bool, reason: str, erases: bool
    ) -> intake.Rehearsal:
        if ledger.slug == "air":
            return air_intake.take_in(sheets, reason=reason, by=None) if commit else air_intake.rehearse(sheets, reason=reason)
        headings, aliases = intake_memory.headings(ledger.slug), intake_memory.aliases()
        choices = intake.Choices(headings=headings, aliases=aliases, name=file.name, erases=erases)
        if not commit:
            return intake.rehearse(sheets, reason=reason, ledger=ledger, choices=choices)
        source = intake_memory.origin(data, file.name)
        done = intake.take_in(sheets, reason=reason, by=None, ledger=ledger, choices=choices, source=source)
        cells = sum(map(len, done.revisions.values()))
        intake_memory.keep_file(
            ledger.slug, data=data, name=file.name, reason=reason, rows=len(done.revisions), cells=cells, left_out=0, by=None
        )
        return done

    def tell(self, rehearsal: intake.Rehearsal, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(rehearsal.as_json(), ensure_ascii=False))
            return
        for change in rehearsal.changes:
            self.stdout.write(f"变化　{intake.place(change)} {change.key}：{change.old or '（空）'} → {change.new or '（空）'}")
        for skipped in rehearsal.skipped:
            self.stdout.write(f"跳过　{intake.place(skipped)}：{skipped.reason}")
        for error in rehearsal.errors:
            self.stderr.write(f"错误　{intake.place(error)}{f'（{error.value[:60]}）' if error.value else ''}：{error.reason}")
