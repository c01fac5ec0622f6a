"""The ledgers (台账), each declared once: one view, one template and one export serve them all.

A ledger's rows are either chosen and ordered by the database, as a QuerySet whose `read` gives the facts of a page; or
computed by rules, as `Rows` of dicts, which the ledger's own filter makes of what `rows` gives it (then there is no `read`).
"""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db.models import QuerySet

from ledgers import (
    acceptance,
    air,
    annual,
    archives,
    chased,
    check_notices,
    counties,
    decisions,
    domains,
    filters,
    funds,
    history,
    inspections,
    letter_ledger,
    master,
    permits,
    problems,
    provincial,
    tables,
    water,
    water_filters,
    water_tables,
    weekly,
)
from ledgers.columns import LedgerColumn
from ledgers.project_writers import ACCEPTANCE, ANNUAL, INSPECTIONS, PROVINCIAL, acceptance_history, provincial_history
from ledgers.record_writers import ARCHIVES, CHECKS, DECISIONS, FUNDS
from ledgers.rows import Rows
from ledgers.writers import MASTER, PERMITS, PROBLEMS
from ledgers.writing import Writer
from linfen_water.permissions import is_office
from monitoring.permissions import may_record
from projects.facts import summed
from projects.inspections import may_inspect


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ledger:
    """What makes a ledger. `rows(day, user)` is all that `user` may read (None: all, for commands)."""

    slug: str
    title: str
    row_is: str  # what one row is: 项目
    measure: str  # how the rows are counted: 个
    about: str
    rows: Callable[..., Any]
    table: type[tables.LedgerTable]
    filter: type[filters.LedgerFilter] | type[filters.RowsFilter]
    label_column: str  # where the total row says what it counts
    words_column: str = ""  # where the workbook's total row tells the totals in words; empty: `label_column`
    empty: str = ""  # what is said when there is nothing yet; empty: 清单上还没有…
    unit: str = "万元"  # of all its figures
    read: Callable[[dt.date, Iterable[int]], list[dict]] | None = None  # the rows of a page as dicts, by their keys
    columns: Callable[[Rows], dict[str, LedgerColumn]] | None = None  # all columns in order, where they depend on the rows
    totals: Callable[[dt.date, Any], Any] | None = None  # a dataclass or properties named as the columns, with `count`
    spoken_totals: Callable[[Any], str] | None = None  # the totals in one line
    spoken_count: Callable[[Rows], str] | None = None  # how many rows there are, in words, where they are of several kinds
    parts: Callable[[dt.date, Any], list[tuple[str, Any]]] | None = None  # label and sums of parts of the whole, for 其中 rows
    notes: Callable[[Any], list[str]] | None = None  # what is said below the table (注)
    may_take_in: Callable[[Any], bool] | None = None  # who may take values in; None: there is no way in
    writer: Writer | None = None  # how its cells are written, on its page and by workbooks; says who may take values in
    no_intake: str = ""  # why a ledger that people might want to import takes nothing in, and where its values come from
    sources: tuple[tuple[str, ...], ...] = ()  # the pages where these values are typed: words, name of the page, its arguments
    intake_page: str = ""  # name of the page that takes them in; empty: `/ledgers/<slug>/import/`
    entry_page: str = ""  # name of the page where values are typed
    may_enter: Callable[[Any], bool] | None = None  # who may type there; None: whoever may take values in
    beside: Callable[[Any], dict] | None = None  # what its own template shows below the table, of the rows chosen
    beside_template: str = ""
    css: str = ""  # a style sheet of its own
    history: Callable[[Any, str, dt.date], list[Any]] | None = None  # (key, column, day) → what a cell was; None: from the trail
    extend: Callable[[dt.date, list[dict]], None] | None = None  # adds what the office's own columns say to rows that were read
    holds: Callable[[dt.date], list[str]] | None = None  # the conditions of an own ledger's definition, in words
    fixed: frozenset[str] = frozenset()  # … and the names of those that nobody chooses on its page
    base: str = ""  # slug of the ledger whose rows an own ledger shows
    opens_brief: bool = False  # whether the page shows the usual columns until all are asked for; files always hold all
    opens_grouped: str = ""  # the column by which the rows are grouped when nobody chose
    paper: int = 8  # of the workbook's pages, as Excel numbers sizes: 8 = A3, 9 = A4

    def enters(self, user) -> bool:
        """Whether `user` is offered the page where values are typed."""
        may = self.may_enter or self.may_take_in
        return bool(self.entry_page and may and may(user))

    def __post_init__(self):
        if self.writer is not None and self.may_take_in is None:
            object.__setattr__(self, "may_take_in", self.writer.may_take_in)

    @property
    def has_totals(self) -> bool:
        return self.totals is not None

    def keys(self, chosen: QuerySet) -> list[int]:
        return list(chosen.values_list("pk", flat=True))

    def read_rows(self, day: dt.date, chosen: Any) -> list[dict]:
        """The rows of `chosen`, a part of the ledger, as dicts; each with its `key`."""
        return self._extended(day, [dict(row) for row in chosen]) if self.read is None else self.read_keys(day, self.keys(chosen))

    def read_keys(self, day: dt.date, keys: list[int]) -> list[dict]:
        """The rows with these keys: of a ledger that is chosen by the database, or whose writer knows them."""
        if self.read is None:
            return self._extended(day, self.writer.read(day, keys)) if self.writer else []
        rows = self.read(day, keys)
        if len(rows) == len(keys):
            for row, key in zip(rows, keys, strict=True):
                row["key"] = key
        return self._extended(day, rows)

    def key_of(self, row: dict) -> int | str:
        """What names a row in addresses, own columns and lists of changes."""
        return row["key"] if "key" in row else str(row.get("code") or row.get(self.label_column))

    def _extended(self, day: dt.date, rows: list[dict]) -> list[dict]:
        for row in rows:
            row["key"] = self.key_of(row)
        if self.extend:
            self.extend(day, rows)
        return rows

    def read_batches(self, day: dt.date, chosen: Any, size: int) -> Iterator[list[dict]]:
        """All rows of `chosen` in their order, `size` at a time."""
        found = list(chosen) if self.read is None else self.keys(chosen)
        for start in range(0, len(found), size):
            batch = found[start : start + size]
            yield self._extended(day, [dict(row) for row in batch]) if self.read is None else self.read_keys(day, batch)

    def opened(self, day: dt.date, user=None) -> filters.LedgerFilter | filters.RowsFilter:
        """The ledger as its page opens: with nothing chosen but what the filter chooses by itself."""
        return self.filter({}, queryset=self.rows(day, user), day=day)

    def table_for(self, chosen: Any) -> type[tables.LedgerTable]:
        """The table with all its columns for the rows chosen."""
        if self.columns is None:
            return self.table
        table = type(self.table.__name__, (self.table,), {})
        table.base_columns = self.columns(chosen)
        return table


LEDGERS: dict[str, Ledger] = {
    ledger.slug: ledger
    for ledger in [
        Ledger(
            slug="master",
            opens_brief=True,
            title="工程总台账",
            row_is="项目",
            measure="个",
            about="每个省定工程一行：基本情况、责任、时间、进展、卡点与风险",
            rows=master.rows,
            history=history.project_history,
            read=master.read,
            totals=summed,
            spoken_totals=master.spoken_totals,
            parts=master.parts,
            label_column="name",
            table=tables.ProjectTable,
            filter=filters.ProjectFilter,
            writer=MASTER,
        ),
        Ledger(
            slug="provincial",
            title="省定重点工程分台账",
            row_is="项目",
            measure="个",
            about="每个省定项目一行：省类别和时限、是否达年度目标、省调度数与市台账的差异、效益指标",
            rows=provincial.rows,
            read=provincial.read,
            history=provincial_history,
            totals=provincial.totals,
            spoken_totals=provincial.spoken_totals,
            notes=provincial.notes,
            label_column="name",
            table=provincial.ProvincialTable,
            filter=provincial.ProvincialFilter,
            writer=PROVINCIAL,
            entry_page="provincial_figure_new",
            may_enter=is_office,
        ),
        Ledger(
            slug="domains",
            title="市直部门分领域台账",
            row_is="领域",
            measure="个",
            about="每个领域一行小计，其下为项目：开工率、完工率、到位率、投资完成率、本周新开工新完工、逾期、卡在本部门的手续",
            rows=domains.rows,
            totals=domains.totals,
            spoken_totals=domains.spoken_totals,
            spoken_count=domains.spoken_count,
            notes=domains.notes,
            label_column="name",
            table=domains.DomainsTable,
            filter=domains.DomainsFilter,
            no_intake="分领域台账全部由各项目的数据算出，不从台账导入：请修改工程总台账、手续台账或周调度。",
            sources=(("工程总台账", "ledger", "master"), ("前期手续台账", "ledger", "permits"), ("周调度", "dispatch")),
        ),
        Ledger(
            slug="annual",
            title="年度任务分台账",
            row_is="项目",
            measure="个",
            about="每个项目每年一行：年度目标、年计划投资、各月计划与完成、占年计划、时间进度、序时差、节点",
            rows=annual.rows,
            totals=annual.totals,
            spoken_totals=annual.spoken_totals,
            notes=annual.notes,
            label_column="name",
            table=annual.AnnualTable,
            filter=annual.AnnualFilter,
            writer=ANNUAL,
            entry_page="annual_target_new",
            may_enter=is_office,
        ),
        Ledger(
            slug="permits",
            title="前期手续台账",
            row_is="手续",
            measure="项",
            about="每个项目的每项手续一行：状态、受理机关、报送、承诺、办结、文号、有效期和卡点",
            unit="工作日",
            empty="还没有登记手续。",
            rows=permits.rows,
            read=permits.read,
            totals=permits.totals,
            spoken_totals=permits.spoken_totals,
            notes=permits.notes,
            label_column="name",
            table=permits.PermitTable,
            filter=permits.PermitFilter,
            writer=PERMITS,
        ),
        Ledger(
            slug="funds",
            title="资金台账",
            row_is="资金来源",
            measure="条",
            about="每个项目的每个资金来源一行：计划、下达文件、到位（本期、上期、差）、拨付、支付、完成投资、缺口和两率",
            empty="还没有登记资金来源。",
            rows=funds.rows,
            read=funds.read,
            totals=funds.totals,
            spoken_totals=funds.spoken_totals,
            notes=funds.notes,
            label_column="name",
            table=funds.FundsTable,
            filter=funds.FundsFilter,
            writer=FUNDS,
        ),
        Ledger(
            slug="problems",
            opens_brief=True,
            title="问题台账",
            row_is="问题",
            measure="个",
            about="每个问题一行：类别、级别与各级意见、承办、时限、进展、销号依据",
            rows=problems.rows,
            read=problems.read,
            totals=problems.totals,
            spoken_totals=problems.spoken_totals,
            notes=problems.notes,
            unit="天数为自然日，各级期限为工作日",
            label_column="project",
            words_column="description",
            empty="还没有登记的问题。",
            table=problems.ProblemTable,
            filter=problems.ProblemLedgerFilter,
            writer=PROBLEMS,
        ),
        Ledger(
            slug="letters",
            opens_brief=True,
            title="函件台账",
            row_is="函件",
            measure="件",
            about="每件印发的函件一行：文号、主送、项目、触发依据、签发、签收、回复、核查、状态和升级",
            rows=letter_ledger.rows,
            totals=letter_ledger.totals,
            spoken_totals=letter_ledger.spoken_totals,
            notes=letter_ledger.notes,
            unit="工作日",
            label_column="unit",
            words_column="grounds",
            empty="还没有印发的函件。",
            table=letter_ledger.LetterTable,
            filter=letter_ledger.LettersFilter,
            no_intake="函件印发后内容已封存，签收、回复、核查和升级各有办理环节，不从台账导入：请在“函件”中办理。",
            sources=(("函件", "letters"),),
        ),
        Ledger(
            slug="weekly",
            title="周调度台账",
            row_is="周调度",
            measure="条",
            about="每个项目每周一行：进度、投资、到位及较上期的变化，本周进展、下周计划、问题，填报与审核",
            rows=weekly.rows,
            history=history.weekly_history,
            totals=weekly.dispatch_totals,
            spoken_totals=weekly.spoken_dispatch_totals,
            notes=weekly.dispatch_notes,
            label_column="name",
            empty="还没有应填报的项目。",
            table=weekly.DispatchTable,
            filter=weekly.DispatchesFilter,
            # What counts of a week was handed in by its unit, money source by source, and judged; a draft would not show here.
            no_intake="周调度由各单位在周调度页逐项目填报（可从 Excel 成块粘贴），提交后才计入，不从台账导入。",
            sources=(("周调度", "dispatch"),),
        ),
        Ledger(
            slug="submissions",
            title="填报台账",
            row_is="单位",
            measure="个",
            about="每个单位每周一行：应报、已报、按时、补报、退回、与上期完全相同、锁定后更正",
            unit="个",
            rows=weekly.rows,
            totals=weekly.submission_totals,
            spoken_totals=weekly.spoken_submission_totals,
            notes=weekly.submission_notes,
            label_column="unit",
            empty="还没有应填报的单位。",
            table=weekly.SubmissionTable,
            filter=weekly.SubmissionsFilter,
            no_intake="填报台账全部由周调度的报送记录算出，不从台账导入：请在周调度中填报、审核。",
            sources=(("周调度", "dispatch"),),
            paper=9,
        ),
        Ledger(
            slug="decisions",
            title="会议议定事项台账",
            row_is="议定事项",
            measure="条",
            about="每个议定事项一行：会议、主办协办、时限、频次、进展、办结依据，逾期天数自动计算",
            unit="天",
            empty="还没有登记议定事项：先在“会议”里登记会议。",
            rows=decisions.rows,
            read=decisions.read,
            totals=chased.totals,
            spoken_totals=chased.spoken_totals,
            notes=decisions.notes,
            label_column="kind",
            words_column="what",
            table=decisions.DecisionTable,
            filter=decisions.DecisionFilter,
            writer=DECISIONS,
            entry_page="decision_new",
            may_enter=is_office,
        ),
        Ledger(
            slug="inspections",
            title="现场督导台账",
            row_is="现场督导",
            measure="次",
            about="每次督导一行：带队、部门专家、现场进度与填报差、发现问题、交办意见、整改和复查",
            unit="百分点、天",
            empty="还没有登记现场督导。",
            rows=inspections.rows,
            read=inspections.read,
            totals=inspections.totals,
            spoken_totals=inspections.spoken_totals,
            notes=inspections.notes,
            label_column="leader_post",
            words_column="content",
            table=inspections.InspectionTable,
            filter=inspections.InspectionFilter,
            writer=INSPECTIONS,
            entry_page="inspection_new",
            may_enter=may_inspect,
        ),
        Ledger(
            slug="counties",
            title="县（市、区）台账与考核",
            row_is="县（市、区）",
            measure="个",
            about="每个县（市、区）一行：开工率、完工率、投资完成率、到位率、按时报送、无变化周数、逾期、未回函、断面类别、得分和名次",
            unit="%、分",
            rows=counties.rows,
            totals=counties.totals,
            spoken_totals=counties.spoken_totals,
            notes=counties.notes,
            label_column="county",
            words_column="sections",
            table=counties.CountiesTable,
            filter=counties.CountiesFilter,
            no_intake="县（市、区）台账与考核全部由各项目和断面的数据算出，不从台账导入：请修改工程总台账、周调度或断面的监测数据。",
            sources=(("工程总台账", "ledger", "master"), ("周调度", "dispatch"), ("断面水质台账", "ledger", "sections")),
        ),
        Ledger(
            slug="acceptance",
            title="完工验收达效台账",
            row_is="完工项目",
            measure="个",
            about="每个完工项目一行：认定材料、专项验收、竣工验收、决算、移交、试运行、达效、效益和遗留问题",
            empty="截至当日没有完工的项目。",
            rows=acceptance.rows,
            read=acceptance.read,
            history=acceptance_history,
            totals=acceptance.totals,
            spoken_totals=acceptance.spoken_totals,
            notes=acceptance.notes,
            label_column="name",
            table=acceptance.AcceptanceTable,
            filter=acceptance.AcceptanceFilter,
            writer=ACCEPTANCE,
        ),
        Ledger(
            slug="archives",
            title="工程档案台账",
            row_is="档案",
            measure="项",
            about="每个项目的每项档案一行：应有、已有、页数、核对人和日期、缺漏说明、附件",
            unit="份、页",
            empty="还没有项目建档：在项目的“工程档案”页建档。",
            rows=archives.rows,
            read=archives.read,
            totals=archives.totals,
            spoken_totals=archives.spoken_totals,
            notes=archives.notes,
            label_column="name",
            words_column="missing_note",
            table=archives.ArchiveTable,
            filter=archives.ArchiveFilter,
            writer=ARCHIVES,
        ),
        Ledger(
            slug="sections",
            title="断面水质台账",
            row_is="断面水质记录",
            measure="条",
            about="每个断面每月一行：五项和X项浓度、类别、达标、主要污染物、同比环比、周边工程",
            rows=water.rows,
            history=history.section_history,
            columns=water_tables.columns,
            totals=water.totals,
            spoken_totals=water.spoken_totals,
            notes=water.notes,
            unit="mg/L（pH无量纲）",
            label_column="section",
            words_column="pollutants",
            empty="还没有已公布的月评价结果。",
            table=water_tables.SectionTable,
            filter=water_filters.SectionFilter,
            may_take_in=may_record,
            intake_page="readings_import",
        ),
        Ledger(
            slug="air",
            title="县（市、区）环境空气质量排名",
            row_is="县（市、区）",
            measure="个",
            about="每县（市、区）一行：综合指数、PM2.5 及其同比变化率，按时段并列排名，数值越小名次越前",
            unit="PM2.5 μg/m³，同比变化率 %",
            empty="还没有发布的排名。",
            rows=air.rows,
            table=air.AirTable,
            filter=air.AirFilter,
            label_column="county",
            columns=air.columns,
            notes=air.notes,
            may_take_in=may_record,
            intake_page="air_import",
            entry_page="air_new",
            beside=air.beside,
            beside_template="sections/air_beside.html",
            css="css/air.css",
            paper=9,
        ),
        Ledger(
            slug="notices",
            title="检查情况通报台账",
            row_is="检查情况",
            measure="条",
            about="每个检查发现的问题一行：期次、单位、类别、地点、问题、整改时限、整改情况",
            unit="天",
            empty="还没有登记检查情况。",
            rows=check_notices.rows,
            read=check_notices.read,
            totals=chased.totals,
            spoken_totals=chased.spoken_totals,
            notes=check_notices.notes,
            label_column="unit",
            words_column="text",
            table=check_notices.CheckTable,
            filter=check_notices.CheckFilter,
            writer=CHECKS,
            entry_page="check_finding_new",
            may_enter=is_office,
            paper=9,
        ),
    ]
}
