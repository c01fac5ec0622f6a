"""`/sections/<pk>/works/`: part and page, as of a day, for each role; what it says and what it never says."""

import datetime as dt
import json
import re

import plotly.graph_objects as go
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linfen_water.models import Policy
from monitoring import limits
from monitoring.models import Section
from projects import figures_water, water_rules
from projects.enums import Provenance
from projects.views import works as pages
from projects.works_water import section_works
from tests.factories import TODAY, CountyFactory, DomainFactory, ProjectFactory, UserFactory
from tests.projects.canals import GATE, MAIN, measure, site

pytestmark = pytest.mark.django_db
CANARY = "金丝雀不该外传"


@pytest.fixture(autouse=True)
def region(canals):
    return canals


@pytest.fixture
def gate() -> Section:
    return Section.objects.get(name=GATE)


@pytest.fixture
def url(gate) -> str:
    return f"/sections/{gate.pk}/works/"


@pytest.fixture
def office(client, region):
    user = UserFactory()
    client.force_login(user)
    return user


def finished(code="LF-001", **kwargs):
    dates = {"started_on": dt.date(2023, 7, 15), "completed_on": dt.date(2024, 1, 31)} | kwargs
    return ProjectFactory(code=code, **dates, **site(MAIN, 10))


@pytest.fixture
def compared(gate):
    """One finished work with a year of water before it and a year after."""
    measure(gate, dt.date(2022, 7, 1), 12, nh3n="1.2")
    measure(gate, dt.date(2024, 2, 1), 12)
    return finished(name="涵洞清淤工程")


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


# ── part and page ──


def test_the_part_is_found_word_for_word_in_the_page(client, office, url, compared):
    part, page = client.get(url, headers={"HX-Request": "true"}), client.get(url)
    assert part.content.decode().strip() in page.content.decode()
    assert "<html" not in part.content.decode()
    assert part.content.decode().strip().startswith("<section")
    assert "HX-Request" in part["Vary"]


def test_going_back_in_the_browser_gives_the_whole_page(client, office, url):
    assert "<html" in client.get(url, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"}).content.decode()


def test_the_page_quotes_the_comparison_and_says_that_it_is_no_cause(client, office, url, compared):
    answer = client.get(url)
    comparison = answer.context["accepted"][0][1]
    text = text_of(answer)
    assert comparison.sentence in text
    assert text.count(water_rules.NO_CAUSE) == 4  # under the chart, above all, above the table of all works together, of the work
    html = re.sub(r"\s+", " ", answer.content.decode())
    assert re.search(r"data-figure=\"works-figure\".{0,300}</div> </div> <p class=\"works-caution\">" + water_rules.NO_CAUSE, html)
    tables = html.split('<table class="table works-items">')
    assert len(tables) == 3
    for before in tables[:-1]:
        assert water_rules.NO_CAUSE in before[-400:]
    assert "建议值" in text
    for word in ("导致", "成效", "得益", "由于"):
        assert word not in text


def test_a_refusal_is_told_with_its_reason(client, office, url, gate):
    finished(provenance=Provenance.PUBLIC)
    finished("LF-002")
    measure(gate, dt.date(2024, 2, 1), 12)
    text = text_of(client.get(url))
    assert "公开报道的真实项目不与演示水质数据（虚构）作前后对比。" in text
    assert "开工前12个月（2022年7月—2023年6月）已发布0个月" in text


def test_without_works_or_water_the_page_says_so(client, office, url, region, gate):
    assert "没有与本断面相关的工程" in text_of(client.get(url))
    finished()
    assert "没有已发布的月度评价" in text_of(client.get(url))
    assert "这个范围内没有工程" in text_of(client.get(url, {"kind": "meant"}))


def test_a_section_off_every_line_says_that_upstream_cannot_be_told(client, office, url, gate):
    Section.objects.filter(pk=gate.pk).update(order_along=None)
    assert "不能判断上游工程" in text_of(client.get(url))


# ── choices ──


@pytest.mark.parametrize(("radius", "expected"), [("5", 5), ("20", 20), ("7", 10), ("", 10), ("-1", 10), ("十", 10)])
def test_the_distance_is_one_of_three(client, office, url, radius, expected):
    assert client.get(url, {"radius": radius}).context["found"].radius_km == expected


@pytest.mark.parametrize(("item", "expected"), [("tp", "tp"), ("nonsense", "nh3n"), ("hg", "nh3n")])
def test_the_item_is_one_that_is_measured(client, office, url, compared, item, expected):
    assert client.get(url, {"item": item}).context["item"] == expected


def test_a_long_list_is_paged_and_keeps_what_was_chosen(client, office, url, monkeypatch):
    monkeypatch.setattr(pages, "PER_PAGE", 2)
    for n in range(1, 4):
        finished(f"LF-00{n}")
    answer = client.get(url, {"kind": "upstream", "radius": "5", "as_of": "2025-01-31"})
    assert [work.code for work, _ in answer.context["compared"]] == ["LF-001", "LF-002"]
    assert f'href="{url}?kind=upstream&amp;radius=5&amp;as_of=2025-01-31&amp;page=2"' in answer.content.decode()
    second = client.get(url, {"page": "2"})
    assert [work.code for work, _ in second.context["compared"]] == ["LF-003"]
    assert client.get(url, {"page": "99"}).context["page"].number == 2


def test_a_past_day_stays_in_every_link(client, office, url, compared):
    page = client.get(url, {"as_of": "2025-01-31"}).content.decode()
    assert '<input type="hidden" name="as_of" value="2025-01-31">' in page
    assert 'href="/projects/LF-001/?as_of=2025-01-31"' in page
    assert "数据截至 2025-01-31" in page


# ── who sees what ──


@pytest.mark.parametrize(
    ("role", "sees"),
    [
        ("office", True),
        ("leader", True),
        ("department", True),
        ("foreign_department", True),
        ("county", True),
        ("foreign_county", False),
    ],
)
def test_each_role_sees_the_works_that_are_its_to_see(client, region, url, compared, role, sees):
    hidden = finished("LF-009", name=CANARY)
    users = {
        "office": {},
        "leader": {"leader": True},
        "department": {"in_department": True, "domain": hidden.domain},
        "foreign_department": {"in_department": True, "domain": DomainFactory(name="住建")},
        "county": {"in_county": True, "county": hidden.versions.get().county},
        "foreign_county": {"in_county": True, "county": CountyFactory()},
    }
    client.force_login(UserFactory(**users[role]))
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(url, headers=headers)
        assert (answer.status_code, CANARY in answer.content.decode(), "LF-009" in answer.content.decode()) == (200, sees, sees)
    if role == "foreign_county":
        assert "另有 2 项不在您的查看范围" in text_of(answer)


def test_a_past_day_opens_nothing_that_is_closed_today(client, region, url, compared):
    finished("LF-009", name=CANARY)
    Policy.objects.create(effective_on=dt.date(2024, 1, 1), values={"counties_read_others": True}, reason="会议议定")
    Policy.objects.create(effective_on=TODAY, values={"counties_read_others": False}, reason="会议议定收回")
    client.force_login(UserFactory(in_county=True, county=CountyFactory()))
    assert CANARY not in client.get(url, {"as_of": "2024-12-31"}).content.decode()


def test_nothing_is_public_and_nothing_is_posted(client, url, region):
    assert client.get(url).url.startswith("/accounts/login/")
    client.force_login(UserFactory())
    assert client.post(url).status_code == 405
    assert client.get("/sections/999999/works/").status_code == 404
    assert client.get(url, {"as_of": "2025-02-21"}).status_code == 400


def test_as_many_questions_for_one_work_and_month_as_for_thirty(client, office, url, gate):
    def asked() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    finished()
    measure(gate, dt.date(2024, 1, 1), 1)
    one = asked()
    for n in range(29):
        finished(f"LF-1{n:02}", provenance=Provenance.PUBLIC if n % 2 else Provenance.DEMO).sections.add(gate)
    measure(gate, dt.date(2022, 1, 1), 24)
    measure(gate, dt.date(2024, 2, 1), 12)
    assert asked() == one


# ── the figure ──


def drawn(client, url, **params) -> go.Figure:
    page = client.get(url, params).content.decode()
    found = re.search(r'<script id="works-figure" type="application/json">(.*?)</script>', page, re.S)
    return go.Figure(json.loads(found[1]))


def test_the_figure_is_valid_and_has_works_below_the_water(client, office, url, compared):
    ProjectFactory(code="LF-002", started_on=dt.date(2024, 3, 1), **site(MAIN, 5))
    ProjectFactory(code="LF-003", not_started=True, baseline_start_on=dt.date(2025, 3, 1), **site(MAIN, 80)).sections.add(
        Section.objects.get(name=GATE)
    )
    figure = drawn(client, url)
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["已完工"].y) == ["LF-001"]
    assert list(traces["已完工"].base) == ["2023-07-15"]
    assert traces["已完工"].x[0] == (dt.date(2024, 1, 31) - dt.date(2023, 7, 15)).days * figures_water.MILLISECONDS
    assert list(traces["在建（至数据截至日）"].y) == ["LF-002"]
    assert dict(zip(traces["计划（基线，尚未发生）"].y, traces["计划（基线，尚未发生）"].base, strict=True)) == {
        "LF-002": "2025-02-20",
        "LF-003": "2025-03-01",
    }
    assert list(figure.layout.yaxis.categoryarray) == ["LF-003", "LF-001", "LF-002"]  # bottom to top: beside, near, far
    assert figure.layout.yaxis.ticktext[0] == "— LF-003"
    assert figure.layout.yaxis.ticktext[1].startswith("LF-001 ↑")
    assert (traces["当月类别"].text[0], traces["当月类别"].text[-1]) == ("Ⅳ", "Ⅱ")
    assert traces["氨氮月均值"].y[0] == 1.2
    assert [shape.y0 for shape in figure.layout.shapes if shape.yref == "y2"] == [1.0]


def test_nothing_after_the_day_is_drawn(client, office, url, compared):
    figure = drawn(client, url, as_of="2023-12-31")
    traces = {trace.name: trace for trace in figure.data}
    assert "已完工" not in traces
    assert "完工" not in traces
    assert list(traces["在建（至数据截至日）"].y) == ["LF-001"]
    assert max(traces["当月类别"].x) == "2023-06-15"


@pytest.mark.parametrize("key", ["ph", "do", "tp", None])
def test_every_item_can_be_drawn(region, gate, compared, key):
    found = section_works(gate, TODAY, UserFactory(), region)
    limit = limits.table().of(key, gate.water_body) if key else None
    figure = go.Figure(figures_water.timeline(TODAY, found.works, found.months, limit))
    assert len([shape for shape in figure.layout.shapes if shape.yref == "y2"]) == {"ph": 2, "do": 1, "tp": 1, None: 0}[key]


def test_without_months_the_works_take_the_whole_figure(client, office, url):
    finished()
    figure = drawn(client, url)
    assert list(figure.layout.yaxis.domain) == [0, 1]
    assert not {"yaxis2", "yaxis3"} & set(figure.to_dict()["layout"])
    assert [trace.name for trace in figure.data] == ["已完工", "开工", "完工"]


def test_a_month_without_a_class_is_empty_in_the_ribbon(region, gate, compared):
    gate.assessments.filter(starts_on=dt.date(2024, 3, 1)).update(water_class=None, note="断流", values={})
    found = section_works(gate, TODAY, UserFactory(), region)
    figure = go.Figure(figures_water.timeline(TODAY, found.works, found.months, found.table.of("nh3n")))
    ribbon = next(trace for trace in figure.data if trace.name == "当月类别")
    place = list(ribbon.x).index("2024-03-15")
    assert (ribbon.text[place], ribbon.customdata[place][0]) == ("—", "断流")
    assert next(trace for trace in figure.data if trace.name == "氨氮月均值").y[place] is None


# ── a project's page ──


def test_a_projects_page_leads_to_its_sections_and_the_next_one_below(client, office, gate, compared):
    compared.sections.add(Section.objects.exclude(pk=gate.pk).first())
    page = client.get("/projects/LF-001/", {"as_of": "2025-01-31"}).content.decode()
    assert f'href="/sections/{gate.pk}/works/?as_of=2025-01-31"' in page
    assert "沿河约" in page
    bare = ProjectFactory(code="LF-007")
    assert "没有坐标，无法判断" in client.get(f"/projects/{bare.code}/").content.decode()
