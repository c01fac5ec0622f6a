"""Take in values of the water from a file: `import_readings feed.json`, `import_readings 一月.xlsx --reason 实验室复核`."""

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from monitoring import limits, recording
from monitoring.intake import BadFile, read_file
from monitoring.intake.feed import EXTRAS
from monitoring.models import Section
from monitoring.samples import Batch, Fault

LARGEST = 100 << 20  # bytes; whoever may run commands may bring more than a page takes
SHOWN = 20  # of the rows left out
COUNTS = {
    "taken": "新增",
    "revised": "更正",
    "same": "相同",
    "repeated": "重复",
    "gaps": "未监测说明",
    "skipped": "跳过",
    "refused": "拒收",
}
WHOLE = {"": "整组", "state": "站点情况", "feed_class": "发布类别"}  # of a run
YEARS = range(1980, 2101)


class Command(BaseCommand):
    help = """导入监测数据：国家自动站数据（JSON）、工作簿（.xlsx）或 CSV，按内容识别。
表格有错时全部不写入；自动站数据只拒收有错的条。不是本系统的断面计为跳过。"""

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE", help="要导入的文件；- 为标准输入")
        parser.add_argument("--year", type=int, help="自动站数据的年份；不写时取不在将来的最近一年")
        parser.add_argument("--automatic", action="store_true", help="表格里是自动站数据（不写时为手工监测）")
        parser.add_argument("--reason", default="", help="更正理由；手工监测值与已有数值不同时必须写")
        parser.add_argument("--dry-run", action="store_true", help="只核对并列出变化，不写入")
        parser.add_argument("--json", action="store_true", help="以 JSON 输出计数、变化、错误和跳过的行")

    def handle(self, *, file: str, year: int | None, automatic: bool, reason: str, dry_run: bool, json: bool, **options):
        if year is not None and year not in YEARS:
            raise CommandError(f"--year 须在 {YEARS[0]} 到 {YEARS[-1]} 之间。")
        if len(reason) > recording.REASON_LENGTH:
            raise CommandError(f"--reason 最多 {recording.REASON_LENGTH} 字。")
        if not Section.objects.exists():
            raise CommandError("还没有断面：请先运行 manage.py load_region 或 manage.py demo。")
        data = self.read(file)
        try:
            kind, batch = read_file(data, name=file, year=year, is_automatic=automatic, largest=LARGEST)
        except BadFile as fault:
            raise CommandError(f"“{file}”没有导入：{fault}") from None
        if dry_run:
            self.rehearse(batch, reason, as_json=json)
            return
        name = "标准输入" if file == "-" else Path(file).name
        digest = hashlib.sha256(data).hexdigest()
        try:
            outcome, is_taken = recording.take_in(batch, kind=kind, name=name, digest=digest, by=None, reason=reason), True
        except recording.Unfit as unfit:
            outcome, is_taken = unfit.rehearsal, False
        self.tell(outcome, is_taken, as_json=json)
        if not is_taken:
            raise CommandError(f"有{len(outcome.errors)}处错误，未写入任何数据。")

    def rehearse(self, batch: Batch, reason: str, *, as_json: bool) -> None:
        """Say what the batch would do; fails as taking it in would."""
        outcome = recording.rehearse(batch, reason=reason)
        is_fit = not outcome.needs_reason and (batch.is_feed or not outcome.errors)
        for one in [] if as_json else outcome.changes[:SHOWN]:
            self.stdout.write(f"变化　{_change(one)}")
        if not as_json and len(outcome.changes) > SHOWN:
            self.stdout.write(f"变化　……另有 {len(outcome.changes) - SHOWN} 个")
        for gap in [] if as_json else outcome.gaps[:SHOWN]:
            self.stdout.write(f"变化　{gap.section.name} {gap.month:%Y-%m} 采样情况：{gap.old or '（空）'} → {gap.new}")
        self.tell(outcome, is_fit, as_json=as_json)
        if not is_fit:
            raise CommandError(f"有{len(outcome.errors)}处错误，不能导入。")
        if not as_json:
            self.stdout.write("以上是核对结果，没有写入任何数据。")

    def read(self, file: str) -> bytes:
        try:
            if file == "-":
                data = sys.stdin.buffer.read(LARGEST + 1)
            else:
                with Path(file).open("rb") as stream:
                    data = stream.read(LARGEST + 1)
        except FileNotFoundError:
            raise CommandError(f"没有这个文件：“{file}”。") from None
        except OSError as fault:
            raise CommandError(f"读不了文件“{file}”：{fault.strerror or fault}") from None
        if len(data) > LARGEST:
            raise CommandError(f"“{file}”超过 {LARGEST >> 20} MB：请分成几个文件导入。")
        return data

    def tell(self, outcome: recording.Rehearsal, is_taken: bool, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(_as_json(outcome), ensure_ascii=False))
        for fault in outcome.errors:
            self.stderr.write(f"{'拒收' if is_taken else '错误'}　{_sentence(fault)}")
        if as_json:
            return
        for fault in outcome.hints:
            self.stdout.write(f"提示　{_sentence(fault)}")
        for fault in outcome.skipped[:SHOWN]:
            self.stdout.write(f"跳过　{_sentence(fault)}")
        if len(outcome.skipped) > SHOWN:
            self.stdout.write(f"跳过　……另有 {len(outcome.skipped) - SHOWN} 条")
        if is_taken:
            self.stdout.write("，".join(f"{word} {outcome.counts[name]}" for name, word in COUNTS.items()) + "。")


def _sentence(fault: Fault) -> str:
    """表一第4行“氨氮”（300 μg/L）：单位须为mg/L"""
    row = f"第{fault.row}行" if fault.row else ""
    column = f"“{fault.column}”" if fault.column else ""
    value = f"（{fault.value}）" if fault.value else ""
    return f"{fault.sheet}{row}{column}{value}：{fault.reason}"


def _change(one: recording.Change) -> str:
    """甲断面 2025-01-06 12:00 氨氮：0.3 → 0.5"""
    item = WHOLE.get(one.key) or (EXTRAS[one.key].name if one.key in EXTRAS else limits.table().name(one.key))
    return f"{one.section.name} {timezone.localtime(one.at):%Y-%m-%d %H:%M} {item}：{one.old or '（空）'} → {one.new}"


def _as_json(outcome: recording.Rehearsal) -> dict:
    return {
        "counts": outcome.counts,
        "changes": [
            {"section": one.section.name, "at": one.at.isoformat(), "item": one.key, "old": one.old, "new": one.new, "kind": one.kind}
            for one in outcome.changes
        ],
        "gaps": [
            {"section": one.section.name, "month": f"{one.month:%Y-%m}", "old": one.old, "new": one.new, "kind": one.kind}
            for one in outcome.gaps
        ],
        "errors": [dataclasses.asdict(fault) for fault in outcome.errors],
        "hints": [dataclasses.asdict(fault) for fault in outcome.hints],
        "skipped": [dataclasses.asdict(fault) for fault in outcome.skipped],
    }
