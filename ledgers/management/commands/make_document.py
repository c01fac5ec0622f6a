"""`make_document KIND PERIOD [--out FILE]`: make or refresh a draft and write its PDF; of an issued paper the frozen bytes."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from ledgers import services
from ledgers.documents import DocumentFault, fonts
from ledgers.documents.pdf import kept
from ledgers.enums import DocumentKind
from linfen_water.models import Unit


class Command(BaseCommand):
    help = "编制文件草稿并写出 PDF；已印发的文件写出印发时的原件"

    def add_arguments(self, parser):
        parser.add_argument("kind", metavar="KIND", help=f"种类：{' '.join(DocumentKind.values)}")
        parser.add_argument("period", metavar="PERIOD", help="期次，如 2025-01")
        parser.add_argument("--unit", metavar="CODE", help="单位代码（函件用）")
        parser.add_argument("--out", metavar="FILE", type=Path, help="写到哪个文件；默认写到当前目录")

    def handle(self, *, kind, period, unit, out, **options):
        try:
            document = services.draft_document(kind=kind, period=period, unit=_unit(unit), by=None)
            content = _read(document)
        except DocumentFault as fault:
            raise CommandError(str(fault)) from fault
        out = out or Path(f"{kind}-{document.period}.pdf")
        try:
            out.write_bytes(content)
        except OSError as fault:
            raise CommandError(f"不能写入 {out}：{fault.strerror}。") from fault
        if fonts.falls_back():
            self.stderr.write("没有找到仿宋、小标宋等公文字体，本文件用后备字体排版；可运行 fetch_assets 或用 OFFICE_FONTS 指定字体。")
        number = document.file_number or "未编号"
        self.stdout.write(f"{document.title}：{document.get_state_display()}，{number}，数据截至 {document.as_of}，已写入 {out}")


def _unit(code: str | None) -> Unit | None:
    if code is None:
        return None
    unit = Unit.objects.filter(code=code).first()
    if unit is None:
        raise DocumentFault(f"没有代码为“{code[:20]}”的单位。")
    return unit


def _read(document) -> bytes:
    try:
        return kept(document.pdf_sha256)
    except DocumentFault as fault:
        raise DocumentFault(f"{fault}，请从备份恢复 documents 目录。") from fault
