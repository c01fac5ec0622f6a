"""The office reads the trail; nobody writes it; `check_trail` proves it whole."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledgers.trail_list import action_of
from ledgers.trail_words import source_of
from linfen_water import trail, trail_guard
from linfen_water.enums import Role, UnitKind
from linfen_water.models import TrailEvent, TrailHead
from projects.enums import Nature
from tests.factories import CountyFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
URL = "/trail/"
SOURCES = [file for app in ("ledgers", "projects", "monitoring", "linfen_water") for file in Path(app).rglob("*.py")]


@pytest.fixture(autouse=True)
def region():
    return RegionFactory()


@pytest.fixture
def office(client):
    client.force_login(UserFactory(username="office", role=Role.OFFICE))
    return client


def revise(project, *, by=None, old="甲", new="乙", reason="批复", **more):
    return trail.record(action="project.revise", subject=project, by=by, changes={"owner": [old, new]}, reason=reason, **more)


def words(client, **query) -> str:
    return client.get(URL, query).content.decode()


def test_a_change_is_told_with_who_what_when_from_where_and_why(office):
    person = UserFactory(username="clerk", post="一般职员")
    with trail.origin("import 3f9a 总台账.xlsx"):
        revise(ProjectFactory(code="LF-007"), by=person, reason="发改批复1号")
    page = words(office)
    for said in ("变更基本信息", "LF-007", "项目业主：甲 → <strong>乙</strong>", "发改批复1号", "总台账.xlsx", "一般职员"):
        assert said in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"一", "二"}),
        ({"code": "lf-001"}, {"一"}),
        ({"code": "LF-009"}, set()),
        ({"kind": "问题"}, set()),
        ({"kind": "项目基本信息", "by": "system"}, {"二"}),
        ({"origin": "总台账"}, {"二"}),
        ({"chain": "office"}, {"一"}),
        ({"since": "2000-01-01", "until": "2000-01-02"}, set()),
        ({"since": "2000-01-01"}, {"一", "二"}),
    ],
)
def test_filters(office, query, found):
    first, second = ProjectFactory(code="LF-001"), ProjectFactory(code="LF-002")
    revise(first, by=UserFactory(), reason="理由一")
    with trail.origin("import 总台账.xlsx"):
        revise(second, reason="理由二", county=CountyFactory())
    page = words(office, **query)
    assert {n for n in "一二" if f"理由{n}" in page} == found
    if not found:
        assert "没有符合条件的留痕" in page


def test_dates_the_wrong_way_round_are_said_and_kept(office):
    answer = office.get(URL, {"since": "2025-02-02", "until": "2025-02-01"})
    assert answer.status_code == 422
    assert "不能早于开始日期" in answer.content.decode()
    assert 'value="2025-02-02"' in answer.content.decode()


@pytest.mark.parametrize("role", [Role.COUNTY, Role.DEPARTMENT, Role.LEADER])
def test_others_do_not_find_it(client, role):
    kind = {Role.COUNTY: UnitKind.COUNTY, Role.DEPARTMENT: UnitKind.DEPARTMENT}.get(role)
    unit = UnitFactory(kind=kind, county=CountyFactory() if kind == UnitKind.COUNTY else None) if kind else None
    client.force_login(UserFactory(role=role, unit=unit))
    assert client.get(URL).status_code == 404


def test_nothing_is_written_here(office):
    assert [getattr(office, act)(URL).status_code for act in ("post", "put", "delete")] == [405, 405, 405]


def test_queries_do_not_grow_with_events(office):
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            office.get(URL)
        return len(queries)

    revise(ProjectFactory(), by=UserFactory())
    office.get(URL)
    few = asked()
    for _ in range(29):
        revise(ProjectFactory(), by=UserFactory())
    assert asked() == few


def test_csv_is_safe_and_whole(office):
    revise(ProjectFactory(code="LF-001"), new="=HYPERLINK(1)", reason="=1+1")
    answer = office.get(URL, {"export": "csv"})
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode().removeprefix("\ufeff"))))
    assert [row[4] for row in rows] == ["编号", "LF-001"]
    assert rows[1][6] == "'=1+1"
    assert rows[1][5] == "项目业主：甲 → =HYPERLINK(1)"


# ── in the words of people ──


@pytest.mark.parametrize(
    ("origin", "action", "said"),
    [
        ("page /ledgers/master/import/", "project.revise", "工程总台账导入"),
        ("page /ledgers/own-3/bulk/", "project.revise", "自建台账3批量修改"),
        ("page /ledgers/", "own.ledger", "台账"),
        ("page /projects/LF-001/permits/", "permit.save", "LF-001 手续页"),
        ("page /dispatch/LF-001/", "dispatch.save", "周调度"),
        ("page /import/x/", "x.y", "其他页面"),
        ("page", "project.revise", "台账页面"),
        ("undo", "project.revise", "撤销"),
        ("import 3f9a0123456789ab 一月import表.xlsx", "project.revise", "导入 3f9a0123 一月import表.xlsx"),
        ("import 总台账.xlsx", "project.revise", "导入 总台账.xlsx"),
        ("", "document.draft", "文书"),
        ("", "nobody.knows", "系统"),
        ("演示数据", "readings.take_in", "演示数据"),
    ],
)
def test_where_an_event_comes_from(origin, action, said):
    assert source_of(TrailEvent(origin=origin, action=action)) == said


def test_ledgers_choices_and_fingerprints_are_told_in_words(office):
    digest = "30dfa04a" * 8
    with trail.origin("page /ledgers/master/import/"):
        record(action="intake.file", subject=TrailHead(chain="x"), ledger=[None, "master"], sha256=[None, digest])
        record(action="project.edit", subject=ProjectFactory(), nature=["new", "upgrade"], is_domain_inferred=[True, False])
    page = words(office)
    assert "工程总台账" in page
    assert "/ledgers/master/导入" not in page
    assert "master" not in re.sub(r'title="[^"]*"', "", page.partition("<tbody>")[2])
    assert f'<span title="{digest}">30dfa04a…</span>' in page
    assert f">{digest}" not in page
    assert f"{Nature.NEW.label} → <strong>{Nature.UPGRADE.label}</strong>" in page
    assert "是 → <strong>否</strong>" in page
    assert digest in b"".join(office.get(URL, {"export": "csv"}).streaming_content).decode()


def record(*, action, subject, **changes):
    return trail.record(action=action, subject=subject, by=None, changes=changes)


def test_no_action_that_is_ever_recorded_is_told_in_the_language_of_machines():
    found = {match for file in SOURCES for match in re.findall(r'action="([a-z_]+\.[a-z_]+)"', file.read_text())}
    assert len(found) > 30
    assert [action for action in sorted(found) if re.search("[a-z]", action_of(action))] == []


# ── check_trail ──


def check() -> tuple[str, dict]:
    out = io.StringIO()
    try:
        call_command("check_trail", "--json", stdout=out, stderr=io.StringIO())
    except CommandError as fault:
        return str(fault), json.loads(out.getvalue())
    return "", json.loads(out.getvalue())


def tamper(statement: str) -> None:
    with trail_guard.lifted(connection), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_whole_trail_is_said_to_be_whole():
    for _ in range(3):
        revise(ProjectFactory())
    fault, found = check()
    assert (fault, found) == ("", {"chains": 1, "events": 3, "faults": []})


@pytest.mark.parametrize(
    ("statement", "position", "sentence"),
    [
        pytest.param("UPDATE {table} SET reason = 'x' WHERE position = 2", 2, "第 2 条与摘要不符", id="改动一条"),
        pytest.param("UPDATE {table} SET origin = 'page' WHERE position = 3", 3, "第 3 条与摘要不符", id="改动来源"),
        pytest.param("DELETE FROM {table} WHERE position = 3", 3, "有事件被删去", id="删去最后一条"),
        pytest.param("DELETE FROM {table} WHERE position = 1", 3, "有事件被删去", id="删去第一条"),
        pytest.param("DELETE FROM linfen_water_trailhead", None, "没有链首", id="链首不在"),
    ],
)
def test_what_was_tampered_with_is_found(statement, position, sentence):
    for _ in range(3):
        revise(ProjectFactory())
    tamper(statement.format(table=trail_guard.TABLE))
    fault, found = check()
    assert "不完整" in fault
    assert sentence in found["faults"][0]["sentence"]
    assert found["faults"][0]["position"] == position


def test_a_cut_tail_with_a_forged_head_is_found_by_its_digest():
    for _ in range(3):
        revise(ProjectFactory())
    tamper(f"DELETE FROM {trail_guard.TABLE} WHERE position = 3")
    TrailHead.objects.update(length=2)
    fault, found = check()
    assert fault
    assert "链首的摘要" in found["faults"][0]["sentence"]


def test_a_missing_guard_is_found():
    trail_guard.remove(connection)
    _, found = check()
    assert "触发器不在" in found["faults"][0]["sentence"]
    trail_guard.install(connection)
