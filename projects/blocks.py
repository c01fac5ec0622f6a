"""One project's block on the dispatch page: its cells with the value typed, the last period's value and what is wrong with it."""

import dataclasses
import datetime as dt

from projects import reports, rules
from projects.enums import DispatchState, Stage, StageEvent
from projects.forms import DispatchForm, is_day
from projects.models import FundingSource
from projects.reports import MONEY, PROGRESS, Flat, ProjectWeek, money_key
from projects.services import EditConflict

LABELS = {name: field.label for name, field in DispatchForm.base_fields.items()}
MONEY_HEADS = [("in_place_wan", "到位"), ("allocated_wan", "拨付"), ("paid_wan", "支付"), ("completed_wan", "完成投资")]


@dataclasses.dataclass(slots=True)
class Conflict:
    """What one cell was, what the other person made of it and what this one typed, in words."""

    base: str
    theirs: str
    mine: str


@dataclasses.dataclass(slots=True)
class Cell:
    """One input."""

    field: str
    label: str
    spoken: str  # the whole label, where the visible one leans on its row
    name: str  # of the input; also its id
    value: str
    before: str | None  # last period's value in words; None = there was no last period, or nothing is carried over
    is_same: bool  # equal to the last period's
    kind: str  # number, date, lines, line
    errors: list[str]
    hints: list[str]
    conflict: Conflict | None = None

    @property
    def fits_date_input(self) -> bool:
        return not self.value or is_day(self.value)


@dataclasses.dataclass(slots=True)
class SourceRow:
    """The money of one source."""

    label: str
    planned_wan: str
    issued_wan: str | None
    cells: list[Cell]


class Block:
    """What the page shows of one project in one week."""

    def __init__(
        self,
        week: ProjectWeek,
        *,
        today: dt.date,
        by_county: bool,
        form: DispatchForm | None = None,  # bound, and not saved: its data are what was typed
        faults: list[rules.Fault] | None = None,
        conflict: EditConflict | None = None,
        notice: str = "",
        notice_level: str = "success",
    ):
        self.week, self.today, self.by_county, self.form = week, today, by_county, form
        self.conflict, self.notice, self.notice_level = conflict, notice, notice_level
        self.code, self.project, self.version = week.project.code, week.project, week.version
        self.edit_version = self._edit_version()
        self.prefilled = week.prefilled
        self.report: Flat = conflict.merged if conflict else week.current
        self.known = week.known(today)
        self.faults = self._standing_faults() if faults is None else faults
        self.is_refused = faults is not None  # the faults kept it from being submitted
        self.hints = self._hints()
        self.photos: list = []  # put in by the page, of all its projects at once

    def _edit_version(self) -> int:
        if self.conflict:
            return self.conflict.version
        if self.form:  # not saved: what the person saw stays what they answer to
            return self.form.data.get(self.form.add_prefix("version"), 0)
        return self.week.edit_version

    def _standing_faults(self) -> list[rules.Fault]:
        """Of a draft: what will keep it from being submitted."""
        if not self.week.draft or self.conflict or self.form:
            return []
        return rules.check_dispatch(reports.as_report(self.report), self.known)

    def _hints(self) -> list[rules.Fault]:
        return [] if self.form else rules.dispatch_hints(reports.as_report(self.report), self.known)

    # ── state in words ──

    @property
    def stage(self) -> Stage:
        return rules.stage(min(self.today, self.week.cut_off_on), self.project.started_on, self.project.completed_on)

    @property
    def is_reported(self) -> bool:
        return self.week.live is not None

    @property
    def is_missing(self) -> bool:
        return not self.week.revisions

    @property
    def is_open(self) -> bool:
        """Whether the inputs are unfolded: what is handed in and has no fresh correction folds away."""
        return not self.is_reported or self.week.draft is not None or bool(self.faults or self.conflict or self.form)

    @property
    def badges(self) -> list[tuple[str, str]]:
        """(words, level) of the states that hold."""
        latest, live = self.week.latest, self.week.live
        if latest is None:
            return [("未报", "bad")]
        found = []
        if latest.state == DispatchState.DRAFT:
            found.append(("更正草稿" if live or latest.revision > 1 else "草稿", "warn"))
        if latest.state == DispatchState.RETURNED or (latest.state == DispatchState.DRAFT and self.returned):
            found.append(("退回", "bad"))
        if live:
            found.append(("已核", "ok") if live.state == DispatchState.ACCEPTED else ("待核", "ok"))
            if self.week.is_after_lock:
                found.append(("锁定后更正" if live.revision > 1 else "锁定后补报", "warn"))
            elif live.is_late:
                found.append(("补报" if live.submitted_at.date() > self.week.week_of + dt.timedelta(days=6) else "迟报", "warn"))
        return found

    @property
    def returned(self):
        """The returned dispatch that waits for an answer, if any."""
        if self.week.live:
            return None
        return next((d for d in reversed(self.week.revisions) if d.state == DispatchState.RETURNED), None)

    @property
    def can_be_same(self) -> bool:
        """Whether one click may report the week as unchanged."""
        return self.week.previous is not None and not self.week.revisions

    @property
    def wants_reason(self) -> bool:
        """Whether the reason's cell is shown without being asked for."""
        return bool(self.report.get("reason")) or any(f.wants_reason for f in self.faults) or self.known.is_locked

    @property
    def general_errors(self) -> list[str]:
        """Faults of no single cell: sums over all sources."""
        shown = set(LABELS) | set(self.report)
        return [f.sentence for f in self.faults if f.source is None and f.field not in shown]

    # ── cells ──

    @property
    def progress(self) -> Cell:
        return self.cell(PROGRESS, "number")

    @property
    def dates(self) -> list[Cell]:
        """The dates that may still be told: what stands from another week is shown as a fact."""
        fields = []
        if not self.known.started_on:
            fields += ["started_on", "forecast_start_on"]
        if not self.known.completed_on:
            fields += ["completed_on", "forecast_finish_on"]
        return [self.cell(name, "date") for name in fields]

    @property
    def standing(self) -> list[tuple[str, dt.date, str]]:
        """(words, day, ground) of the stage facts that stand from elsewhere."""
        return [(f"已登记{StageEvent(event).label}", fact.on, fact.ground) for event, fact in self.week.elsewhere.items()]

    @property
    def texts(self) -> list[Cell]:
        return [self.cell(name, "lines") for name in ("done", "next_steps", "hinders")]

    @property
    def reason(self) -> Cell:
        return self.cell("reason", "line")

    @property
    def source_rows(self) -> list[SourceRow]:
        return [self._source_row(source) for source in self.week.sources]

    def _source_row(self, source: FundingSource) -> SourceRow:
        label = source.get_kind_display()
        return SourceRow(
            label=label,
            planned_wan=rules.plain(source.planned_wan),
            issued_wan=None if source.issued_wan is None else rules.plain(source.issued_wan),
            cells=[self.cell(money_key(field, source.pk), "number", head, f"{label}累计{head}") for field, head in MONEY_HEADS],
        )

    @property
    def sums(self) -> list[tuple[str, str, str]]:
        """(field, sum now, sum of last period) over all sources."""
        lines, before = reports.lines_of(self.report), reports.lines_of(self.week.before)
        return [
            (field, rules.plain(sum(line[field] for line in lines.values())), rules.plain(sum(line[field] for line in before.values())))
            for field in MONEY
        ]

    def cell(self, key: str, kind: str, label: str = "", spoken: str = "") -> Cell:
        name = f"{self.code}-{key}"
        errors, typed = [], None
        if self.form:
            typed = self.form.data.get(name)
            errors = list(self.form.errors.get(key, []))
        value = _words(self.report.get(key)) if typed is None else typed
        place = reports.split_money_key(key)
        own = (lambda f: (f.field, f.source) == place) if place else (lambda f: f.field == key and f.source is None)
        carried = self.week.previous is not None and key not in reports.NOT_CARRIED_OVER
        before = _words(self.prefilled.get(key)) if carried else None
        return Cell(
            field=key,
            label=label or LABELS[key],
            spoken=spoken,
            name=name,
            value=value,
            before=before,
            is_same=carried and value == before,
            kind=kind,
            errors=errors + [f.sentence for f in self.faults if own(f)],
            hints=[f.sentence for f in self.hints if own(f)],
            conflict=self._conflict_of(key),
        )

    def _conflict_of(self, key: str) -> Conflict | None:
        if not self.conflict or key not in self.conflict.mine:
            return None
        return Conflict(*(_words(side.get(key)) or "（空）" for side in (self.conflict.base, self.conflict.theirs, self.conflict.mine)))


def _words(value) -> str:
    text = reports.as_text(value)
    return "" if text is None else text
