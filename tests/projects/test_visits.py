"""Site supervision from its plan to a problem: proposed by risk, toured, filled in at the site, with photos of every kind."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from linfen_water.models import Notice, TrailEvent
from projects import problem_services, visits
from projects.models import Photo, Problem
from projects.services import Faulty
from projects.site_models import Inspection
from tests.factories import TODAY, CountyFactory, DispatchFactory, DomainFactory, ProjectFactory, RegionFactory, UserFactory
from tests.sent_files import picture, png_claiming

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def office(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    RegionFactory()
    return UserFactory()


@pytest.fixture
def visit(office):
    return Inspection.objects.create(project=ProjectFactory(reported=Decimal(60)), planned_on=TODAY, leader_post="科长", by=office)


def typed(row, **more):
    return {"version": row.edit_version, "site_progress": "45", "category": "", "finding": "", "demands": "", "due_on": ""} | more


# ── the plan ──


def test_what_risk_proposes_stands_first_with_its_reasons(office):
    calm = ProjectFactory(reported=Decimal(99))
    behind = ProjectFactory(behind=True)
    ProjectFactory(finished=True)
    problem = problem_services.raise_problem(
        project=calm, by=office, category="land", description="x", raised_on=TODAY - 9 * DAY, due_on=TODAY - DAY
    )
    assert problem
    found = visits.candidates(office, TODAY)
    assert [one.pk for one in found] == [behind.pk, calm.pk]
    assert "严重滞后（40分）" in found[0].risk.sentence
    assert found[1].risk.sentence == "超期问题1个（10分）；还没有去过现场（10分）"


def test_a_site_that_looked_worse_than_its_report_is_gone_to_again(office):
    project = ProjectFactory(reported=Decimal(60))
    Inspection.objects.create(project=project, planned_on=TODAY - DAY, visited_on=TODAY - DAY, site_progress=40, leader_post="科长")
    (found,) = visits.candidates(office, TODAY)
    assert "上次督导现场比填报低20.0个百分点（20分）" in found.risk.sentence


def test_planning_twice_makes_one_visit_and_keeps_the_reasons(office):
    project = ProjectFactory(behind=True)
    about = {"chosen": [project.pk], "planned_on": TODAY + DAY, "leader_post": "科长", "today": TODAY}
    (made,) = visits.plan(by=office, **about)
    assert made.content.startswith("按风险安排：序时差")
    assert visits.plan(by=office, **about) == []
    assert Inspection.objects.count() == 1


@pytest.mark.parametrize(("chosen", "on", "words"), [([], TODAY, "请先勾选"), ([1], TODAY - DAY, "已过"), (range(99), TODAY, "最多安排")])
def test_what_cannot_be_planned_is_said(office, chosen, on, words):
    with pytest.raises(Faulty, match=words):
        visits.plan(by=office, chosen=chosen, planned_on=on, leader_post="科长", today=TODAY)


def test_a_department_plans_for_its_own_domain_only(office, client):
    person = UserFactory(in_department=True, domain=DomainFactory(name="城管"))
    own, foreign = ProjectFactory(domain=person.unit.domain), ProjectFactory(domain=DomainFactory(name="住建"))
    client.force_login(person)
    sent = {"planned_on": str(TODAY), "leader_post": "科长"}
    assert client.post("/inspections/", sent | {"project": foreign.pk}).status_code == 404
    assert client.post("/inspections/", sent | {"project": own.pk}).status_code == 302
    assert Inspection.objects.get().project == own


def test_the_route_goes_from_near_to_far_and_a_county_sees_its_own_stops(office, client):
    county = CountyFactory(seat_lon=111.5, seat_lat=36.0)
    far, near, nowhere = (ProjectFactory(county=county, lon=lon, lat=lat) for lon, lat in ((111.5, 36.9), (111.5, 36.1), (None, None)))
    other = ProjectFactory(lon=111.5, lat=36.5)
    for project in (far, near, nowhere, other):
        Inspection.objects.create(project=project, planned_on=TODAY, leader_post="科长")
    stops = visits.route(office, TODAY, TODAY)
    assert [stop.inspection.project for stop in stops] == [near, other, far, nowhere]
    assert stops[0].km == pytest.approx(11.1, abs=0.1)
    assert stops[3].km is None
    client.force_login(UserFactory(in_county=True, county=county))
    page = client.get("/inspections/route/").content.decode()
    assert near.code in page
    assert other.code not in page


def test_the_list_takes_as_many_queries_for_one_project_as_for_thirty(office, client):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/inspections/").status_code == 200
            assert client.get("/inspections/route/").status_code == 200
        return len(seen)

    def more(count):
        for _ in range(count):
            project = ProjectFactory(behind=True)
            problem_services.raise_problem(project=project, by=office, category="land", description="x", raised_on=TODAY - 9 * DAY)
            Inspection.objects.create(project=project, planned_on=TODAY - DAY, visited_on=TODAY - DAY, site_progress=9, leader_post="科长")
            Inspection.objects.create(project=project, planned_on=TODAY, leader_post="科长")

    client.force_login(office)
    more(1)
    few = queries()
    more(30)
    assert queries() == few


# ── at the site ──


def test_what_is_typed_at_the_site_is_one_visit_with_its_problem_and_photo(office, visit, client):
    client.force_login(office)
    photo = SimpleUploadedFile("IMG_1.jpg", picture())
    sent = typed(
        visit, category="construction", finding="护岸砂浆不饱满", is_problem="on", demands="返工", due_on="2025-03-01", photos=photo
    )
    assert client.post(f"/inspections/{visit.pk}/site/", sent).url == f"/inspections/{visit.pk}/"
    visit.refresh_from_db()
    assert (visit.visited_on, visit.site_progress, visit.demands) == (TODAY, 45, "返工")
    problem = Problem.objects.get()
    assert (problem.description, str(problem.due_on), problem.finding.inspection) == ("护岸砂浆不饱满", "2025-03-01", visit)
    assert visit.photos.get().caption == "2025-02-20 现场督导"
    assert TrailEvent.objects.filter(action="inspection.site").count() == 1
    assert Notice.objects.filter(kind="inspection.site").exists()
    page = client.get(f"/inspections/{visit.pk}/").content.decode()
    assert "-15.00" in page  # the site 45 against the reported 60


def test_sent_twice_it_is_one(office, visit, client):
    client.force_login(office)
    sent = typed(visit, category="construction", finding="砂浆不饱满", is_problem="on")
    for _ in range(2):
        client.post(f"/inspections/{visit.pk}/site/", sent)
    assert (Problem.objects.count(), visit.findings.count()) == (1, 1)


def test_a_field_that_both_changed_shows_both_and_the_second_save_counts(office, visit, client):
    from projects import records
    from projects.inspections import INSPECTION

    records.edit(INSPECTION, row=visit, by=UserFactory(), version=1, visited_on=TODAY, site_progress=Decimal(30))
    client.force_login(office)
    page = client.post(f"/inspections/{visit.pk}/site/", typed(visit, demands="我写的意见"))
    assert page.status_code == 409
    assert "他人刚填 30" in page.content.decode()
    assert "我写的意见" in page.content.decode()
    visit.refresh_from_db()
    assert client.post(f"/inspections/{visit.pk}/site/", typed(visit, demands="我写的意见")).status_code == 302
    visit.refresh_from_db()
    assert (visit.site_progress, visit.demands) == (45, "我写的意见")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"site_progress": "101"}, "不能大于 100"),
        ({"category": "land"}, "请写明发现的问题"),
        ({"finding": "缺护栏"}, "请选择问题类别"),
        ({"due_on": "2025-02-01"}, "早于督导日期"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(office, visit, client, more, words):
    client.force_login(office)
    page = client.post(f"/inspections/{visit.pk}/site/", typed(visit) | more)
    assert page.status_code == 422
    assert words in page.content.decode()
    visit.refresh_from_db()
    assert visit.visited_on is None


def gps_of_nonsense() -> bytes:
    return picture(place=(999.0, 999.0), taken="9999:99:99 99:99:99")


BAD = {
    "page.jpg": (b"<html><script>alert(1)</script></html>", "不是照片"),
    "drawing.jpg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "SVG"),
    "paper.jpg": (b"%PDF-1.7\n%%EOF", "PDF"),
    "book.jpg": (b"PK\x03\x04rest", "压缩包"),
    "bomb.png": (png_claiming(60_000, 60_000), "像素"),
    "cut.jpg": (picture()[:400], "不完整或已损坏"),
    "empty.jpg": (b"", "空文件"),
    "loop.jpg": (picture(kind="GIF"), "GIF"),
    "dot.jpg": (picture((8, 8)), "太小"),
    "apple.jpg": (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_words_and_costs_neither_text_nor_good_photos(office, visit, client, name):
    data, words = BAD[name]
    client.force_login(office)
    files = [SimpleUploadedFile(name, data), SimpleUploadedFile("good.jpg", picture())]
    page = client.post(f"/inspections/{visit.pk}/site/", typed(visit, photos=files), follow=True).content.decode()
    assert ("没有收到内容" in page or words in page) or not data  # an empty file never reaches the server's list of files
    visit.refresh_from_db()
    assert visit.site_progress == 45
    assert visit.photos.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        picture() + b"<script>alert(1)</script><?php system('id'); ?>",  # a page behind the picture
        picture() + b"PK\x03\x04" + b"\0" * 60,  # an archive behind it
        picture(comment=b"<script>alert(1)</script>"),
        gps_of_nonsense(),
        picture(orientation=6),
    ],
)
def test_a_file_that_is_two_things_is_kept_as_a_picture_only(office, visit, client, data):
    client.force_login(office)
    client.post(f"/inspections/{visit.pk}/site/", typed(visit, photos=SimpleUploadedFile("a.jpg", data)))
    row = Photo.objects.get()
    with row.file.open("rb") as file:
        kept = file.read()
    assert b"script" not in kept
    assert b"PK\x03\x04" not in kept
    with row.file.open("rb") as file, Image.open(file) as opened:
        assert dict(opened.getexif()) == {}
        assert "comment" not in opened.info
    answer = client.get(f"/photos/{row.pk}/")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert (row.lon is None) == (data != b"" and row.lat is None)


def test_a_photo_of_the_weeks_report_may_serve_the_visit_too(office, visit, client):
    from projects import photos

    kept = photos.keep(project=visit.project, week_of=dt.date(2025, 2, 17), name="a.jpg", data=picture(), by=office)
    client.force_login(office)
    client.post(f"/inspections/{visit.pk}/site/", typed(visit, photos=SimpleUploadedFile("a.jpg", picture())))
    kept.refresh_from_db()
    assert (kept.inspection, Photo.objects.count()) == (visit, 1)


def test_reported_progress_is_that_of_the_day_of_the_visit(office, client):
    project = ProjectFactory()
    DispatchFactory(project=project, week_of=dt.date(2025, 1, 6), physical_progress=30)
    DispatchFactory(project=project, week_of=dt.date(2025, 2, 10), physical_progress=70)
    row = Inspection.objects.create(project=project, planned_on=dt.date(2025, 1, 20), visited_on=dt.date(2025, 1, 20), leader_post="科长",
                                    site_progress=25, by=office)  # fmt: skip
    client.force_login(office)
    page = client.get(f"/inspections/{row.pk}/").content.decode()
    assert "-5.00" in page  # against the 30 of January, not the 70 of February
