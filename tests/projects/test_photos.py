"""Photos of the works: what is taken and what refused, what is kept as data, how they are served."""

import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from linfen_water.models import TrailEvent
from linfen_water.sent_files import Unfit
from projects import photos
from projects.models import Photo
from tests.factories import LAST_WEEK, THIS_WEEK, DispatchFactory, ProjectFactory, RegionFactory, UserFactory
from tests.sent_files import picture, png_claiming

SITE = (111.5, 36.1)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


# ── what is taken ──


@pytest.mark.once
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(picture(), id="JPG"),
        pytest.param(picture(kind="PNG"), id="PNG"),
        pytest.param(picture(kind="WEBP"), id="WEBP"),
        pytest.param(picture(kind="PNG", mode="RGBA"), id="透明"),
        pytest.param(picture(progressive=True), id="渐进"),
        pytest.param(picture() + b"<script>alert(1)</script><?php evil() ?>PK\x03\x04", id="尾部夹带脚本"),
        pytest.param(picture(comment=b"<script>alert(1)</script>"), id="注释夹带脚本"),
    ],
)
def test_a_photo_is_made_over_and_carries_nothing_along(data):
    ready = photos.prepare("a.jpg", data)
    image = opened(ready.data)
    assert (image.format, image.size, image.mode) == ("JPEG", (300, 200), "RGB")
    assert (dict(image.getexif()), image.info.get("comment"), b"script" in ready.data) == ({}, None, False)
    assert max(opened(ready.thumb).size) <= photos.THUMB_SIDE


@pytest.mark.once
@pytest.mark.parametrize(("orientation", "red"), [(1, (0, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))], ids=["正", "倒", "顺时针", "逆时针"])
def test_a_photo_is_turned_upright(orientation, red):
    image = opened(photos.prepare("a.jpg", picture(orientation=orientation)).data)
    assert image.size == ((300, 200) if orientation in (1, 3) else (200, 300))
    x, y = (side * (1 + 2 * at) // 4 for side, at in zip(image.size, red, strict=True))
    r, g, _ = image.getpixel((x, y))
    assert r > 200 > 100 > g


@pytest.mark.once
def test_a_large_photo_becomes_smaller():
    assert opened(photos.prepare("a.jpg", picture((5000, 3000))).data).size == (2048, 1229)


@pytest.mark.once
@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2025:02:19 15:30:00", None, "2025-02-19T15:30:00+08:00"),
        ("2025:02:19 15:30:00", "+00:00", "2025-02-19T15:30:00+00:00"),
        ("2025:02:19 15:30:00", "?", "2025-02-19T15:30:00+08:00"),
        ("0000:00:00 00:00:00", None, None),
        ("1970:01:01 00:00:00", None, None),
        ("昨天", None, None),
        (None, None, None),
    ],
)
def test_when_it_was_taken_is_kept(taken, offset, expected):
    at = photos.prepare("a.jpg", picture(taken=taken, offset=offset)).taken_at
    assert (at and at.isoformat()) == expected


@pytest.mark.once
@pytest.mark.parametrize(
    ("place", "expected"),
    [((111.5123, 36.0877), (111.5123, 36.0877)), ((-70.5, -33.25), (-70.5, -33.25)), ((0, 0), (None, None)), (None, (None, None))],
)
def test_where_it_was_taken_is_kept(place, expected):
    ready = photos.prepare("a.jpg", picture(place=place))
    assert (ready.lon, ready.lat) == pytest.approx(expected, abs=1e-4) if expected[0] else (ready.lon, ready.lat) == expected


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "空文件", id="空"),
        pytest.param(picture()[:400], "不完整或已损坏", id="截断"),
        pytest.param(picture(kind="PNG")[:200], "不完整或已损坏", id="截断的PNG"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC 格式.*兼容性最佳", id="HEIC"),
        pytest.param(b"\0\0\0\x18ftypisom\0\0\0\0", "视频", id="视频"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "SVG", id="SVG"),
        pytest.param(b"<?xml version='1.0'?>\n<svg/>", "SVG", id="带声明的SVG"),
        pytest.param(b"<html><script>alert(1)</script>", "不是照片", id="网页"),
        pytest.param(b"%PDF-1.7", "PDF", id="PDF"),
        pytest.param(b"GIF89a" + bytes(20), "GIF", id="GIF"),
        pytest.param(b"PK\x03\x04", "压缩包", id="压缩包"),
        pytest.param(png_claiming(30000, 30000), "像素", id="像素炸弹"),
        pytest.param(png_claiming(8000, 6000), "8000×6000 像素，超过 4000 万", id="过大的PNG"),
        pytest.param(picture((63, 200)), "太小", id="太小"),
        pytest.param(b"\xff\xd8\xff" + bytes(photos.LARGEST), "超过 15 MB", id="超过大小"),
    ],
)
def test_a_bad_file_is_refused_with_how_to_mend_it(data, words):
    with pytest.raises(Unfit, match=words):
        photos.prepare("照片.jpg", data)


# ── keeping, serving ──


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def project(db, media):
    RegionFactory()
    return ProjectFactory(code="LF-001", lon=SITE[0], lat=SITE[1], location_quality="示意位置")


@pytest.fixture
def clerk(client, project):
    user = UserFactory(in_county=True, unit=project.versions.get().responsible_unit)
    client.force_login(user)
    return user


def keep(project, by, data=None, week_of=THIS_WEEK, **more):
    return photos.keep(project=project, week_of=week_of, name="a.jpg", data=data or picture(), by=by, **more)


def files_of(media):
    return sorted(path.name for path in media.rglob("*.jpg"))


def test_a_photo_is_kept_once_with_its_event(project, clerk, media):
    spoken = DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    row = keep(project, clerk, caption="护岸\n施工")
    assert keep(project, clerk) == row
    assert (row.dispatch, row.caption, row.width, row.height) == (spoken, "护岸 施工", 300, 200)
    assert len(files_of(media)) == 2
    event = TrailEvent.objects.get(action="photo.keep")
    assert (event.by, event.subject_id, event.changes["photo"]) == (clerk, str(project.pk), [None, "a.jpg"])


def test_a_photo_of_another_week_is_not_shown_again(project, clerk):
    keep(project, clerk, week_of=LAST_WEEK)
    with pytest.raises(Unfit, match="已在 2025-02-10 那一周上传过"):
        keep(project, clerk)


def test_a_week_takes_a_limited_number(project, clerk, monkeypatch):
    monkeypatch.setattr(photos, "MOST", 2)
    for side in (200, 201):
        keep(project, clerk, picture((side, 200)))
    with pytest.raises(Unfit, match="已有 2 张"):
        keep(project, clerk, picture((202, 200)))
    keep(project, clerk, picture((202, 200)), week_of=LAST_WEEK)


def test_a_photo_that_could_not_be_recorded_leaves_no_file(project, clerk, media, monkeypatch):
    monkeypatch.setattr(photos, "_record", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keep(project, clerk)
    assert (files_of(media), Photo.objects.count()) == ([], 0)


def test_a_withdrawn_photo_is_gone_and_stays_on_record(client, project, clerk, media):
    row = keep(project, clerk)
    assert client.post(f"/photos/{row.pk}/withdraw/", {"reason": " "}).status_code == 422
    assert client.post(f"/photos/{row.pk}/withdraw/", {"reason": "拍错工地"}).status_code == 302
    assert (client.get(f"/photos/{row.pk}/").status_code, client.get(f"/photos/{row.pk}/small/").status_code) == (404, 404)
    assert (len(files_of(media)), TrailEvent.objects.get(action="photo.withdraw").reason) == (2, "拍错工地")
    assert keep(project, clerk).pk != row.pk


def test_a_caption_is_changed_with_its_event(client, project, clerk):
    row = keep(project, clerk)
    client.post(f"/photos/{row.pk}/describe/", {"caption": "闸室浇筑"})
    row.refresh_from_db()
    assert (row.caption, TrailEvent.objects.get(action="photo.describe").changes["caption"]) == ("闸室浇筑", ["", "闸室浇筑"])
    assert "最多 100 字" in client.post(f"/photos/{row.pk}/describe/", {"caption": "长" * 101}).content.decode()


def test_the_picture_is_served_to_this_browser_only(client, project, clerk):
    row = keep(project, clerk)
    for address, side in ((f"/photos/{row.pk}/", 300), (f"/photos/{row.pk}/small/", 300)):
        answer = client.get(address)
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
        assert answer["Cache-Control"].startswith("private")
        assert opened(answer.content).size[0] == side


@pytest.mark.parametrize(
    ("place", "mark"),
    [
        pytest.param((111.5, 36.189), None, id="十公里内"),
        pytest.param((111.5, 36.195), "约 11 公里（项目点位为示意）", id="十公里外"),
        pytest.param(None, None, id="没有地点"),
    ],
)
def test_a_photo_from_far_away_is_marked_and_taken(project, clerk, place, mark):
    row = keep(project, clerk, picture(place=place))
    marks = photos.shown([row], 10)[0].marks
    assert marks == () if mark is None else (len(marks), mark in marks[0]) == (1, True)


@pytest.mark.parametrize(("taken", "is_old"), [("2025:02:16 23:59:00", True), ("2025:02:17 00:00:00", False)])
def test_a_photo_from_before_its_week_is_marked(project, clerk, taken, is_old):
    row = keep(project, clerk, picture(taken=taken))
    assert bool(photos.shown([row], 10)[0].marks) is is_old


# ── the pages ──


def upload(client, *files, accept="application/json", week=THIS_WEEK):
    sent = [SimpleUploadedFile(name, data, "image/jpeg") for name, data in files]
    return client.post(f"/projects/LF-001/photos/?week={week}", {"photos": sent}, headers={"Accept": accept})


def test_an_upload_answers_with_the_strip_of_the_week(client, project, clerk):
    answer = upload(client, ("a.jpg", picture()))
    assert answer.status_code == 200
    assert f"/photos/{Photo.objects.get().pk}/small/" in answer.content.decode()


def test_a_bad_file_keeps_no_good_one_back(client, project, clerk):
    answer = upload(client, ("a.jpg", picture()), ("b.jpg", b"GIF89a"), accept="text/html")
    assert (answer.status_code, Photo.objects.count()) == (422, 1)
    assert "“b.jpg”是 GIF 动图" in answer.content.decode()
    assert "GIF" in upload(client, ("b.jpg", b"GIF89a")).json()["sentence"]


@pytest.mark.parametrize(("week", "status"), [("2025-02-17", 200), ("2025-02-24", 404), ("2025-03-24", 400), ("x", 400)])
def test_a_week_that_has_not_begun_takes_none(client, project, clerk, week, status):
    assert upload(client, ("a.jpg", picture()), week=week).status_code == status


def test_photos_are_seen_where_people_look(client, project, clerk):
    DispatchFactory(project=project, week_of=THIS_WEEK, submitted=True)
    row = keep(project, clerk, picture(place=(112.5, 36.1)), caption="闸室浇筑")
    for address in ("/dispatch/", "/projects/LF-001/", "/projects/LF-001/photos/"):
        assert f"/photos/{row.pk}/" in client.get(address).content.decode()
    client.force_login(UserFactory())
    page = client.get("/dispatch/?view=review").content.decode()
    assert f"/photos/{row.pk}/small/" in page
    assert "照片：拍摄地点距项目点位约" in page
    assert f"/photos/{row.pk}/" not in client.get("/projects/LF-001/photos/?as_of=2025-02-16").content.decode()


def test_the_pages_ask_as_many_questions_for_one_photo_as_for_many(client, project, clerk):
    keep(project, clerk)
    addresses = ("/dispatch/", "/projects/LF-001/", "/projects/LF-001/photos/")
    one = [queries_of(client, address) for address in addresses]
    for n in range(1, 6):
        keep(project, clerk, picture((300, 200 + n)))
    assert [queries_of(client, address) for address in addresses] == one


def queries_of(client, address) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_time_of_the_trail_is_told_in_words(client, project, clerk):
    keep(project, clerk)
    page = client.get("/projects/LF-001/").content.decode()
    assert "上传现场照片" in page
    assert dt.date(2025, 2, 17).isoformat() in page
