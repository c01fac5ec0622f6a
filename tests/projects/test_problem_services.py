"""Every change of problems: what it does, what it refuses, what it leaves in the trail and whom it tells."""

import datetime as dt
import importlib
import threading

import pytest
from django.apps import apps
from django.db import connection

from linfen_water import trail
from linfen_water.enums import UnitKind
from linfen_water.models import Job, Notice, Policy, TrailEvent
from projects import attachments, problem_reports, problem_services, tasks
from projects.enums import HelpLevel, ProblemCategory, ProblemState
from projects.models import Problem, ProblemNote, ProblemStep
from projects.problem_rules import Standing
from projects.services import EditConflict, Faulty, Refused
from tests.factories import TODAY, DispatchFactory, ProblemFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
PDF = attachments.take("批复.pdf", b"%PDF-1.7\n%%EOF\n")


@pytest.fixture(autouse=True)
def region(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return RegionFactory()


@pytest.fixture
def project():
    return ProjectFactory(code="LF-001")


@pytest.fixture
def office():
    return UserFactory(unit=UnitFactory(kind=UnitKind.OFFICE, name="专班办"))


@pytest.fixture
def clerk(project):
    return UserFactory(in_county=True, unit=project.versions.get().responsible_unit)


@pytest.fixture
def bureau():
    return UnitFactory(name="市水利局")


def put(project, by, **values):
    values = {"category": ProblemCategory.LAND, "description": "征地协议未签", "raised_on": TODAY} | values
    return problem_services.raise_problem(project=project, by=by, **values)


def at(region, day):
    region.demo_on = day
    region.save()


def now(problem, day=TODAY):
    return problem_reports.read_problems(day, [problem.pk])[0]


def act(name, problem, by, **values):
    return getattr(problem_services, name)(problem=problem, by=by, version=Problem.objects.get(pk=problem.pk).edit_version, **values)


# ── raising ──


def test_a_problem_gets_a_number_the_first_level_and_its_days(project, clerk, office, bureau):
    problem = put(project, clerk, handler=bureau, assistants=[bureau, clerk.unit], due_on=TODAY + dt.timedelta(30))
    assert problem.code == "WT-2025-001"
    step = problem.steps.get()
    assert (step.level, step.entered_on, step.due_on) == (HelpLevel.OFFICE, TODAY, dt.date(2025, 2, 24))  # Thursday and two working days
    assert list(problem.assistants.all()) == [clerk.unit]  # the handler does not assist itself
    event = TrailEvent.objects.get(action="problem.raise")
    assert event.changes["handler"] == [None, "市水利局"]
    assert event.chain == project.versions.get().county.code
    assert trail.verify(event.chain) is None
    assert {(n.unit.name, n.kind) for n in Notice.objects.all()} == {("市水利局", "problem.assigned"), ("专班办", "problem.raised")}


def test_the_days_of_a_level_are_those_of_the_policy_without_holidays(project, clerk):
    Policy.objects.create(effective_on=dt.date(2024, 1, 1), values={"help_days_office": 3}, reason="会议议定")
    problem = put(project, clerk, raised_on=dt.date(2025, 1, 26))  # a Sunday that was shifted to work, before the Spring Festival
    assert problem.steps.get().due_on == dt.date(2025, 2, 6)  # 27 January, then 5 and 6 February


def test_numbers_run_within_a_year(project, clerk):
    codes = [put(project, clerk, description=f"第{n}件", raised_on=on).code for n, on in enumerate([TODAY, dt.date(2024, 5, 6), TODAY])]
    assert codes == ["WT-2025-001", "WT-2024-001", "WT-2025-002"]


def test_the_same_problem_sent_twice_is_one_and_anothers_is_named(project, clerk, office):
    first = put(project, clerk)
    assert put(project, clerk) == first
    with pytest.raises(Faulty, match="WT-2025-001"):
        put(project, office)
    assert Problem.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"description": "  "}, "请写明问题"),
        ({"raised_on": TODAY + dt.timedelta(1)}, "晚于今天"),
        ({"raised_on": dt.date(2023, 4, 30)}, "早于项目列入日"),
        ({"due_on": TODAY - dt.timedelta(1)}, "早于提出日"),
    ],
)
def test_what_cannot_be_raised_takes_no_number(project, clerk, values, words):
    with pytest.raises(Faulty, match=words):
        put(project, clerk, **values)
    assert put(project, clerk).code == "WT-2025-001"


def test_a_dispatch_of_another_project_is_refused(project, clerk):
    with pytest.raises(Faulty, match="不是这个项目"):
        put(project, clerk, dispatch=DispatchFactory())


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_when_many_raise_at_once():
    RegionFactory()
    projects = [ProjectFactory() for _ in range(4)]
    by, gate, faults = UserFactory(), threading.Barrier(12), []

    def one(place):
        try:
            gate.wait()
            wrong = place % 3 == 2  # every third is refused: its number must not be lost
            put(projects[place % 4], by, description="" if wrong else f"第{place}件")
        except Faulty:
            pass
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[place]) for place in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(Problem.objects.values_list("code", flat=True)) == [f"WT-2025-{n:03}" for n in range(1, 9)]


# ── handling ──


def test_from_raising_to_closing_out(region, project, clerk, office, bureau):
    problem = put(project, clerk, handler=bureau)
    handler = UserFactory(in_department=True, unit=bureau)
    assert now(problem).state == ProblemState.WAITING
    at(region, dt.date(2025, 2, 21))
    act("begin_problem", problem, handler)
    problem_services.add_note(problem=problem, by=handler, text="已到现场")
    at(region, dt.date(2025, 2, 24))
    act("answer_problem", problem, handler, basis="协议已签订", files=[PDF])
    at(region, dt.date(2025, 2, 25))
    act("close_problem", problem, office, basis="协议已签订，经核查属实")
    day = dt.date
    assert [now(problem, day(2025, 2, n)).state for n in (20, 21, 23, 24, 25)] == [
        ProblemState.WAITING, ProblemState.HANDLING, ProblemState.HANDLING, ProblemState.ANSWERED, ProblemState.CLOSED,
    ]  # fmt: skip
    step = problem.steps.get()
    assert (step.left_on, step.exit_opinion) == (day(2025, 2, 25), "销号：协议已签订，经核查属实")
    kinds = list(Notice.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["problem.assigned", "problem.raised", "problem.answered", *["problem.closed"] * 2]
    told = problem_reports.read_problem(Problem.objects.get(), day(2025, 2, 25)).moments
    assert [moment.what for moment in told] == ["销号", "报请核查", "上传附件", "进展", "开始办理", "提出"]
    assert [m.what for m in problem_reports.read_problem(Problem.objects.get(), day(2025, 2, 21)).moments] == ["进展", "开始办理", "提出"]


def test_an_answer_needs_a_basis_and_evidence_or_why_there_is_none(project, clerk):
    problem = put(project, clerk, handler=clerk.unit)
    with pytest.raises(Faulty) as caught:
        act("answer_problem", problem, clerk, basis=" ")
    assert [fault.field for fault in caught.value.faults] == ["basis", "files"]
    act("answer_problem", problem, clerk, basis="已口头协调", no_evidence="电话协调，没有书面材料")
    assert now(problem).state == ProblemState.ANSWERED


def test_a_file_too_many_stops_the_whole_answer(project, clerk, monkeypatch):
    monkeypatch.setattr(attachments, "MOST", 1)
    problem = put(project, clerk, handler=clerk.unit)
    with pytest.raises(Faulty, match="附件已有"):
        act("answer_problem", problem, clerk, basis="已解决", files=[PDF, PDF._replace(digest="1" * 64)])
    assert now(problem).state == ProblemState.WAITING
    assert problem.attachments.count() == 0


def test_a_returned_answer_goes_back_to_handling_with_the_opinion(project, clerk, office):
    problem = put(project, clerk, handler=clerk.unit)
    act("answer_problem", problem, clerk, basis="已解决", files=[PDF])
    with pytest.raises(Faulty, match="核查意见"):
        act("return_answer", problem, office, opinion="")
    act("return_answer", problem, office, opinion="现场仍有两户未签")
    assert now(problem).state == ProblemState.HANDLING
    assert Notice.objects.get(kind="problem.returned").unit == clerk.unit
    assert TrailEvent.objects.get(action="problem.return").changes["opinion"] == [None, "现场仍有两户未签"]


def test_nobody_begins_what_is_not_assigned(project, clerk):
    with pytest.raises(Refused, match="承办单位"):
        act("begin_problem", put(project, clerk), clerk)


def test_a_note_sent_twice_is_one_and_a_closed_problem_takes_none(project, clerk, office):
    problem = put(project, clerk)
    for _ in range(2):
        problem_services.add_note(problem=problem, by=clerk, text="已对接")
    assert ProblemNote.objects.count() == TrailEvent.objects.filter(action="problem.note").count() == 1
    act("close_problem", problem, office, basis="已解决", no_evidence="现场看过")
    with pytest.raises(Refused, match="恢复办理"):
        problem_services.add_note(problem=problem, by=clerk, text="再记")


def test_a_reopened_problem_is_handled_again_with_the_days_of_its_level_anew(region, project, clerk, office):
    problem = put(project, clerk, handler=clerk.unit)
    act("close_problem", problem, office, basis="已解决", files=[PDF])
    at(region, dt.date(2025, 2, 27))
    with pytest.raises(Faulty, match="理由"):
        act("reopen_problem", problem, office, reason=" ")
    act("reopen_problem", problem, office, reason="复查发现反弹")
    row = now(problem, dt.date(2025, 2, 27))
    assert (row.state, row.stay.due_on) == (ProblemState.HANDLING, dt.date(2025, 3, 3))
    assert problem.steps.filter(left_on=None).count() == 1


# ── levels ──


def move(problem, by, to, exit_opinion="已梳理，本级无权限", entry_opinion="请部门会商"):
    return act("move_problem", problem, by, to=to, exit_opinion=exit_opinion, entry_opinion=entry_opinion)


def test_moving_up_leaves_both_opinions_and_starts_the_days_of_the_next_level(region, project, clerk, office):
    problem = put(project, clerk)
    at(region, dt.date(2025, 2, 25))
    assert now(problem, dt.date(2025, 2, 24)).verdict.standing == Standing.SOON
    assert now(problem, dt.date(2025, 2, 25)).verdict.standing == Standing.DUE_UP
    move(problem, office, 2)
    first, second = problem.steps.all()
    assert (first.left_on, first.exit_opinion) == (dt.date(2025, 2, 25), "已梳理，本级无权限")
    assert (second.level, second.entry_opinion, second.due_on) == (2, "请部门会商", dt.date(2025, 3, 4))
    assert now(problem, dt.date(2025, 2, 25)).verdict.standing == Standing.IN_TIME
    assert (now(problem, dt.date(2025, 2, 24)).level, now(problem, dt.date(2025, 2, 25)).level) == (1, 2)


@pytest.mark.parametrize(
    ("to", "values", "words"),
    [
        (2, {"exit_opinion": " "}, "为什么没有解决"),
        (2, {"entry_opinion": ""}, "请上一级协调解决什么"),
        (3, {}, "不能越级"),
        (1, {}, "较低的一级"),
    ],
)
def test_what_cannot_be_moved_stays(project, clerk, office, to, values, words):
    problem = put(project, clerk)
    with pytest.raises(Faulty, match=words):
        move(problem, office, to, **values)
    assert problem.steps.count() == 1


def test_moving_down_needs_only_its_reason(project, clerk, office):
    problem = put(project, clerk)
    move(problem, office, 2)
    move(problem, office, 3)
    move(problem, office, 1, exit_opinion="误升", entry_opinion="")
    assert [step.level for step in problem.steps.all()] == [1, 2, 3, 1]
    assert problem.steps.last().entry_opinion == "由三级退回"
    assert Problem.objects.get().level == HelpLevel.OFFICE


def test_a_problem_past_its_days_is_told_of_once_a_stay(region, project, clerk, office, bureau):
    problem = put(project, clerk, handler=bureau)
    Notice.objects.all().delete()
    late = dt.date(2025, 2, 25)
    at(region, late)
    assert problem_services.tell_due(dt.date(2025, 2, 24)) == 0  # the last day is not past
    assert problem_services.tell_due(late) == 2
    assert problem_services.tell_due(late + dt.timedelta(1)) == 0
    assert {n.unit.name for n in Notice.objects.all()} == {"专班办", "市水利局"}
    assert "应提请升至二级" in Notice.objects.first().text
    move(problem, office, 2)
    assert problem_services.tell_due(dt.date(2025, 3, 5)) == 2


def test_the_calendar_rings_once_a_day_while_something_is_due(region, project, clerk, office):
    put(project, clerk)
    late = dt.date(2025, 2, 25)
    at(region, late)
    assert list(tasks.problems_due(dt.date(2025, 2, 24))) == []
    assert [due.key for due in tasks.problems_due(late)] == ["problems-due:2025-02-25"]
    job = Job(kind="tell_due_problems", args={"day": "2025-02-25"})
    for _ in range(2):
        tasks.tell_due_problems(job, None)
    assert Notice.objects.filter(kind="problem.due").count() == 1  # the office; nobody handles it yet


def test_an_answered_problem_is_not_urged_up(region, project, clerk):
    problem = put(project, clerk, handler=clerk.unit)
    act("answer_problem", problem, clerk, basis="已解决", files=[PDF])
    assert problem_services.tell_due(dt.date(2025, 3, 20)) == 0
    assert now(problem, dt.date(2025, 3, 20)).verdict.standing == Standing.TO_CHECK


# ── two people at once ──


def edit(problem, by, version, **changes):
    return problem_services.edit_problem(problem=problem, by=by, version=version, **changes)


def test_edits_of_different_fields_merge(project, clerk, office, bureau):
    problem = put(project, clerk)
    edit(problem, office, 1, handler=bureau, measures="")
    edit(problem, clerk, 1, handler=None, measures="逐户协商")
    problem.refresh_from_db()
    assert (problem.handler, problem.measures, problem.edit_version) == (bureau, "逐户协商", 3)


def test_the_same_field_changed_by_both_is_asked_about(project, clerk, office):
    problem = put(project, clerk)
    edit(problem, office, 1, measures="专班办的措施", description="征地协议未签")
    with pytest.raises(EditConflict) as caught:
        edit(problem, clerk, 1, measures="县里的措施", description="征地协议未签（三户）")
    conflict = caught.value
    assert (conflict.mine, conflict.theirs) == ({"measures": "县里的措施"}, {"measures": "专班办的措施"})
    assert (conflict.merged["description"], conflict.merged["measures"], conflict.version) == ("征地协议未签（三户）", "县里的措施", 2)
    settled = edit(problem, clerk, conflict.version, measures=conflict.merged["measures"], description=conflict.merged["description"])
    assert (settled.measures, settled.description) == ("县里的措施", "征地协议未签（三户）")


def test_who_acts_on_an_old_page_is_told(project, clerk, office, bureau):
    problem = put(project, clerk)
    edit(problem, office, 1, handler=bureau)
    with pytest.raises(Refused, match="刚被他人改动"):
        problem_services.move_problem(problem=problem, by=office, version=1, to=2, exit_opinion="甲", entry_opinion="乙")


def test_a_later_limit_needs_a_reason(project, clerk, office):
    problem = put(project, clerk, due_on=TODAY + dt.timedelta(10))
    with pytest.raises(Faulty, match="须写明理由"):
        edit(problem, office, 1, due_on=TODAY + dt.timedelta(20))
    edit(problem, office, 1, due_on=TODAY + dt.timedelta(5))
    edit(problem, office, 2, due_on=TODAY + dt.timedelta(20), reason="春节停工")
    assert TrailEvent.objects.filter(action="problem.edit").last().reason == "春节停工"


# ── moved over from before ──


def test_problems_from_before_get_codes_and_a_first_step(project):
    late = ProblemFactory(project=project, code=None, raised_on=dt.date(2025, 1, 15), level=2, measures="协商中")
    old = ProblemFactory(
        project=project, code=None, raised_on=dt.date(2024, 3, 1), closed_on=dt.date(2024, 4, 1), closing_basis="已解决", measures=""
    )
    early = ProblemFactory(project=project, code=None, raised_on=dt.date(2025, 1, 2))
    module = importlib.import_module("projects.migrations.0005_problem_codes_and_steps")
    for _ in range(2):  # nothing is given twice
        module.give_codes_and_steps(apps, None)
    for row in (late, old, early):
        row.refresh_from_db()
    assert (old.code, early.code, late.code) == ("WT-2024-001", "WT-2025-001", "WT-2025-002")
    assert [(s.level, s.entered_on, s.left_on) for s in ProblemStep.objects.order_by("entered_on")] == [
        (1, dt.date(2024, 3, 1), dt.date(2024, 4, 1)),
        (1, dt.date(2025, 1, 2), None),
        (2, dt.date(2025, 1, 15), None),
    ]
    assert now(old).state == ProblemState.CLOSED
    assert now(late).state == ProblemState.HANDLING
