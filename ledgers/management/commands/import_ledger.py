"""Compare a workbook with a ledger, and take it in with `--commit`: `import_ledger master 总台账.xlsx --json`."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ledgers import air_intake, intake
from ledgers.registry import LEDGERS
from linfen_water.workbook import BadWorkbook, read_workbook

# How each ledger takes a workbook in, and how what it changes is counted.
WAYS = {"master": (intake, "个项目"), "air": (air_intake, "个时段")}
ELSEWHERE = {"sections": "断面水质台账由监测数据算出，不从台账导入：请用命令 import_readings 或 /sections/import/ 导入监测数据。"}


class Command(BaseCommand):
    help = "核对要导入台账的 Excel（.xlsx）文件并列出变化；加 --commit 才写入，有错误时什么都不写。"

    def add_arguments(self, parser):
        parser.add_argument("slug", help="台账代号，例如 master")
        parser.add_argument("file", type=Path, help="要导入的 .xlsx 文件")
        parser.add_argument("--commit", action="store_true", help="写入；不加时只核对")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出变化、错误和未导入的内容")
        parser.add_argument("--reason", default="台账导入", help="变更理由，例如批复文号")

    def handle(self, *, slug: str, file: Path, commit: bool, json: bool, reason: str, **options):
        ledger = LEDGERS.get(slug)
        if ledger is None:
            known = "、".join(f"{found.slug}（{found.title}）" for found in LEDGERS.values())
            raise CommandError(f"没有台账“{slug}”，现有：{known}。")
        if slug not in WAYS:
            raise CommandError(ELSEWHERE.get(slug, intake.NO_INTAKE))
        reason = reason.strip()
        if not 0 < len(reason) <= intake.LONGEST_REASON:
            raise CommandError(f"--reason 须写明变更理由，最多 {intake.LONGEST_REASON} 字。")
        rehearsal = self.outcome(slug, file, commit, reason)
        self.tell(rehearsal, as_json=json)
        if rehearsal.errors:
            raise CommandError(f"有{len(rehearsal.errors)}处错误，未写入任何数据。")
        if not json:
            self.stdout.write(f"{'已变更' if commit else '核对完毕，将变更'}{len(rehearsal.revisions)}{WAYS[slug][1]}。")

    def outcome(self, slug: str, file: Path, commit: bool, reason: str) -> intake.Rehearsal:
        way = WAYS[slug][0]
        try:
            sheets = read_workbook(file.read_bytes())
        except OSError as fault:
            raise CommandError(f"读不了文件“{file}”：{fault.strerror or fault}") from None
        except BadWorkbook as fault:
            return intake.Rehearsal(errors=[intake.Error("", None, "", file.name, str(fault))])
        if not commit:
            return way.rehearse(sheets, reason=reason)
        try:
            return way.take_in(sheets, reason=reason, by=None)
        except intake.Unfit as unfit:
            return unfit.rehearsal

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
