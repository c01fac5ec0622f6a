"""`/permits/` and a project's sheet: what is shown to whom, as of a day, and that nothing typed is lost."""

import datetime as dt
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from projects import permits
from projects.enums import PermitKind, PermitState, Stage
from projects.models import Permit, Project
from tests.factories import TODAY, PermitFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def authority():
    return UserFactory(in_department=True)


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001", not_started=True, baseline_start_on=dt.date(2025, 4, 1))


@pytest.fixture
def permit(project, authority):
    return PermitFactory(project=project, authority=authority.unit, submitted_on=dt.date(2025, 1, 6), promised_workdays=10)


@pytest.fixture
def county(project):
    return UserFactory(in_county=True, county=project.versions.get().county)


def sent(permit, **values):
    return {f"{permit.pk}-{name}": value for name, value in ({"version": 1} | values).items()}


def finished(kind, authority, count, workdays=4):
    """`count` papers that each took `workdays` working days in June 2024 (the 10th was a holiday)."""
    for _ in range(count):
        PermitFactory(
            project=ProjectFactory(),
            kind=kind,
            authority=authority.unit,
            submitted_on=dt.date(2024, 6, 17),
            obtained_on=dt.date(2024, 6, 17) + dt.timedelta(days=workdays),
        )


# ── reading ──


def test_lead_times_are_those_of_the_day(authority):
    finished(PermitKind.EIA, authority, 5)
    found = permits.learned(TODAY)[(PermitKind.EIA, authority.unit_id)]
    assert (found.n, found.median, found.likely) == (5, 4, 4)
    assert permits.learned(dt.date(2024, 6, 1)) == {}


def test_the_schedule_reckons_with_what_was_learned(project, authority):
    finished(PermitKind.TENDER, authority, 5)
    PermitFactory(project=project, kind=PermitKind.TENDER, authority=authority.unit, promised_workdays=30)
    (found,) = permits.read(TODAY, Project.objects.filter(pk=project.pk))
    assert found.plan.steps[0].lead.workdays == 4
    (before,) = permits.read(dt.date(2024, 6, 1), Project.objects.filter(pk=project.pk))
    assert before.plan.steps[0].lead.workdays == 30


def test_what_is_lacking_on_a_day(project, permit):
    Permit.objects.filter(pk=permit.pk).update(obtained_on=TODAY)
    assert list(permits.lacking(Project.objects.all(), TODAY)) == []
    assert list(permits.lacking(Project.objects.all(), dt.date(2025, 2, 19))) == [project]


def test_authorities_with_what_lies_with_them(project, permit, authority):
    started = ProjectFactory()
    PermitFactory(project=started, kind=PermitKind.OUTFALL, authority=authority.unit)
    PermitFactory(project=started, kind=PermitKind.TENDER)
    desks = permits.desks(TODAY, Project.objects.all())
    assert [(d.name, d.in_progress, d.late, d.not_submitted, d.blocking, len(d.projects)) for d in desks] == [
        (authority.unit.name, 1, 1, 1, 1, 2),
        ("受理机关未登记", 0, 0, 1, 0, 1),
    ]


@pytest.mark.parametrize("view", ["desk", "projects", "authorities"])
def test_queries_do_not_grow_with_rows(client, authority, view):
    client.force_login(authority)

    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/permits/", {"view": view}).status_code == 200
        return len(queries)

    PermitFactory(project=ProjectFactory(), authority=authority.unit)
    count()
    one = count()
    for _ in range(29):
        PermitFactory(project=ProjectFactory(), authority=authority.unit)
    count()  # the lead times are learned anew
    assert count() == one


def test_a_sheet_has_the_same_queries_for_one_permit_and_for_all(client, project):
    client.force_login(UserFactory())
    PermitFactory(project=project, kind=PermitKind.EIA)

    def count():
        client.get("/projects/LF-001/permits/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/projects/LF-001/permits/")
        return len(queries)

    one = count()
    for kind in PermitKind:
        if kind != PermitKind.EIA:
            PermitFactory(project=project, kind=kind)
    assert count() == one


# ── pages ──


def test_the_office_sees_what_blocks_the_start_in_its_words(client, project, permit):
    client.force_login(UserFactory())
    page = client.get("/permits/").content.decode()
    assert "LF-001" in page
    assert "超承诺19个工作日" in page
    assert project.stage_facts.count() == 0


def test_a_county_sees_its_own_alone(client, project, permit, county):
    other = PermitFactory(project=ProjectFactory(code="LF-777"))
    client.force_login(county)
    for view in ("desk", "projects", "authorities"):
        page = client.get("/permits/", {"view": view}).content.decode()
        assert "LF-777" not in page
    assert client.post(f"/permits/{other.pk}/", sent(other, note="x")).status_code == 404
    assert client.post("/permits/", sent(permit, note="好") | sent(other, note="x")).status_code == 404
    assert set(Permit.objects.values_list("note", flat=True)) == {""}


def test_a_department_finds_its_own_desk_first(client, permit, authority):
    PermitFactory(project=permit.project, kind=PermitKind.TENDER)
    client.force_login(authority)
    page = client.get("/permits/").content.decode()
    assert f'name="{permit.pk}-obtained_on"' in page
    assert f'name="{permit.pk}-parallel_group"' not in page
    assert page.count("data-permit\n") == page.count("<tbody") == 1


def test_a_past_day_is_read_and_not_written(client, permit, authority):
    client.force_login(authority)
    page = client.get("/permits/", {"as_of": "2025-01-10"}).content.decode()
    assert "-obtained_on" not in page
    assert "办理中" in page
    page = client.get("/projects/LF-001/permits/", {"as_of": "2025-01-03"}).content.decode()
    assert "未办理" in page


def test_a_filter_that_names_nothing_is_told(client, permit):
    client.force_login(UserFactory())
    assert client.get("/permits/", {"county": "nowhere"}).status_code == 422
    assert "没有被手续卡住的项目" in client.get("/permits/", {"q": "没有这个"}).content.decode()
    assert "LF-001" in client.get("/permits/", {"q": "LF-001", "stage": "1"}).content.decode()
    assert "没有被手续卡住的项目" in client.get("/permits/", {"stage": "2"}).content.decode()


def test_the_part_of_a_row_is_found_in_its_page(client, permit, authority):
    client.force_login(authority)
    part = client.post(f"/permits/{permit.pk}/", sent(permit, submitted_on="2025-01-06", promised_workdays="10"), **HTMX)
    assert (part.status_code, "没有改动" in part.content.decode()) == (200, True)
    page = client.get("/permits/").content.decode()
    without = re.sub(r"<span[^>]*role=\"status\">没有改动。</span>", "", part.content.decode()).replace(" is-saved", "")
    assert _squeezed(without) in _squeezed(page)


def _squeezed(html):
    return re.sub(r"\s+", "", html)


def test_a_row_is_saved_in_place(client, permit, authority):
    client.force_login(authority)
    values = sent(permit, submitted_on="2025-01-06", promised_workdays="10", obtained_on="2025年2月18日", doc_number="演示〔2025〕1号")
    answer = client.post(f"/permits/{permit.pk}/", values, **HTMX)
    assert (answer.status_code, "已保存" in answer.content.decode()) == (200, True)
    permit.refresh_from_db()
    assert (permit.obtained_on, permit.doc_number, permit.edit_version) == (dt.date(2025, 2, 18), "演示〔2025〕1号", 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"obtained_on": "2025-13-40"}, "日期无效，请按 2025-02-20 填写。"),
        ({"obtained_on": "2025-01-03"}, "早于报送日 2025-01-06"),
        ({"obtained_on": "2025-02-21"}, "晚于今天（2025-02-20）"),
        ({"promised_workdays": "三十"}, "请填整数，单位为工作日。"),
        ({"note": "长" * 201}, "最多 200 字"),
    ],
)
@pytest.mark.parametrize("address", ["/permits/{}/", "/permits/"])
def test_faults_stand_at_the_field_and_what_was_typed_stays(client, permit, authority, address, values, words):
    client.force_login(authority)
    typed = {"submitted_on": "2025-01-06", "promised_workdays": "10", "doc_number": "", "note": "刚写的卡点"} | values
    answer = client.post(address.format(permit.pk), sent(permit, **typed))
    page = answer.content.decode()
    assert (answer.status_code, words in page) == (422, True)
    assert all(str(value) in page for value in typed.values())
    permit.refresh_from_db()
    assert permit.edit_version == 1


def test_a_field_that_is_not_held_is_not_read(client, permit, county):
    client.force_login(county)
    client.post(f"/permits/{permit.pk}/", sent(permit, submitted_on="2025-01-07", obtained_on="2025-02-18", helper_post="我"))
    permit.refresh_from_db()
    assert (permit.submitted_on, permit.obtained_on, permit.helper_post) == (dt.date(2025, 1, 7), None, "")


def test_two_people_are_shown_both_values_and_choose(client, permit, authority, county):
    client.force_login(authority)
    client.post(f"/permits/{permit.pk}/", sent(permit, submitted_on="2025-01-08", promised_workdays="10", note="缺公示"))
    client.force_login(county)
    answer = client.post(f"/permits/{permit.pk}/", sent(permit, submitted_on="2025-01-06", note="已补齐"), **HTMX)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "用他人的：缺公示" in page
    assert "用我填的：已补齐" in page
    assert f'name="{permit.pk}-version" value="2"' in page
    values = sent(permit, version=2, submitted_on="2025-01-08", note="已补齐") | {f"{permit.pk}-pick-note": "theirs"}
    client.post(f"/permits/{permit.pk}/", values)
    permit.refresh_from_db()
    assert (permit.submitted_on, permit.note) == (dt.date(2025, 1, 8), "缺公示")


def test_all_rows_of_a_sheet_are_saved_together_and_a_wrong_one_holds_up_no_other(client, project):
    client.force_login(UserFactory())
    first, second = (PermitFactory(project=project, kind=kind) for kind in (PermitKind.EIA, PermitKind.TENDER))
    values = sent(first, is_required="on", submitted_on="2025-02-10") | sent(second, is_required="on", submitted_on="2026-02-10")
    answer = client.post("/projects/LF-001/permits/", values)
    assert answer.status_code == 422
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.submitted_on, second.submitted_on) == (dt.date(2025, 2, 10), None)
    assert 'value="2026-02-10"' in answer.content.decode()


def test_the_office_lists_kinds_and_others_cannot(client, project, county, permit):
    client.force_login(county)
    assert client.post("/projects/LF-001/permits/", {"action": "list", "kind": ["tender"]}).status_code == 404
    client.force_login(UserFactory())
    assert client.post("/projects/LF-001/permits/", {"action": "list", "kind": ["tender", "nonsense"]}).status_code == 302
    assert set(project.permits.values_list("kind", flat=True)) == {"eia", "tender"}


def test_saving_leads_back_to_where_it_was_but_nowhere_else(client, permit, authority):
    client.force_login(authority)
    for target, led in (("/permits/?view=desk&page=2", "/permits/?view=desk&page=2"), ("https://example.org/", "/permits/?view=desk")):
        answer = client.post("/permits/", sent(permit, version=1, submitted_on="2025-01-06", promised_workdays="10") | {"next": target})
        assert (answer.status_code, answer.url) == (302, led)


@pytest.mark.parametrize("name", ["9" * 30 + "-version", "-version", "x-version", "１-version", "version"])
def test_names_that_are_no_permit_are_no_error(client, name, authority):
    client.force_login(authority)
    assert client.post("/permits/", {name: "1"}).status_code == 302


def test_the_figure_marks_the_critical_chain_and_names_the_group(client, project):
    client.force_login(UserFactory())
    for kind, days in ((PermitKind.FEASIBILITY, 10), (PermitKind.PRELIMINARY_DESIGN, 20), (PermitKind.EIA, 5)):
        PermitFactory(project=project, kind=kind, promised_workdays=days, parallel_group="<b>甲</b>" if kind == PermitKind.EIA else "")
    page = client.get("/projects/LF-001/permits/").content.decode()
    figure = json.loads(re.search(r'<script id="permits-gantt"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    bars = next(trace for trace in figure["data"] if trace["type"] == "bar")
    assert bars["y"] == ["环境影响评价 · &lt;b&gt;甲&lt;/b&gt;", "● 可行性研究", "● 初步设计及概算"]
    assert bars["base"][0] == bars["base"][1] == "2025-02-20"
    assert bars["base"][2] == "2025-03-06"
    assert {trace["name"] for trace in figure["data"]} == {"未办理（倒排预计）", "最迟办结"}


def test_the_tab_beside_the_dispatch_holds_what_the_person_may_write(client, permit, county, authority):
    PermitFactory(project=permit.project, kind=PermitKind.TENDER, obtained_on=TODAY)
    client.force_login(county)
    lines = client.get("/dispatch/?view=permits").context["lines"]
    assert [(line.permit.kind, line.state, sorted(line.form.fields)) for line in lines] == [
        ("eia", PermitState.IN_PROGRESS, ["note", "submitted_on", "version"])
    ]
    client.force_login(UserFactory(in_county=True))
    assert client.get("/dispatch/?view=permits").context["lines"] == []
    client.force_login(authority)
    lines = client.get("/dispatch/?view=permits").context["lines"]
    assert [(line.owner.stage, "obtained_on" in line.form.fields) for line in lines] == [(Stage.NOT_STARTED, True)]


def test_a_permit_saved_on_the_tab_leads_back_to_it(client, permit, county):
    client.force_login(county)
    data = {f"{permit.pk}-version": permit.edit_version, f"{permit.pk}-submitted_on": "2025-01-06", f"{permit.pk}-note": "等林草意见"}
    answer = client.post("/permits/", data | {"next": "/dispatch/?view=permits"})
    permit.refresh_from_db()
    assert (answer.url, permit.note) == ("/dispatch/?view=permits", "等林草意见")


def test_the_tab_shows_a_past_day_to_read_only(client, permit, county):
    client.force_login(county)
    page = client.get("/dispatch/?view=permits&as_of=2025-02-01")
    assert [line.form for line in page.context["lines"]] == [None]
    assert "保存本页手续" not in page.content.decode()


def test_the_tab_asks_as_many_questions_for_one_permit_as_for_many(client, permit, county):
    client.force_login(county)

    def queries() -> int:
        client.get("/dispatch/?view=permits")
        with CaptureQueriesContext(connection) as found:
            assert client.get("/dispatch/?view=permits").status_code == 200
        return len(found)

    one = queries()
    for kind in (PermitKind.TENDER, PermitKind.FEASIBILITY, PermitKind.PRELIMINARY_DESIGN):
        PermitFactory(project=permit.project, kind=kind)
    assert queries() == one


def test_the_projects_page_tells_what_was_written_about_its_permits(client, permit, authority):
    client.force_login(authority)
    client.post(f"/permits/{permit.pk}/", sent(permit, submitted_on="2025-01-06", promised_workdays="12"))
    page = client.get("/projects/LF-001/").content.decode()
    assert "填写手续" in page
    assert "环境影响评价" in page
    assert re.search(r"承诺时限（工作日）</span>\s*10 → 12", page)
