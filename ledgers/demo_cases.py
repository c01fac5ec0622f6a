"""Cases of the demo: a joint supervision that is closed, a talk that was reported on, a listed supervision that is open.

They follow from the demo's own letters, verdicts and lags. Invented, labelled 演示数据; public projects are in none of them.
"""

import datetime as dt

from ledgers import cases
from ledgers.case_models import Case
from ledgers.demo_words import LABEL
from ledgers.documents.wording import date, one_decimal
from ledgers.enums import CaseKind, DocumentKind, Measure
from ledgers.measures.reports import verdicts
from ledgers.models import Document
from linfen_water import policy
from linfen_water.models import Unit, User
from linfen_water.workdays import add_workdays
from projects.demo import books
from projects.demo.promise import Promise
from projects.enums import Provenance
from projects.facts import ProjectFacts, project_facts
from projects.models import Project

JOINT_AFTER, TALK_AFTER = 3, 2  # working days after the answer to the letter, after the notice
LISTED_BEFORE = dt.timedelta(days=30)


def pour(promise: Promise) -> None:
    office = books.of_office()
    talk = _letters(DocumentKind.TALK, promise.today).first()
    _joint(promise.today, talk.issued_at.date() if talk else promise.today, office)
    if talk:
        _talk(talk, office)
    _listed(promise.today, office)
    books.stamp_rows(promise, Case)


def _letters(kind: DocumentKind, until: dt.date):
    """Issued letters of a kind, the last first."""
    found = Document.objects.filter(kind=kind, number__isnull=False, unit__isnull=False, as_of__lte=until)
    return found.select_related("unit__county", "letter").order_by("-as_of", "-number")


def _joint(today: dt.date, before: dt.date, office: User) -> None:
    """After the last letter of supervision before `before`, with whoever supervises for the government and the domain's department."""
    letter = next((one for one in _letters(DocumentKind.SUPERVISION, before) if _named(one)), None)
    if letter is None:
        return
    answered_on = letter.letter.closed_at.date() if letter.letter.closed_at else letter.as_of
    on, projects = add_workdays(answered_on, JOINT_AFTER), _named(letter)
    due_on = add_workdays(on, 8)
    codes = "、".join(project.code for project in projects)
    row = Case.objects.create(
        kind=CaseKind.JOINT, unit=letter.unit, opened_on=on, due_on=due_on, notice=letter, by=office,
        ground=f"{letter.file_number}指出的{codes}推进缓慢，回复后仍未追回进度，开展联合督查。{LABEL}",
        minutes=f"督查组到{codes}现场，查看作业面、人员机械和资料，听取项目业主和县有关负责同志说明，当场反馈三项问题：作业面未全部打开，"
        f"周完成量低于计划，周调度填报与现场不一致。{LABEL}",
        answered_on=add_workdays(on, 7), answer=f"三项问题已整改：新开两个作业面，增加夜间班组，填报已按现场更正。{LABEL}",
        closed_on=add_workdays(due_on, 2), closing_basis=f"复查三项问题已整改；进度差距转入每周调度跟踪{LABEL}",
    )  # fmt: skip
    row.projects.set(projects)
    departments = Unit.objects.filter(domain__in=[project.domain_id for project in projects])
    row.with_units.set((Unit.objects.filter(name__contains="督查") | departments).exclude(pk=letter.unit_id))


def _talk(letter: Document, office: User) -> None:
    """The talk that the notice called to: what was promised, and the report that came in time; still to be verified."""
    on = add_workdays(letter.as_of, TALK_AFTER)
    answer = letter.letter.answers.first()
    (line, *_) = letter.facts["lines"]
    row = Case.objects.create(
        kind=CaseKind.TALK, unit=letter.unit, opened_on=on, due_on=cases.report_due(CaseKind.TALK, on), notice=letter, by=office,
        ground=f"截至{date(letter.as_of)}，{line['sentence']}。{LABEL}",
        minutes=f"专班办主任主持，{letter.unit}分管负责同志、项目业主负责人参加。专班办通报周调度情况和历次函件，被约谈单位说明原因、作出承诺；"
        f"约谈要求正视差距，按承诺的日期报告。{LABEL}",
        conditions="承诺措施：\n1．三个工作日内项目负责人到岗，明确包联责任人；\n2．两周内补齐人员和机械，恢复全部作业面；\n"
        f"3．每周一报送上周完成量和现场照片，四周内形象进度有明显变化。{LABEL}",
        answered_on=answer and answer.at.date(), answer=answer.text if answer else "",
    )  # fmt: skip
    row.projects.set(Project.objects.filter(pk__in=[fact.pk for fact in _running(letter.as_of, letter.unit)]))


def _listed(today: dt.date, office: User) -> None:
    """The unit for which the judgement called for it a month ago, with its lagging projects and what takes it off the list."""
    on = today - LISTED_BEFORE
    found = next((one for one in verdicts(on) if one.measure == Measure.LISTED_SUPERVISION and one.unit), None)
    if found is None:
        return
    unit, least = Unit.objects.select_related("county").get(code=found.unit), policy.values_on(on).behind_points
    behind = [fact for fact in _running(on, unit) if fact.lag is not None and fact.lag > least]
    lags = "、".join(f"{fact.code}滞后{one_decimal(fact.lag)}个百分点" for fact in behind)
    row = Case.objects.create(
        kind=CaseKind.LISTED, unit=unit, opened_on=on, due_on=add_workdays(today, 28), by=office,
        ground=f"{found.sentence}{f'；截至{date(on)}，{lags}' if lags else ''}。{LABEL}",
        conditions=f"摘牌条件：\n1．滞后项目的差距全部收窄到{least}个百分点以内；\n2．连续四周按时填报，且每周有实物进展；\n"
        f"3．下一季度考核退出末位。\n三项都达到后由专班办核实，报请摘牌。{LABEL}",
    )  # fmt: skip
    row.projects.set(Project.objects.filter(pk__in=[fact.pk for fact in behind]))


def _named(letter: Document) -> list[Project]:
    """The invented projects that a letter names."""
    codes = {line["project"] for line in letter.facts["lines"] if line["project"]}
    return list(Project.objects.filter(code__in=codes, provenance=Provenance.DEMO).order_by("code"))


def _running(day: dt.date, unit: Unit) -> list[ProjectFacts]:
    """The unit's invented projects that are not finished on `day`."""
    found = project_facts(day, Project.objects.filter(provenance=Provenance.DEMO))
    return [fact for fact in found if unit.county and fact.county_code == unit.county.code and fact.completed_on is None]
