"""Files that prove something of a project (附件): judged by what is in them, kept as they were sent, served as downloads only."""

import contextlib
import hashlib
import io
import zipfile
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from PIL import Image

from linfen_water import clock, trail
from linfen_water.models import User
from linfen_water.sent_files import Unfit, clean_name, quoted
from projects.models import Attachment, Project, ProjectVersion
from projects.pictures import MOST_PIXELS

LARGEST = 10 * 1024 * 1024  # bytes
MOST = 20  # standing files of one problem, permit or paper
KINDS = "PDF、JPG、PNG、DOCX、XLSX"
ACCEPT = ".pdf,.jpg,.jpeg,.png,.docx,.xlsx"
TYPES = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PARTS = {".docx": "word/document.xml", ".xlsx": "xl/workbook.xml"}  # what an Office file of that kind must hold


def suffix_of(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return ".jpg" if suffix == ".jpeg" else suffix


def judge(name: str, data: bytes) -> str:
    """The ending that the content has (`.pdf`), or Unfit with what is wrong and how to mend it."""
    shown = quoted(name)
    if not data:
        raise Unfit(f"{shown}是空文件，请重新选择。")
    if len(data) > LARGEST:
        raise Unfit(f"{shown}有 {len(data) / 1024 / 1024:.1f} MB，超过 {LARGEST // 1024 // 1024} MB：请压缩或分成几个文件。")
    found = _kind(data)
    if found is None:
        raise Unfit(f"{shown}不能上传：只收 {KINDS}，且内容须完整、不带宏。")
    if suffix_of(name) != found:
        raise Unfit(f"{shown}的内容是 {found[1:].upper()}，与文件名不符：请改正扩展名，或重新导出后上传。")
    return found


def _kind(data: bytes) -> str | None:
    if data.startswith(b"%PDF-"):
        return ".pdf" if b"%%EOF" in data[-2048:] else None
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _picture(data)
    return _office_file(data) if data.startswith(b"PK\x03\x04") else None


def _picture(data: bytes) -> str | None:
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
        if picture.width * picture.height <= MOST_PIXELS:
            picture.verify()
            return {"JPEG": ".jpg", "PNG": ".png"}[picture.format]
    return None


def _office_file(data: bytes) -> str | None:
    """By the parts of the package; one with macros is none of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith(".bin") and "vba" in name.lower() for name in names):
        return None
    return next((suffix for suffix, part in PARTS.items() if part in names), None)


@transaction.atomic
def keep(
    *, project: Project, name: str, data: bytes, by: User, problem=None, permit=None, paper=None, archive_item=None, acceptance_fact=None
) -> Attachment:
    """Keep one file beside what it proves; the same file once more is the one that is there."""
    suffix = judge(name, data)
    Project.objects.select_for_update().get(pk=project.pk)
    place = {
        "project": project,
        "problem": problem,
        "permit": permit,
        "paper": paper,
        "archive_item": archive_item,
        "acceptance_fact": acceptance_fact,
    }
    digest = hashlib.sha256(data).hexdigest()
    there = Attachment.objects.filter(**place, withdrawn_at=None)
    if same := there.filter(digest=digest).first():
        return same
    if there.count() >= MOST:
        raise Unfit(f"附件已有 {MOST} 个，请先撤下不需要的，或合并成一个文件。")
    row = Attachment(**place, name=clean_name(name), size=len(data), digest=digest, by=by)
    row.file.save(f"file{suffix}", ContentFile(data), save=False)
    try:
        row.save(force_insert=True)
        _record("attachment.keep", row, by, [None, row.name])
    except BaseException:
        row.file.delete(save=False)
        raise
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
