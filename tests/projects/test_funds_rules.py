"""The chain 支付 ≤ 拨付 ≤ 到位 ≤ 下达 ≤ 计划, gaps, rates and idle money: both sides of every limit."""

import datetime as dt
from decimal import Decimal

import pytest

from projects.enums import SourceKind
from projects.funds_rules import FundsRule, Source, check, check_chain, sum_up
from projects.rules import Money

pytestmark = pytest.mark.once
DAY = dt.date(2025, 2, 20)
CENTRAL, PRIVATE = SourceKind.CENTRAL, SourceKind.PRIVATE


def money(in_place="0", allocated="0", paid="0", completed="0"):
    return Money(*(Decimal(text) for text in (in_place, allocated, paid, completed)))


def source(planned="1000", issued="800", now=None, before=None, earlier=None, kind=CENTRAL):
    return Source(kind, Decimal(planned), None if issued is None else Decimal(issued), now, before, earlier)


@pytest.mark.parametrize(
    ("one", "broken"),
    [
        pytest.param(source(now=money("500", "300", "300")), [], id="支付等于拨付不算不符"),
        pytest.param(source(now=money("500", "300", "300.01")), [FundsRule.PAID], id="支付多一分"),
        pytest.param(source(now=money("500", "500", "300")), [], id="拨付等于到位不算不符"),
        pytest.param(source(now=money("500", "500.01", "300")), [FundsRule.ALLOCATED], id="拨付多一分"),
        pytest.param(source(now=money("800")), [], id="到位等于下达不算不符"),
        pytest.param(source(now=money("800.01")), [FundsRule.IN_PLACE], id="到位多一分"),
        pytest.param(source(issued="1000"), [], id="下达等于计划不算不符"),
        pytest.param(source(issued="1000.01"), [FundsRule.ISSUED], id="下达多一分"),
        pytest.param(source(issued=None, now=money("1000")), [], id="不知下达时到位等于计划"),
        pytest.param(source(issued=None, now=money("1000.01")), [FundsRule.UNPLANNED], id="不知下达时到位大于计划"),
        pytest.param(source(issued="1200", now=money("1300", "1400", "1500")), list(FundsRule)[:4], id="环环不符"),
        pytest.param(source(now=None), [], id="没有填报不核对"),
    ],
)
def test_each_link_of_the_chain(one, broken):
    assert [verdict.rule for verdict in check_chain(one)] == broken


def test_a_breach_tells_both_numbers_and_by_how_much():
    (verdict,) = check_chain(source(now=money("920")))
    assert verdict.sentence == "中央资金到位920万元大于下达800万元，多120万元"
    assert verdict.evidence == (("到位", "920万元"), ("下达", "800万元"), ("多出", "120万元"))
    assert verdict.amount_wan == 120


@pytest.mark.parametrize(
    ("one", "idle"),
    [
        pytest.param(source(now=money("500", "499.99"), earlier=money("500")), "0.01", id="还差一分没拨"),
        pytest.param(source(now=money("500", "500"), earlier=money("500")), "0", id="刚好拨完"),
        pytest.param(source(now=money("500", "200"), earlier=money("200")), "0", id="新到的不满期"),
        pytest.param(source(now=money("500", "200"), earlier=money("200.01")), "0.01", id="满期的还剩一分"),
        pytest.param(source(now=money("100"), earlier=money("500")), "100", id="到位更正调低后以现数为限"),
        pytest.param(source(now=money("500")), "0", id="当时还没有填报"),
    ],
)
def test_idle_money_is_what_had_come_by_then_and_is_not_passed_on_now(one, idle):
    assert one.idle_wan == Decimal(idle)
    assert [verdict.rule for verdict in check(one, 8, DAY)] == ([FundsRule.IDLE] if Decimal(idle) else [])


def test_idle_money_names_the_day_and_the_span():
    (verdict,) = check(source(now=money("500", "200"), earlier=money("500")), 8, DAY)
    assert verdict.sentence == "中央资金12月26日前已到位的资金中，300万元满8周仍未拨付"
    assert ("期限（建议值）", "8周") in verdict.evidence


@pytest.mark.parametrize(
    ("kind", "in_place", "rules"),
    [(CENTRAL, "0.01", [FundsRule.NO_PAPER]), (CENTRAL, "0", []), (PRIVATE, "100", [])],
    ids=["有到位须有文件", "没有到位不问", "社会资本不需下达"],
)
def test_money_that_comes_by_paper_needs_one(kind, in_place, rules):
    assert [verdict.rule for verdict in check(source(issued=None, now=money(in_place), kind=kind), 8, DAY)] == rules


@pytest.mark.parametrize(
    ("one", "gap", "in_place_rate", "paid_rate", "arrived"),
    [
        pytest.param(source(now=money("600", paid="330"), before=money("500")), "400", "60.0", "55.0", "100", id="平常"),
        pytest.param(source(now=money("1100")), "0", "110.0", "0.0", "1100", id="超额到位没有缺口"),
        pytest.param(source(now=money("0")), "1000", "0.0", None, "0", id="没有到位就没有支付率"),
        pytest.param(source(now=money("124.5")), "875.5", "12.5", "0.0", "124.5", id="12.45进到12.5"),
        pytest.param(source(now=money("124.4")), "875.6", "12.4", "0.0", "124.4", id="12.44舍到12.4"),
        pytest.param(source(planned="0", now=money("0")), "0", None, None, "0", id="没有计划就没有到位率"),
        pytest.param(source(now=None), None, None, None, None, id="没有填报"),
    ],
)
def test_gap_and_rates(one, gap, in_place_rate, paid_rate, arrived):
    found = [one.gap_wan, one.in_place_rate, one.paid_rate, one.arrived_wan]
    assert found == [None if text is None else Decimal(text) for text in (gap, in_place_rate, paid_rate, arrived)]


def test_sums_do_not_let_one_surplus_fill_anothers_gap():
    sums = sum_up([source(now=money("1200", "900", "600"), before=money("1000")), source(issued=None, now=money("300")), source()])
    assert (sums.count, sums.planned_wan, sums.issued_wan, sums.in_place_wan) == (3, 3000, 1600, 1500)
    assert (sums.gap_wan, sums.arrived_wan) == (700, 500)
    assert (sums.in_place_rate, sums.paid_rate) == (Decimal("50.0"), Decimal("40.0"))
    assert sum_up([]).in_place_rate is None
