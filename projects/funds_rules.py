"""How the money of a project is judged. Source: the office's own working rules (docs/rules.md): 支付 ≤ 拨付 ≤ 到位 ≤ 下达 ≤ 计划.

Values in, verdict out: no ORM, no settings, no clock. Money is 万元. A verdict carries its sentence and its evidence and is quoted
unchanged by the page of funds, the project's page and the morning sheet. What is not known is None, and nothing is held against it.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db import models

from projects.enums import SourceKind
from projects.rules import Money, plain, rate

HALF_CENT = Decimal("0.005")  # amounts that differ by less are the same one, reckoned another way
ZERO = Decimal(0)
# Sources that reach a county by a paper; what a company or the owner brings in comes without one.
BY_PAPER = frozenset(SourceKind) - {SourceKind.PRIVATE, SourceKind.OWN}


class FundsRule(models.TextChoices):
    """In the order in which they are told."""

    PAID = "paid", "支付大于拨付"
    ALLOCATED = "allocated", "拨付大于到位"
    IN_PLACE = "in_place", "到位大于下达"
    ISSUED = "issued", "下达大于计划"
    UNPLANNED = "unplanned", "到位大于计划"
    NO_PAPER = "no_paper", "到位无下达文件"
    IDLE = "idle", "沉淀资金"


CHAIN_RULES = (FundsRule.PAID, FundsRule.ALLOCATED, FundsRule.IN_PLACE, FundsRule.ISSUED, FundsRule.UNPLANNED)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """One finding about one source: the sentence that is quoted everywhere, and what it stands on."""

    rule: FundsRule
    sentence: str
    evidence: tuple[tuple[str, str], ...]
    amount_wan: Decimal  # by how much: what findings are ordered by


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One source as of a day. `now` None = nothing reported; `issued_wan` None = no paper known."""

    kind: SourceKind
    planned_wan: Decimal
    issued_wan: Decimal | None = None
    now: Money | None = None
    before: Money | None = None  # a week earlier
    earlier: Money | None = None  # as many weeks earlier as the policy asks of idle money

    @property
    def label(self) -> str:
        return SourceKind(self.kind).label

    @property
    def gap_wan(self) -> Decimal | None:
        """缺口: what is planned and has not come; a source that gave more leaves none."""
        return None if self.now is None else max(self.planned_wan - self.now.in_place_wan, ZERO)

    @property
    def arrived_wan(self) -> Decimal | None:
        """差: what has come within the week; before the first report nothing had."""
        return None if self.now is None else self.now.in_place_wan - (self.before.in_place_wan if self.before else ZERO)

    @property
    def in_place_rate(self) -> Decimal | None:
        """到位率: in place of what is planned."""
        return None if self.now is None else rate(self.now.in_place_wan, self.planned_wan)

    @property
    def paid_rate(self) -> Decimal | None:
        """支付率: paid of what is in place."""
        return None if self.now is None else rate(self.now.paid_wan, self.now.in_place_wan)

    @property
    def idle_wan(self) -> Decimal:
        """沉淀资金: what had come so many weeks ago and is not passed on to this day."""
        if self.now is None or self.earlier is None:
            return ZERO
        return max(min(self.earlier.in_place_wan, self.now.in_place_wan) - self.now.allocated_wan, ZERO)


def check(source: Source, weeks: int, day: dt.date) -> Iterator[Verdict]:
    """Everything that is wrong or odd about one source on `day`; `weeks` is the policy's span of idle money."""
    yield from check_chain(source)
    now = source.now
    if now and now.in_place_wan > 0 and source.issued_wan is None and source.kind in BY_PAPER:
        sentence = f"{source.label}已到位{plain(now.in_place_wan)}万元，没有登记下达文件：请专班办补登"
        yield Verdict(FundsRule.NO_PAPER, sentence, (("到位", _wan(now.in_place_wan)), ("下达", "未登记")), now.in_place_wan)
    if now and source.earlier and (idle := source.idle_wan):
        since = day - dt.timedelta(weeks=weeks)
        sentence = f"{source.label}{since.month}月{since.day}日前已到位的资金中，{plain(idle)}万元满{weeks}周仍未拨付"
        evidence = (
            (f"{since} 已到位", _wan(source.earlier.in_place_wan)),
            ("现累计拨付", _wan(now.allocated_wan)),
            ("期限（建议值）", f"{weeks}周"),
        )
        yield Verdict(FundsRule.IDLE, sentence, evidence, idle)


def check_chain(source: Source) -> Iterator[Verdict]:
    """支付 ≤ 拨付 ≤ 到位 ≤ 下达 ≤ 计划, each link by itself; where no paper is known, 到位 is held against 计划."""
    now, issued = source.now, source.issued_wan
    links: list[tuple[FundsRule, str, Decimal, str, Decimal]] = []
    if now:
        links.append((FundsRule.PAID, "支付", now.paid_wan, "拨付", now.allocated_wan))
        links.append((FundsRule.ALLOCATED, "拨付", now.allocated_wan, "到位", now.in_place_wan))
        if issued is None:
            links.append((FundsRule.UNPLANNED, "到位", now.in_place_wan, "计划", source.planned_wan))
        else:
            links.append((FundsRule.IN_PLACE, "到位", now.in_place_wan, "下达", issued))
    if issued is not None:
        links.append((FundsRule.ISSUED, "下达", issued, "计划", source.planned_wan))
    for rule, word, value, bound, limit in links:
        if value > limit:
            over = value - limit
            sentence = f"{source.label}{word}{plain(value)}万元大于{bound}{plain(limit)}万元，多{plain(over)}万元"
            yield Verdict(rule, sentence, ((word, _wan(value)), (bound, _wan(limit)), ("多出", _wan(over))), over)


@dataclasses.dataclass(frozen=True, slots=True)
class Sums:
    """Sums of a set of sources; the one place where their rates are made. A source that never reported adds nothing."""

    count: int
    planned_wan: Decimal
    issued_wan: Decimal
    in_place_wan: Decimal
    before_wan: Decimal  # in place a week earlier
    allocated_wan: Decimal
    paid_wan: Decimal
    completed_wan: Decimal
    gap_wan: Decimal

    @property
    def arrived_wan(self) -> Decimal:
        return self.in_place_wan - self.before_wan

    @property
    def in_place_rate(self) -> Decimal | None:
        return rate(self.in_place_wan, self.planned_wan)

    @property
    def issued_rate(self) -> Decimal | None:
        return rate(self.issued_wan, self.planned_wan)

    @property
    def paid_rate(self) -> Decimal | None:
        return rate(self.paid_wan, self.in_place_wan)

    @property
    def completed_rate(self) -> Decimal | None:
        return rate(self.completed_wan, self.planned_wan)


def sum_up(sources: Iterable[Source]) -> Sums:
    """Sum up."""
    sources = list(sources)
    said = [source.now for source in sources if source.now]
    return Sums(
        count=len(sources),
        planned_wan=sum((s.planned_wan for s in sources), ZERO),
        issued_wan=sum((s.issued_wan for s in sources if s.issued_wan is not None), ZERO),
        in_place_wan=sum((money.in_place_wan for money in said), ZERO),
        before_wan=sum((s.before.in_place_wan for s in sources if s.before), ZERO),
        allocated_wan=sum((money.allocated_wan for money in said), ZERO),
        paid_wan=sum((money.paid_wan for money in said), ZERO),
        completed_wan=sum((money.completed_wan for money in said), ZERO),
        gap_wan=sum((s.gap_wan for s in sources if s.gap_wan is not None), ZERO),
    )


def apart(total_wan: Decimal, planned: Iterable[Decimal]) -> Decimal:
    """By how much the total investment exceeds what its sources plan (below zero: falls short); nothing when it has no sources."""
    plans = list(planned)
    return total_wan - sum(plans, ZERO) if plans else ZERO


def apart_words(difference: Decimal) -> str:
    """That difference in words, empty when there is none."""
    if not difference:
        return ""
    return f"资金来源计划合计比总投资{'少' if difference > 0 else '多'}{_wan(abs(difference))}"


def _wan(value: Decimal) -> str:
    return f"{plain(value)}万元"
