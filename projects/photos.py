"""Photos of the works (现场照片): re-encoded here, so that nothing of the sent file is served; time and place kept as data.

What came from the camera is judged by its content, never by its name. A photo taken far from the site, or before its week, is marked
and never refused: the point of a project may be rough, and a river is long.
"""

import contextlib
import dataclasses
import datetime as dt
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from PIL import ExifTags, Image
from pyproj import Geod

from linfen_water import clock, trail
from linfen_water.models import User
from linfen_water.sent_files import Unfit, clean_name, quoted
from projects import pictures
from projects.models import Dispatch, Photo, Project, ProjectVersion
from projects.site_models import Inspection

LARGEST = 15 * 1024 * 1024  # bytes of one file as it is sent; a server in front must let it pass (deploy/nginx.conf)
MOST = 12  # standing photos of a project in a week
LONG_SIDE, THUMB_SIDE = 2048, 400  # pixels
SMALLEST_SIDE = 64
THUMB_QUALITY = 78
ACCEPT = "image/jpeg,image/png,image/webp"
CAPTION_LENGTH = Photo._meta.get_field("caption").max_length
GROUND = Geod(ellps="WGS84")


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """A photo as it will be kept, with what its file told."""

    data: bytes
    thumb: bytes
    size: tuple[int, int]
    taken_at: dt.datetime | None
    lon: float | None
    lat: float | None


# ── judging and making over ──


def prepare(name: str, data: bytes) -> Ready:
    """The photo turned upright, made smaller, without anything of the file but its picture; Unfit with what is wrong and how to mend it."""
    shown = quoted(name)
    if not data:
        raise Unfit(f"{shown}是空文件，请重新选择。")
    if len(data) > LARGEST:
        raise Unfit(f"{shown}有 {len(data) / 1024 / 1024:.1f} MB，超过 {LARGEST // 1024 // 1024} MB：请把相机的分辨率调低后再传。")
    with pictures.reading(name, data, smallest_side=SMALLEST_SIDE) as picture:
        taken_at, lon, lat = _told(picture)
        upright = pictures.made_over(picture, LONG_SIDE)
        whole, size = pictures.encoded(upright), upright.size
        upright.thumbnail((THUMB_SIDE, THUMB_SIDE))
        return Ready(whole, pictures.encoded(upright, THUMB_QUALITY), size, taken_at, lon, lat)


# ── what the file tells ──


def _told(picture: Image.Image) -> tuple[dt.datetime | None, float | None, float | None]:
    """(taken at, longitude, latitude); None for what is not there or cannot be."""
    try:
        exif = picture.getexif()
        return (_taken_at(exif), *_place(exif.get_ifd(ExifTags.IFD.GPSInfo)))
    except Exception:  # EXIF is whatever a camera wrote
        return None, None, None


def _taken_at(exif: Image.Exif) -> dt.datetime | None:
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    text = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime) or ""
    offset = str(inner.get(ExifTags.Base.OffsetTimeOriginal) or "").strip("\0 ")
    with contextlib.suppress(ValueError):
        moment = dt.datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the zone follows
        with contextlib.suppress(ValueError):
            return moment.replace(tzinfo=dt.datetime.strptime(offset, "%z").tzinfo)
        return timezone.make_aware(moment) if 2000 <= moment.year < 2100 else None
    return None


def _place(gps: dict) -> tuple[float | None, float | None]:
    """WGS84 degrees, longitude first."""
    with contextlib.suppress(KeyError, TypeError, ValueError, ZeroDivisionError):
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], "S")
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], "W")
        if math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0, 0):
            return lon, lat
    return None, None


def _degrees(parts, side: str, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return round(-value if str(side).strip("\0 ").upper() == negative else value, 6)


# ── keeping ──


def keep(
    *, project: Project, week_of: dt.date, name: str, data: bytes, by: User, caption: str = "", inspection: Inspection | None = None
) -> Photo:
    """Keep one photo of a project's week, or of a visit; the same file once more is the one that is there. Raises Unfit."""
    ready = prepare(name, data)
    digest = hashlib.sha256(data).hexdigest()
    return _keep(
        project=project, week_of=week_of, name=clean_name(name), ready=ready, digest=digest, by=by, caption=caption, inspection=inspection
    )


@transaction.atomic
def _keep(
    *, project: Project, week_of: dt.date, name: str, ready: Ready, digest: str, by: User, caption: str, inspection: Inspection | None
) -> Photo:
    Project.objects.select_for_update().get(pk=project.pk)
    standing = Photo.objects.filter(project=project, withdrawn_at=None)
    if same := standing.filter(digest=digest).first():
        if same.week_of != week_of:
            raise Unfit(f"“{name}”已在 {same.week_of} 那一周上传过：请选本周新拍的照片。")
        if inspection and same.inspection_id not in (None, inspection.pk):
            raise Unfit(f"“{name}”已用于另一次现场督导：请选这次拍的照片。")
        if inspection and same.inspection_id is None:
            Photo.objects.filter(pk=same.pk).update(inspection=inspection)
            same.inspection = inspection
            _record("photo.keep", same, by, {"inspection": [None, str(inspection)]})
        return same
    if inspection and standing.filter(inspection=inspection).count() >= MOST:
        raise Unfit(f"这次督导已有 {MOST} 张照片：请先撤下不需要的。")
    if inspection is None and standing.filter(week_of=week_of, inspection=None).count() >= MOST:
        raise Unfit(f"本周这个项目已有 {MOST} 张照片：请先撤下不需要的。")
    spoken = Dispatch.objects.filter(project=project, week_of=week_of).order_by("-revision").first()
    row = Photo(
        project=project, dispatch=spoken, inspection=inspection, week_of=week_of, digest=digest, caption=_caption(caption), by=by,
        taken_at=ready.taken_at, lon=ready.lon, lat=ready.lat,
    )  # fmt: skip
    row.file.save("photo.jpg", ContentFile(ready.data), save=False)
    row.width, row.height = ready.size
    try:
        row.file.storage.save(thumb_name(row), ContentFile(ready.thumb))
        row.save(force_insert=True)
        _record("photo.keep", row, by, {"photo": [None, name]})
    except BaseException:
        row.file.storage.delete(thumb_name(row))
        row.file.delete(save=False)
        raise
    return row


@transaction.atomic
def describe(*, photo: Photo, caption: str, by: User) -> None:
    """Say below the photo what it shows."""
    Project.objects.select_for_update().get(pk=photo.project_id)
    new = _caption(caption)
    old = Photo.objects.values_list("caption", flat=True).get(pk=photo.pk)
    if new != old:
        Photo.objects.filter(pk=photo.pk).update(caption=new)
        _record("photo.describe", photo, by, {"caption": [old, new]})


@transaction.atomic
def withdraw(*, photo: Photo, reason: str, by: User) -> None:
    """Take a photo off the pages; row and file stay."""
    Project.objects.select_for_update().get(pk=photo.project_id)
    if not reason.strip():
        raise Unfit("撤下照片须写明理由。")
    if Photo.objects.filter(pk=photo.pk, withdrawn_at=None).update(withdrawn_at=clock.now()):
        _record("photo.withdraw", photo, by, {"photo": [photo.caption or f"照片{photo.pk}", None]}, reason.strip())


def _caption(text: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > CAPTION_LENGTH:
        raise Unfit(f"照片说明最多 {CAPTION_LENGTH} 字，现为 {len(text)} 字。")
    return text


def _record(action: str, row: Photo, by: User, changes: dict, reason: str = "") -> None:
    county = ProjectVersion.objects.select_related("county").get(project=row.project_id, effective_to=None).county
    changes = changes | {"week_of": [None, row.week_of]}
    trail.record(action=action, subject=row.project, by=by, county=county, changes=changes, reason=reason)


def thumb_name(row: Photo) -> str:
    return row.file.name.removesuffix(".jpg") + "_small.jpg"


# ── showing ──


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A photo with what is odd about it, in words."""

    photo: Photo
    marks: tuple[str, ...]

    @property
    def pk(self) -> int:
        return self.photo.pk

    @property
    def words(self) -> str:
        """For those who do not see it."""
        return self.photo.caption or f"{self.photo.project.code} 现场照片"


def shown(photos: Iterable[Photo], far_km: int) -> list[Shown]:
    return [Shown(photo, tuple(filter(None, (_far(photo, far_km), _old(photo))))) for photo in photos]


def _far(photo: Photo, far_km: int) -> str:
    site = photo.project
    if None in (photo.lon, photo.lat, site.lon, site.lat):
        return ""
    away = GROUND.inv(photo.lon, photo.lat, site.lon, site.lat)[2] / 1000
    rough = "（项目点位为示意）" if site.location_quality.startswith("示意") else ""
    return f"拍摄地点距项目点位约 {away:.0f} 公里{rough}，请核对" if away > far_km else ""


def _old(photo: Photo) -> str:
    if photo.taken_at is None or photo.week_of is None:
        return ""
    on = timezone.localtime(photo.taken_at).date()
    return f"拍摄于 {on}，早于本周" if on < photo.week_of else ""


def standing(projects, day: dt.date):
    """Photos of `projects` that stand, of weeks begun by `day`, the newest first."""
    found = Photo.objects.filter(project__in=projects, withdrawn_at=None, week_of__lte=day)
    return found.select_related("project", "by__unit").order_by("-week_of", "pk")


def of_week(projects: list[int], week_of: dt.date, far_km: int) -> dict[int, list[Shown]]:
    """What stands of the week, by project; one query."""
    found: dict[int, list[Shown]] = defaultdict(list)
    rows = Photo.objects.filter(project__in=projects, week_of=week_of, withdrawn_at=None).select_related("project").order_by("pk")
    for item in shown(rows, far_km):
        found[item.photo.project_id].append(item)
    return found


def response(row: Photo, *, is_small: bool = False) -> HttpResponse:
    """The picture, for this person's browser only."""
    with row.file.storage.open(thumb_name(row) if is_small else row.file.name, "rb") as file:
        answer = HttpResponse(file.read(), content_type="image/jpeg")
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, max-age=3600"
    answer["Content-Disposition"] = "inline"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
