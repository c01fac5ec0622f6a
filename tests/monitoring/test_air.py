import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from linfen_water import trail
from linfen_water.models import County, TrailEvent
from monitoring import air
from monitoring.air_values import MEASURES
from monitoring.enums import IntakeKind
from monitoring.models import AirPeriod, AirResult
from tests.factories import TODAY, AirPeriodFactory, AirResultFactory, CountyFactory, DomainFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
JANUARY = (dt.date(2025, 1, 1), dt.date(2025, 1, 31))
SINCE_OCTOBER = (dt.date(2024, 10, 1), dt.date(2025, 1, 31))
DECEMBER = (dt.date(2024, 12, 1), dt.date(2024, 12, 31))


@pytest.fixture(autouse=True)
def region():
    region = RegionFactory()
    region.settings = {"water_domain": "生态环境"}
    region.save()
    return region


@pytest.fixture
def office(client):
    client.force_login(UserFactory())
    return client


def period(span, **kwargs):
    return AirPeriodFactory(starts_on=span[0], ends_on=span[1], **kwargs)


def values(composite="4.5", composite_change=None, pm25=None, pm25_change=None):
    given = zip(MEASURES, (composite, composite_change, pm25, pm25_change), strict=True)
    return {name: None if value is None else Decimal(value) for name, value in given}


def entry(by_county, span=JANUARY, **kwargs):
    facts = {"label": "2025年1月", "published_on": dt.date(2025, 2, 12), "source": "市局", "notes": ""} | kwargs
    return air.Entry(starts_on=span[0], ends_on=span[1], values={county.pk: one for county, one in by_county.items()}, **facts)


def enter(given, **kwargs):
    return air.enter(entry=given, intake=air.batch(kind=IntakeKind.FORM, by=None), by=None, **kwargs)


class TestTable:
    def test_periods_with_one_end_stand_side_by_side_shortest_first(self):
        for span, label in ((SINCE_OCTOBER, "2024年10月以来"), (JANUARY, "2025年1月"), (DECEMBER, "2024年12月")):
            AirResultFactory(period=period(span, label=label))
        found = air.table(TODAY, JANUARY[1])
        assert [one.label for one in found.periods] == ["2025年1月", "2024年10月以来"]
        assert air.ends(TODAY) == [dt.date(2025, 1, 31), dt.date(2024, 12, 31)]

    def test_ranks_are_computed_and_ties_share_one(self):
        january = period(JANUARY)
        for composite in ("4.5", "4.2", "4.50", "4.6", None):
            AirResultFactory(period=january, composite_index=composite)
        rows = air.table(TODAY, JANUARY[1]).rows
        assert [row.cells[0].ranks.get("composite_index") for row in rows] == [2, 1, 2, 4, None]

    def test_county_that_a_period_does_not_name_has_an_empty_cell_there(self):
        january, longer = period(JANUARY), period(SINCE_OCTOBER)
        one, other = CountyFactory(), CountyFactory(zone=True)
        AirResultFactory(period=january, county=one)
        AirResultFactory(period=longer, county=one)
        AirResultFactory(period=longer, county=other)
        CountyFactory()  # in no period: in no row
        rows = air.table(TODAY, JANUARY[1]).rows
        assert [row.county for row in rows] == [one, other]
        assert rows[1].cells[0] == air.EMPTY
        assert rows[1].cells[1].ranks["composite_index"] == 1

    def test_what_was_not_published_on_the_day_is_not_there(self):
        AirResultFactory(period=period(JANUARY, published_on=dt.date(2025, 2, 12)))
        assert air.table(dt.date(2025, 2, 11), JANUARY[1]) is None
        assert air.ends(dt.date(2025, 2, 11)) == []
        assert air.table(dt.date(2025, 2, 12), JANUARY[1]).rows

    def test_movement_is_against_the_month_before_known_on_the_day(self):
        january, december = period(JANUARY), period(DECEMBER, published_on=dt.date(2025, 1, 12))
        up, down = CountyFactory(), CountyFactory()
        for at, of_up, of_down in ((january, "4.1", "4.2"), (december, "4.2", "4.1")):
            AirResultFactory(period=at, county=up, composite_index=of_up)
            AirResultFactory(period=at, county=down, composite_index=of_down)
        assert [row.moved for row in air.table(TODAY, JANUARY[1]).rows] == [1, -1]
        assert [row.moved for row in air.table(TODAY, DECEMBER[1]).rows] == [None, None]

    def test_notes_and_sources_are_said_once(self):
        for span in (JANUARY, SINCE_OCTOBER):
            AirResultFactory(period=period(span, notes="甲\n\n乙", source="市局", published_on=dt.date(2025, 2, 12)))
        found = air.table(TODAY, JANUARY[1])
        assert found.notes == ["甲", "乙"]
        assert found.sources == [("市局", dt.date(2025, 2, 12))]

    def test_queries_do_not_grow_with_counties(self, django_assert_num_queries):
        january, december = period(JANUARY), period(DECEMBER)
        AirResultFactory(period=january)
        with django_assert_num_queries(3):
            air.table(TODAY, JANUARY[1])
        for county in CountyFactory.create_batch(30):
            AirResultFactory(period=january, county=county)
            AirResultFactory(period=december, county=county)
        with django_assert_num_queries(3):
            assert len(air.table(TODAY, JANUARY[1]).rows) == 31


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        ("2025-01-01", "2025-01-31", "2025年1月"),
        ("2025-01-01", "2025-03-31", "2025年1季度"),
        ("2025-01-01", "2025-02-28", "2025年1—2月"),
        ("2024-01-01", "2024-12-31", "2024年"),
        ("2024-10-01", "2025-01-31", "2024-10-01—2025-01-31"),
    ],
)
def test_a_period_without_a_name_is_called_by_its_days(first, last, label):
    assert air.label_of(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) == label


class TestEnter:
    def test_new_period_is_written_with_its_trail(self):
        county, by = CountyFactory(), UserFactory()
        given = entry({county: values("4.57", "-5.3", "45", None)})
        air.enter(entry=given, intake=air.batch(kind=IntakeKind.FORM, by=by), by=by)
        result = AirResult.objects.get()
        assert air.values_of(result) == values("4.570", "-5.3", "45.0", None)
        event = TrailEvent.objects.get()
        assert (event.action, event.by, event.changes[f"{county.code}.composite_index"]) == ("air.enter", by, [None, "4.57"])
        assert trail.verify(event.chain) is None

    def test_same_again_changes_nothing_and_needs_no_reason(self):
        given = entry({CountyFactory(): values("4.57")})
        enter(given)
        assert enter(given) == []
        assert TrailEvent.objects.count() == 1

    def test_published_value_changes_only_with_a_reason_which_the_trail_keeps(self):
        county = CountyFactory()
        enter(entry({county: values("4.57")}))
        mended = entry({county: values("4.61")})
        with pytest.raises(air.NeedsReason):
            enter(mended, reason="  ")
        assert AirResult.objects.get().composite_index == Decimal("4.57")
        enter(mended, reason="市局更正通知")
        event = TrailEvent.objects.get(action="air.revise")
        assert event.changes == {f"{county.code}.composite_index": ["4.57", "4.61"]}
        assert event.reason == "市局更正通知"

    def test_counties_that_are_not_named_stay(self):
        one, other = CountyFactory(), CountyFactory()
        enter(entry({one: values("4.5"), other: values("4.6")}))
        enter(entry({one: values("4.4")}), reason="更正")
        assert dict(AirResult.objects.values_list("county", "composite_index")) == {one.pk: Decimal("4.4"), other.pk: Decimal("4.6")}

    def test_county_emptied_has_no_row_left(self):
        one, other = CountyFactory(), CountyFactory()
        enter(entry({one: values("4.5"), other: values("4.6")}))
        enter(entry({one: values(None)}), reason="站点停运")
        assert AirResult.objects.get().county == other

    def test_state_that_was_seen_must_still_be(self):
        county = CountyFactory()
        enter(entry({county: values("4.5")}))
        seen = air.state_of(AirPeriod.objects.get(), AirResult.objects.all())
        enter(entry({county: values("4.6")}), reason="更正", seen=seen)
        with pytest.raises(air.Moved):
            enter(entry({county: values("4.7")}), reason="又更正", seen=seen)
        with pytest.raises(air.Moved):
            enter(entry({county: values("4.7")}), reason="当作新的", seen="")
        assert AirResult.objects.get().composite_index == Decimal("4.6")

    def test_withdrawn_period_leaves_its_values_in_the_trail(self):
        county = CountyFactory()
        enter(entry({county: values("4.5")}))
        at = AirPeriod.objects.get()
        seen = air.state_of(at, at.results.all())
        with pytest.raises(air.NeedsReason):
            air.withdraw(period=at, by=None, reason="", seen=seen)
        with pytest.raises(air.Moved):
            air.withdraw(period=at, by=None, reason="重复", seen="other")
        air.withdraw(period=at, by=None, reason="重复录入", seen=seen)
        assert not AirPeriod.objects.exists()
        assert TrailEvent.objects.get(action="air.withdraw").changes[f"{county.code}.composite_index"] == ["4.50", None]


def form_of(counties, **changed):
    """What the page posts: the period's facts and, by county, the four cells."""
    facts = {
        "starts_on": "2025-01-01", "ends_on": "2025-01-31", "label": "", "published_on": "2025-02-12", "source": "市局", "notes": "",
        "reason": "",
    }  # fmt: skip
    cells = {f"v{pk}-{name}": said for pk, said_all in counties.items() for name, said in zip(MEASURES, said_all, strict=True)}
    return facts | cells | changed


def seen_in(page) -> str:
    return page.context["seen"]


class TestPages:
    def test_typed_period_is_ranked_at_once(self, office):
        one, other = CountyFactory(), CountyFactory()
        page = office.post(reverse("air_new"), form_of({one.pk: ("4.61", "↓5.3", "45", "—"), other.pk: ("4.57", "", "", "")}), follow=True)
        assert page.redirect_chain == [("/ledgers/air/?month=2025-01", 302)]
        assert AirPeriod.objects.get().label == "2025年1月"
        rows = air.table(TODAY, JANUARY[1]).rows
        assert [row.cells[0].ranks["composite_index"] for row in rows] == [2, 1]
        assert rows[0].cells[0].values == values("4.61", "-5.3", "45", None)

    def test_errors_stand_at_their_fields_and_nothing_typed_is_lost(self, office):
        county = CountyFactory(name="甲县")
        page = office.post(reverse("air_new"), form_of({county.pk: ("四点六", "-5.3", "45", "")}, published_on="2025-03-01", source=""))
        html = page.content.decode()
        assert page.status_code == 422
        assert "甲县综合指数" in html
        assert "“四点六”不是数字" in html
        assert 'value="四点六"' in html
        assert 'value="-5.3"' in html
        assert "发布日不能晚于今天（2025-02-20）" in html
        assert "请填数据来源" in html
        assert not AirPeriod.objects.exists()

    def test_more_decimals_than_are_published_are_refused(self, office):
        county = CountyFactory()
        html = office.post(reverse("air_new"), form_of({county.pk: ("4.5761", "-5.25", "45", "")})).content.decode()
        assert "最多 3 位小数" in html
        assert "最多 1 位小数" in html
        assert not AirPeriod.objects.exists()

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"ends_on": "2024-12-31"}, "截止日不能早于起始日"),
            ({"ends_on": "2025-02-28", "published_on": "2025-02-20"}, "这个时段还没有结束"),
            ({"published_on": "2025-01-30"}, "发布日不能早于截止日"),
            ({"starts_on": ""}, "请填起始日"),
            ({"ends_on": "2025-02-30"}, "日期请按 2025-01-31 填写"),
            ({"label": "长" * 41}, "最多 40 字"),
        ],
    )
    def test_impossible_periods_are_refused(self, office, changed, sentence):
        county = CountyFactory()
        page = office.post(reverse("air_new"), form_of({county.pk: ("4.6", "", "", "")}, **changed))
        assert page.status_code == 422
        assert sentence in page.content.decode()
        assert not AirPeriod.objects.exists()

    def test_nothing_typed_and_a_period_known_already_are_refused(self, office):
        county = CountyFactory()
        assert "一个县（市、区）的数值都没有填" in office.post(reverse("air_new"), form_of({county.pk: ("", "", "", "")})).content.decode()
        AirResultFactory(period=period(JANUARY, label="一月"), county=county)
        page = office.post(reverse("air_new"), form_of({county.pk: ("4.6", "", "", "")}))
        assert "这个时段已经录入（一月）" in page.content.decode()
        assert AirPeriod.objects.count() == 1

    def test_change_of_a_published_value_is_shown_confirmed_and_reasoned(self, office):
        county = CountyFactory(name="甲县")
        enter(entry({county: values("4.57")}))
        at = AirPeriod.objects.get()
        address = reverse("air_edit", args=[at.pk])
        seen = seen_in(office.get(address))
        typed = form_of({county.pk: ("4.61", "", "", "")}, label="2025年1月", seen=seen)

        page = office.post(address, typed | {"action": "check"})
        assert page.status_code == 422
        assert "请写明更正理由" in page.content.decode()

        page = office.post(address, typed | {"action": "check", "reason": "更正"})
        html = page.content.decode()
        assert page.status_code == 200
        assert "<del>4.57</del>" in html
        assert "<strong>4.61</strong>" in html
        assert AirResult.objects.get().composite_index == Decimal("4.57")

        page = office.post(address, typed | {"action": "save", "reason": "更正", "seen": seen_in(page)})
        assert page.status_code == 302
        assert AirResult.objects.get().composite_index == Decimal("4.61")

    def test_somebody_elses_change_in_between_is_told_and_not_written_over(self, office):
        county = CountyFactory()
        enter(entry({county: values("4.57")}))
        address = reverse("air_edit", args=[AirPeriod.objects.get().pk])
        seen = seen_in(office.get(address))
        enter(entry({county: values("4.60")}), reason="别人的更正")
        page = office.post(address, form_of({county.pk: ("4.61", "", "", "")}, label="2025年1月", seen=seen, action="save", reason="更正"))
        assert page.status_code == 422
        assert "已有人改动了这个时段" in page.content.decode()
        assert "<del>4.60</del>" in page.content.decode()
        assert AirResult.objects.get().composite_index == Decimal("4.6")

    def test_without_a_change_nothing_is_saved(self, office):
        county = CountyFactory()
        enter(entry({county: values("4.57")}))
        page = office.post(
            reverse("air_edit", args=[AirPeriod.objects.get().pk]),
            form_of({county.pk: ("4.57", "", "", "")}, label="2025年1月"),
            follow=True,
        )
        assert "没有改动" in page.content.decode()
        assert TrailEvent.objects.count() == 1

    def test_withdraws_with_a_reason(self, office):
        enter(entry({CountyFactory(): values("4.57")}))
        at = AirPeriod.objects.get()
        address, seen = reverse("air_withdraw", args=[at.pk]), seen_in(office.get(reverse("air_edit", args=[at.pk])))
        page = office.post(address, {"seen": seen, "reason": ""})
        assert page.status_code == 422
        assert "请写明为什么撤回" in page.content.decode()
        assert office.get(address).status_code == 405
        assert office.post(address, {"seen": "x", "reason": "重复"}).status_code == 422
        assert AirPeriod.objects.exists()
        assert office.post(address, {"seen": seen, "reason": "重复录入"}).status_code == 302
        assert not AirPeriod.objects.exists()

    @pytest.mark.parametrize(
        ("who", "status"),
        [("office", 200), ("water department", 200), ("other department", 404), ("county", 404), ("leader", 404), (None, 302)],
    )
    def test_who_may_type(self, client, who, status):
        at = AirResultFactory().period
        if who:
            client.force_login(
                {
                    "office": lambda: UserFactory(),
                    "water department": lambda: UserFactory(in_department=True, domain=DomainFactory(name="生态环境")),
                    "other department": lambda: UserFactory(in_department=True, domain=DomainFactory(name="住建")),
                    "county": lambda: UserFactory(in_county=True),
                    "leader": lambda: UserFactory(leader=True),
                }[who]()
            )
        addresses = [reverse("air_new"), reverse("air_edit", args=[at.pk]), reverse("air_import")]
        assert [client.get(address).status_code for address in addresses] == [status] * 3
        if status != 200:
            client.post(reverse("air_withdraw", args=[at.pk]), {"seen": "x", "reason": "y"})
            assert AirPeriod.objects.filter(pk=at.pk).exists()

    def test_queries_do_not_grow_with_counties(self, office, django_assert_max_num_queries):
        at = AirResultFactory().period
        address = reverse("air_edit", args=[at.pk])
        office.get(address)
        with django_assert_max_num_queries(30) as few:
            office.get(address)
        for county in CountyFactory.create_batch(30):
            AirResultFactory(period=at, county=county)
        with django_assert_max_num_queries(30) as many:
            office.get(address)
        assert County.objects.count() == 31
        assert len(many) == len(few)


def test_of_two_who_enter_a_period_at_once_the_second_is_told(monkeypatch):
    """The first one commits after the second has looked."""
    given = entry({CountyFactory(): values()})
    monkeypatch.setattr(AirPeriod, "save", lambda self, **kwargs: AirPeriod.objects.bulk_create([AirPeriod(**SAME), AirPeriod(**SAME)]))
    with pytest.raises(air.Moved):
        enter(given)
    assert not AirPeriod.objects.exists()


SAME = {"starts_on": JANUARY[0], "ends_on": JANUARY[1], "published_on": dt.date(2025, 2, 12)}
