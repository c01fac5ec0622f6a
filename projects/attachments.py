"""Files that prove something of a project (附件): judged by what is in them, pictures made over, served as downloads only.

A picture is drawn anew as photos are, so that place, time and whatever else it carried stay behind; PDF and Office files are kept as they
were sent, or refused.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.utils.http import content_disposition_header

from linfen_water import clock, trail
from linfen_water.models import User
from linfen_water.sent_files import Unfit, clean_name, quoted
from projects import paper_files, pictures
from projects.models import Attachment, Project, ProjectVersion

LARGEST = 10 * 1024 * 1024  # bytes
MOST = 20  # standing files of one problem, permit or paper
LONG_SIDE = 4096  # pixels of a picture that is kept: a scanned page stays readable
KINDS = "PDF、JPG、PNG、WEBP、DOCX、XLSX"
ACCEPT = ".pdf,.jpg,.jpeg,.png,.webp,.docx,.xlsx"
HINT = f"{KINDS}，每个不超过 {LARGEST // 1024 // 1024} MB；图片转存为 JPG，不留拍摄地点"
TYPES = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PICTURES = (".jpg", ".png", ".webp", ".jfif")  # endings; one for another is common and harms nobody, as all become JPG

OTHER_KINDS = (
    (b"\xd0\xcf\x11\xe0", "是旧版 Office 文件（.doc、.xls）或加了密码：请去掉密码，另存为 DOCX、XLSX 或导出 PDF 后上传"),
    (b"GIF8", "是 GIF 动图：请另存为 JPG 或 PNG 后上传"),
    (b"BM", "是 BMP 图片：请另存为 JPG 或 PNG 后上传"),
    (b"II*\0", "是 TIFF 图片：请另存为 PDF、JPG 或 PNG 后上传"),
    (b"MM\0*", "是 TIFF 图片：请另存为 PDF、JPG 或 PNG 后上传"),
    (b"Rar!", "是压缩包：请解压后逐个上传"),
    (b"7z\xbc\xaf", "是压缩包：请解压后逐个上传"),
    (b"MZ", "是程序，为安全不收：请导出 PDF 后上传"),
)


class Taken(NamedTuple):
    """A file as it will be kept: judged, a picture made over."""

    name: str
    data: bytes
    suffix: str
    digest: str  # of the file as it was sent: the same file twice is one


def suffix_of(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return ".jpg" if suffix == ".jpeg" else suffix


# ── judging and making over ──


def take(name: str, data: bytes) -> Taken:
    """The file as it will be kept, or Unfit with what is wrong and how to mend it."""
    clean, shown = clean_name(name), quoted(name)
    if not data:
        raise Unfit(f"{shown}是空文件，请重新选择。")
    if len(data) > LARGEST:
        raise Unfit(f"{shown}有 {len(data) / 1024 / 1024:.1f} MB，超过 {LARGEST // 1024 // 1024} MB：请压缩或分成几个文件。")
    try:
        found = _kind(data)
    except Unfit as fault:
        raise Unfit(f"{shown}{fault}。") from None
    if suffix_of(clean) not in (PICTURES if found == ".jpg" else (found,)):
        kind = "图片" if found == ".jpg" else f" {found[1:].upper()}"
        raise Unfit(f"{shown}的内容是{kind}，与文件名不符：请改正扩展名，或重新导出后上传。")
    digest = hashlib.sha256(data).hexdigest()
    if found == ".jpg":
        data, clean = _made_over(name, data), clean if suffix_of(clean) == found else str(PurePosixPath(clean).with_suffix(found))
    return Taken(clean, data, found, digest)


def take_all(files: Iterable[tuple[str, bytes]]) -> list[Taken]:
    """All of them, or Unfit with everything that is wrong with any."""
    taken, faults = [], []
    for name, data in files:
        try:
            taken.append(take(name, data))
        except Unfit as fault:
            faults.append(str(fault))
    if faults:
        raise Unfit("".join(faults))
    return taken


def _kind(data: bytes) -> str:
    """The ending that goes with the content; Unfit with the rest of a sentence about it."""
    if data.startswith(b"%PDF-"):
        paper_files.judge_pdf(data)
        return ".pdf"
    if data.startswith(b"PK\x03\x04"):
        return paper_files.judge_office(data)
    if pictures.is_picture(data):
        return ".jpg"
    raise Unfit(_other_kind(data))


def _other_kind(data: bytes) -> str:
    head = data[:1024].lower()
    if pictures.is_apple(data):
        return pictures.APPLE
    if b"<svg" in head:
        return f"是 SVG 图形，为安全不收：请另存为 PNG 后上传（只收 {KINDS}）"
    if b"<html" in head or b"<script" in head or b"<!doctype" in head:
        return f"是网页，为安全不收：请打印为 PDF 后上传（只收 {KINDS}）"
    if b"%pdf-" in head:
        return f"开头夹带了别的内容，不是完整的 PDF：{paper_files.AGAIN_AS_PDF}"
    return next((words for mark, words in OTHER_KINDS if data.startswith(mark)), f"不能上传：只收 {KINDS}，请导出为其中一种后上传")


def _made_over(name: str, data: bytes) -> bytes:
    with pictures.reading(name, data) as picture:
        return pictures.encoded(pictures.made_over(picture, LONG_SIDE))


# ── keeping ──


@contextlib.contextmanager
def whole() -> Iterator[list]:
    """Rows with files that are kept together: when something goes wrong, the files of those in the list are taken back."""
    rows: list = []
    try:
        yield rows
    except BaseException:
        for row in rows:
            row.file.delete(save=False)
        raise


@transaction.atomic
def keep_all(*, project: Project, files: Iterable[Taken], by: User, **place) -> None:
    """Keep all files or none beside what they prove; `place` is as `keep` takes it."""
    before = set(Attachment.objects.filter(project=project).values_list("pk", flat=True))
    with whole() as rows:
        for file in files:
            row = keep(project=project, file=file, by=by, **place)
            if row.pk not in before:
                rows.append(row)


@transaction.atomic
def keep(
    *, project: Project, file: Taken, by: User, problem=None, permit=None, paper=None, archive_item=None, acceptance_fact=None
) -> Attachment:
    """Keep one file beside what it proves; the same file once more is the one that is there."""
    Project.objects.select_for_update().get(pk=project.pk)
    place = {
        "project": project,
        "problem": problem,
        "permit": permit,
        "paper": paper,
        "archive_item": archive_item,
        "acceptance_fact": acceptance_fact,
    }
    there = Attachment.objects.filter(**place, withdrawn_at=None)
    if same := there.filter(digest=file.digest).first():
        return same
    if there.count() >= MOST:
        raise Unfit(f"附件已有 {MOST} 个，请先撤下不需要的，或合并成一个文件。")
    row = Attachment(**place, name=file.name, size=len(file.data), digest=file.digest, by=by)
    row.file.save(f"file{file.suffix}", ContentFile(file.data), save=False)
    with whole() as rows:
        rows.append(row)
        row.save(force_insert=True)
        _record("attachment.keep", row, by, [None, row.name])
    return row


@transaction.atomic
def withdraw(*, attachment: Attachment, reason: str, by: User) -> None:
    """Take a file off the page; row and file stay."""
    Project.objects.select_for_update().get(pk=attachment.project_id)
    if not reason.strip():
        raise Unfit("撤下附件须写明理由。")
    if Attachment.objects.filter(pk=attachment.pk, withdrawn_at=None).update(withdrawn_at=clock.now()):
        _record("attachment.withdraw", attachment, by, [attachment.name, None], reason.strip())


def _record(action: str, row: Attachment, by: User, change: list, reason: str = "") -> None:
    """Said of what the file belongs to, so that it stands in the history there."""
    subject = row.problem or row.permit or row.paper or row.archive_item or row.acceptance_fact or row.project
    county = ProjectVersion.objects.select_related("county").get(project=row.project_id, effective_to=None).county
    trail.record(
        action=action, subject=subject, by=by, county=county, changes={"attachment": change, "on": [None, clock.today()]}, reason=reason
    )


def visible(problems, projects):
    """Standing files of `problems`, and all others of `projects`."""
    others = Q(problem=None, project__in=projects)
    return Attachment.objects.filter(Q(problem__in=problems) | others, withdrawn_at=None)


def response(row: Attachment) -> HttpResponse:
    """The file as a download: a browser never shows it as a page of this site."""
    with row.file.open("rb") as file:  # at most LARGEST
        answer = HttpResponse(file.read(), content_type=TYPES.get(suffix_of(row.file.name), "application/octet-stream"))
    answer["Content-Disposition"] = content_disposition_header(True, row.name)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
