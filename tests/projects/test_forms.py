"""What people type is read generously and refused at its field, in Chinese, with nothing lost."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from projects import reports
from projects.forms import DayField, DispatchForm, NumberField
from projects.models import Project
from tests.factories import THIS_WEEK, TODAY, ProjectFactory, RegionFactory


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("45", "45"), ("45.5%", "45.5"), ("１２，３４５．６", "12345.6"), ("1,234.50", "1234.5"), (" 12 万元", "12"), ("0", "0")],
)
def test_numbers_are_read_as_people_type_them(typed, expected):
    assert NumberField(max_digits=14, decimal_places=2).clean(typed) == Decimal(expected)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("四十五", "请填数字。"),
        ("NaN", "请填数字。"),
        ("1.234", "最多两位小数。"),
        ("-1", "不能小于 0。"),
        ("1e30", "数字过大，请核对单位。"),
        ("", "请填数字，没有请填 0。"),
    ],
)
def test_what_is_no_number_is_refused_in_words(typed, message):
    form_field = NumberField(min_value=0, max_digits=14, decimal_places=2)
    with pytest.raises(ValidationError) as caught:
        form_field.clean(typed)
    assert message in caught.value.messages


@pytest.mark.parametrize("typed", ["2025-02-20", "2025.2.20", "2025/2/20", "2025年2月20日", "２０２５-０２-２０"])
def test_days_are_read_in_the_usual_spellings(typed):
    assert DayField().clean(typed) == TODAY


@pytest.mark.parametrize("typed", ["2025-02-30", "昨天", "0025-02-20", "20250220", "1999-12-31", "2100-01-01", "9999-02-01"])
def test_impossible_days_are_refused(typed):
    with pytest.raises(ValidationError) as caught:
        DayField().clean(typed)
    assert len(caught.value.messages) == 1


@pytest.mark.parametrize("typed", ["2000-01-01", "2099-12-31"])
def test_the_years_at_the_edges_are_read(typed):
    assert DayField().clean(typed).isoformat() == typed


def test_a_number_may_be_typed_with_commas_on_every_page():
    """A number input of the browser would refuse them before they are sent."""
    assert NumberField().widget.input_type == "text"


@pytest.fixture
def week(db):
    RegionFactory()
    project = ProjectFactory(code="LF-001", reported=Decimal(40))
    return reports.read_weeks(Project.objects.filter(pk=project.pk), THIS_WEEK, TODAY)[0]


def form_of(week, **typed):
    return DispatchForm(week, {f"LF-001-{name}": value for name, value in ({"version": "0"} | typed).items()})


def test_fields_that_were_not_on_the_page_keep_their_value(week):
    form = form_of(week, physical_progress="45")
    assert form.is_valid() is False  # money is always on the page, so its absence is an error …
    key = f"paid_wan_{week.sources[0].pk}"
    assert form.errors[key] == ["请填数字，没有请填 0。"]


def test_the_report_is_what_was_typed_over_what_is_saved(week):
    money = {reports.money_key(f, week.sources[0].pk): "500" for f in reports.MONEY}
    form = form_of(week, physical_progress="45", done="铺管\r\n回填", **money)
    assert form.is_valid()
    assert form.values["physical_progress"] == 45
    assert form.values["done"] == "铺管\n回填"
    assert form.values["next_steps"] == "继续护岸施工"  # not on the page: kept
    assert form.lines == {week.sources[0].pk: dict.fromkeys(reports.MONEY, Decimal(500))}


@pytest.mark.parametrize(("progress", "is_valid"), [("100", True), ("100.01", False), ("0", True), ("-0.01", False)])
def test_progress_is_a_percentage(week, progress, is_valid):
    money = {reports.money_key(f, week.sources[0].pk): "0" for f in reports.MONEY}
    assert form_of(week, physical_progress=progress, **money).is_valid() is is_valid


@pytest.mark.parametrize(("length", "is_valid"), [(200, True), (201, False)])
def test_a_reason_fits_its_column(week, length, is_valid):
    money = {reports.money_key(f, week.sources[0].pk): "0" for f in reports.MONEY}
    assert form_of(week, reason="由" * length, **money).is_valid() is is_valid


def test_flat_reports_survive_the_trails_spelling(week):
    report = week.current | {"started_on": dt.date(2025, 2, 18), "physical_progress": Decimal("45.50")}
    assert {key: reports.from_text(key, reports.as_text(value)) for key, value in report.items()} == report


def test_control_characters_of_a_paste_are_left_out(week):
    money = {reports.money_key(f, week.sources[0].pk): "0" for f in reports.MONEY}
    form = form_of(week, done="第一行\r\n第二\x07行\t完", **money)
    assert form.is_valid()
    assert form.cleaned_data["done"] == "第一行\n第二行\t完"
