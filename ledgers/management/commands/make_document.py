"""`make_document KIND PERIOD [--unit CODE] [--out FILE]`: make or refresh a draft and write its PDF; of an issued paper the frozen bytes.

Letters go to units: without `--unit` to all that the facts call for, as a zip.
"""

import io
import zipfile
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ledgers import letter_services, services
from ledgers.documents import DocumentFault, fonts
from ledgers.enums import LETTERS, DocumentKind
from ledgers.models import Document
from linfen_water import clock
from linfen_water.models import Unit


class Command(BaseCommand):
    help = "编制文件草稿并写出 PDF；已印发的文件写出印发时的原件"

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND", help=f"种类：{' '.join(DocumentKind.values)}")
        parser.add_argument("period", metavar="PERIOD", help="期次，如 2025-01、2025-W08；函件也可用日期，如 2025-02-20")
        parser.add_argument("--unit", metavar="CODE", help="主送单位代码（函件用）；不写时为所有应发的单位各写一份，合成 zip")
        parser.add_argument("--out", metavar="FILE", type=Path, help="写到哪个文件；默认写到当前目录")

    def handle(self, *, kind, period, unit, out, **options):
        try:
            if kind in LETTERS and unit is None:
                self._write_all(kind, period, out)
                return
            document = services.draft_document(kind=kind, period=period, unit=_unit(unit), by=None)
            content = _read(document)
        except DocumentFault as fault:
            raise CommandError(str(fault)) from fault
        self._write(out or Path(f"{kind}-{document.period}{f'-{unit}' if unit else ''}.pdf"), content)
        self._tell(document)

    def _write_all(self, kind: str, period: str, out: Path | None) -> None:
        """A letter for every unit that one is called for, those that are there as they stand."""
        period = services.kind_of(kind).read(period, clock.today())
        letter_services.draft_due(kind=kind, period=period)
        documents = list(services.standing_letters(kind, period))
        if not documents:
            raise DocumentFault(f"{period} 没有应发{DocumentKind(kind).label}的单位。")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for document in documents:
                stamp = zipfile.ZipInfo(f"{document.unit}-{document.get_kind_display()}-{document.period}.pdf")
                archive.writestr(stamp, _read(document))
        self._write(out or Path(f"{kind}-{period}.zip"), buffer.getvalue())
        for document in documents:
            self._tell(document)

    def _write(self, out: Path, content: bytes) -> None:
        try:
            out.write_bytes(content)
        except OSError as fault:
            raise CommandError(f"不能写入 {out}：{fault.strerror}。") from fault
        self.stdout.write(f"已写入 {out}")
        if fonts.falls_back():
            self.stderr.write("没有找到仿宋、小标宋等公文字体，本文件用后备字体排版；可运行 fetch_assets 或用 OFFICE_FONTS 指定字体。")

    def _tell(self, document: Document) -> None:
        number, unit = document.file_number or "未编号", f"{document.unit}：" if document.unit else ""
        self.stdout.write(f"{unit}{document.title}：{document.get_state_display()}，{number}，数据截至 {document.as_of}")


def _unit(code: str | None) -> Unit | None:
    if code is None:
        return None
    unit = Unit.objects.filter(code=code).first()
    if unit is None:
        raise DocumentFault(f"没有代码为“{code[:20]}”的单位。")
    return unit


def _read(document) -> bytes:
    try:
        return services.printed(document)
    except DocumentFault as fault:
        raise DocumentFault(f"{fault}，请从备份恢复 documents 目录。") from fault
