"""完工验收达效: steps of acceptance and loads of the trial run as rows that are kept by hand; what they amount to as of a day."""

import dataclasses
import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from linfen_water import clock, policy
from linfen_water.models import User
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Assessment
from projects import acceptance_rules, records
from projects.forms import DayField
from projects.models import Project
from projects.permissions import dispatched_projects, reviewed_projects
from projects.record_enums import AcceptanceKind
from projects.rules import Fault
from projects.services import Faulty, Refused
from projects.site_models import AcceptanceFact, LoadReading

SPECIAL = (AcceptanceKind.ENVIRONMENT, AcceptanceKind.SOIL, AcceptanceKind.FIRE, AcceptanceKind.ARCHIVES)
MOST_LOADS = 400  # of one paste


def _not_ahead(values: dict) -> Iterator[Fault]:
    if values["on"] and values["on"] > clock.today():
        yield Fault("on", f"日期 {values['on']} 晚于今天（{clock.today()}）：还没有发生的不登记。")


def _fact_faults(values: dict) -> Iterator[Fault]:
    yield from _not_ahead(values)
    if values["kind"] in (AcceptanceKind.BENEFIT, AcceptanceKind.LEFTOVER, AcceptanceKind.EFFECT) and not values["text"]:
        yield Fault("text", "请写明内容和依据。")


def _page(row) -> str:
    return reverse("acceptance", args=[row.project.code])


FACT = records.Kind(
    name="acceptance_fact",
    model=AcceptanceFact,
    word="验收达效事项",
    fields=("project", "kind", "on", "doc_number", "amount_wan", "text"),
    known_from=lambda row: row.on,
    faults=_fact_faults,
    county=lambda row: records.project_county(row.project),
    address=_page,
    unique=("project", "kind", "on"),
)
LOAD = records.Kind(
    name="load",
    model=LoadReading,
    word="运行负荷",
    fields=("project", "on", "load_percent", "is_effluent_ok", "note"),
    known_from=lambda row: row.on,
    faults=_not_ahead,
    county=lambda row: records.project_county(row.project),
    address=_page,
    unique=("project", "on"),
)


def may_write(user, project: Project) -> bool:
    """The office, the county of the project, and the department of its domain."""
    return dispatched_projects(user).filter(pk=project.pk).exists() or reviewed_projects(user).filter(pk=project.pk).exists()


# ── loads, pasted ──


def read_loads(text: str) -> tuple[list[dict], list[str]]:
    """Lines `2025-01-05 78.5 达标 说明` as rows, and what cannot be read, line by line."""
    rows, faults, seen = [], [], {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = re.split(r"[\s,，;；\t]+", unicodedata.normalize("NFKC", line).strip(), maxsplit=3)
        if not cells[0]:
            continue
        row, fault = _read_load(cells)
        if row and row["on"] in seen:
            fault = f"{row['on']} 在第{seen[row['on']]}行已有"
        if fault:
            faults.append(f"第{number}行“{line.strip()[:30]}”：{fault}。")
        else:
            seen[row["on"]] = number
            rows.append(row)
    if len(rows) > MOST_LOADS:
        faults.append(f"一次最多 {MOST_LOADS} 行，现有 {len(rows)} 行：请分几次。")
    return rows, faults


def _read_load(cells: list[str]) -> tuple[dict, str]:
    try:
        on = DayField().clean(cells[0])
    except Exception:
        return {}, "日期请按 2025-01-05 填写"
    try:
        load = Decimal(cells[1].removesuffix("%"))
    except (IndexError, InvalidOperation):
        return {}, "日期后面请填负荷，例如 78.5"
    if not load.is_finite() or not 0 <= load <= 200 or load != round(load, 1):
        return {}, "负荷须在0到200之间，最多一位小数"
    word = cells[2] if len(cells) > 2 else ""
    if word not in EFFLUENT:
        return {}, "第三列只能是“达标”“超标”或空"
    return {"on": on, "load_percent": load, "is_effluent_ok": EFFLUENT[word], "note": (cells[3] if len(cells) > 3 else "")[:200]}, ""


EFFLUENT = {"": None, "达标": True, "是": True, "超标": False, "不达标": False, "否": False, "-": None}


def loads_seen(project: Project) -> str:
    """What the loads of a project look like: two pages that show the same have the same."""
    found = LoadReading.objects.standing().filter(project=project).aggregate(count=Count("pk"), edits=Sum("edit_version"))
    return f"{found['count']}:{found['edits'] or 0}"


@transaction.atomic
def take_loads(*, project: Project, by: User, rows: list[dict], seen: str | None = None) -> int:
    """Write pasted loads: a day that is there already is corrected, when it stood before the eyes (`seen`).

    How many were new or changed.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    there = {row.on: row for row in LoadReading.objects.standing().filter(project=project)}
    if seen is not None and seen != loads_seen(project):
        clash = [str(values["on"]) for values in rows if (row := there.get(values["on"])) and _differs(row, values)]
        if clash:
            raise Refused(f"运行负荷刚被他人改动，{'、'.join(clash[:5])} 与您粘贴的不同，都没有保存：核对后再保存即以您的为准。")
    count = 0
    for values in rows:
        if (row := there.get(values["on"])) is None:
            records.add(LOAD, by=by, project=project, **values)
            count += 1
        elif _differs(row, values):
            records.edit(LOAD, row=row, by=by, version=row.edit_version, reason="重新粘贴", **values)
            count += 1
    return count


def _differs(row: LoadReading, values: dict) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


@transaction.atomic
def put_fact(*, project: Project, by: User, seen: tuple[int, int] | None = None, **values) -> AcceptanceFact:
    """Write a step, or correct the one that stood before the eyes: `seen` is its key and edit version, None for a new one.

    The same step of the same day, entered by somebody else meanwhile, is never overwritten unseen.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    if project.completed_on is None and values["kind"] not in (AcceptanceKind.TRIAL_START, AcceptanceKind.TRIAL_END):
        raise Faulty([Fault("kind", "项目还没有完工：完工后才登记验收事项，试运行除外。")])
    standing = AcceptanceFact.objects.standing().filter(project=project, kind=values["kind"])
    if seen and (row := standing.filter(pk=seen[0]).first()):
        return records.edit(FACT, row=row, by=by, version=seen[1], **values)
    same = standing.filter(on=values["on"]).first()
    if same and all(getattr(same, name) == value for name, value in values.items()):
        return same  # sent twice
    if same:
        said = "；".join(filter(None, [same.doc_number, same.text])) or "没有文号和内容"
        who = f"{same.on} 的{same.get_kind_display()}已由{same.by or '他人'}登记（{records.short(said, 60)}）"
        raise Taken(same, f"{who}，没有保存：核对后再保存即更正那一条。")
    return records.add(FACT, by=by, project=project, **values)


class Taken(Refused):
    """The step of that day is there already, and was not seen; `row` is it."""

    def __init__(self, row: AcceptanceFact, sentence: str):
        self.row = row
        super().__init__(sentence)


# ── as of a day ──


@dataclasses.dataclass(frozen=True)
class Proof:
    """Acceptance and effect of one project as of a day."""

    facts: dict[str, AcceptanceFact]  # by kind, the last one by the day
    loads: list[LoadReading]
    effect: acceptance_rules.Effect

    @property
    def effect_on(self) -> dt.date | None:
        """As the office says, else as the loads prove."""
        told = self.facts.get(AcceptanceKind.EFFECT)
        return told.on if told else self.effect.on

    @property
    def last_load(self) -> LoadReading | None:
        return self.loads[-1] if self.loads else None

    @property
    def effluent(self) -> str:
        """达标 n/m: of the readings that say so."""
        said = [load.is_effluent_ok for load in self.loads if load.is_effluent_ok is not None]
        return f"{'达标' if all(said) else '有超标'} {sum(said)}/{len(said)}" if said else ""


def proofs(day: dt.date, keys: Iterable[int]) -> dict[int, Proof]:
    """Of the projects with these keys. Three queries for any number."""
    keys, thresholds = list(keys), policy.values_on(day)
    facts: dict[int, dict[str, AcceptanceFact]] = defaultdict(dict)
    for fact in AcceptanceFact.objects.standing().filter(project__in=keys, on__lte=day).order_by("on", "pk"):
        facts[fact.project_id][fact.kind] = fact
    loads: dict[int, list[LoadReading]] = defaultdict(list)
    for load in LoadReading.objects.standing().filter(project__in=keys, on__lte=day).order_by("on"):
        loads[load.project_id].append(load)
    return {
        key: Proof(
            facts[key],
            loads[key],
            acceptance_rules.effect(
                (acceptance_rules.Load(load.on, load.load_percent, load.is_effluent_ok) for load in loads[key]),
                day,
                over_percent=thresholds.effect_load_percent,
                days=thresholds.effect_days,
                gap_days=thresholds.effect_gap_days,
            ),
        )
        for key in keys
    }


def section_changes(day: dt.date, completed: dict[int, dt.date]) -> dict[int, list[str]]:
    """`{project: ["壶口 Ⅳ（2023-01）→Ⅲ（2025-01）", …]}`: the last month known by `day` beside the same month before the completion.

    Two queries for any number of projects. No claim of cause.
    """
    through = Project.sections.through.objects.filter(project__in=completed).select_related("section").order_by("section__name")
    serving = [(row.project_id, row.section) for row in through]
    months = defaultdict(dict)
    known = Assessment.objects.standing(day).filter(
        section__in={section.pk for _, section in serving}, period_kind=PeriodKind.MONTH, water_class__isnull=False
    )
    for section, starts_on, water_class in known.values_list("section", "starts_on", "water_class"):
        months[section][starts_on] = WaterClass(water_class).label
    found = defaultdict(list)
    for project, section in serving:
        if words := _change_words(months[section.pk], completed[project]):
            found[project].append(f"{section.name} {words}")
    return found


def _change_words(months: dict[dt.date, str], completed_on: dt.date) -> str:
    after = max((month for month in months if month > completed_on), default=None)
    if after is None:
        return ""
    before = max((month for month in months if month.month == after.month and month < completed_on.replace(day=1)), default=None)
    was = f"{months[before]}（{before:%Y-%m}）→" if before else ""
    return f"{was}{months[after]}（{after:%Y-%m}）"


def finished_projects(projects: QuerySet, day: dt.date) -> QuerySet:
    return projects.filter(Q(completed_on__isnull=False, completed_on__lte=day))
