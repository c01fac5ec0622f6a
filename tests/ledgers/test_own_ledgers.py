"""Columns and ledgers that the office makes in the browser; cells typed in place; two editors at once."""

import contextlib
import datetime as dt
import json
import re
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse

from ledgers import own, own_services
from ledgers.page_models import OwnColumn, OwnLedger, OwnValue
from ledgers.registry import LEDGERS
from linfen_water import trail
from linfen_water.models import TrailEvent
from projects.models import ProjectVersion
from tests.caches import forget
from tests.factories import AssessmentFactory, CountyFactory, ProblemFactory, ProjectFactory, RegionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region")]
HTMX = {"HX-Request": "true"}


def text(response) -> str:
    assert response.status_code == 200, response
    return b"".join(response.streaming_content).decode() if response.streaming else response.content.decode()


def column(ledger="master", label="征地", kind="text", **more) -> OwnColumn:
    return own_services.add_column(by=UserFactory(), ledger=ledger, label=label, kind=kind, **more)


def cell(slug="master", **query):
    return reverse("ledger_cell", args=[slug], query=query or None)


def editor(client, slug, row, col, **query) -> str:
    return text(client.post(cell(slug, **query), {"row": row, "col": col, "part": "edit"}, headers=HTMX))


def seen_in(page: str) -> str:
    return re.search(r'name="seen"\s+value="([^"]*)"', page)[1]


def send(client, slug, row, col, value, seen, query=None, **more):
    return client.post(cell(slug, **(query or {})), {"row": row, "col": col, "value": value, "seen": seen, **more}, headers=HTMX)


class TestColumns:
    def test_a_column_stands_in_page_export_and_choice_of_columns(self, office):
        project = ProjectFactory(code="LF-001")
        answer = office.post(reverse("ledger_columns", args=["master"]), {"label": "征地亩数", "kind": "number", "unit": "亩"})
        assert answer.status_code == 302
        own_services.set_value(by=UserFactory(), column=OwnColumn.objects.get(), row=str(project.pk), text="12.50")
        page = text(office.get("/ledgers/master/"))
        assert "征地亩数（亩）" in page
        assert "<td>12.5<" in page
        csv = text(office.get("/ledgers/master/?export=csv"))
        assert "征地亩数（亩）" in csv
        assert next(line for line in csv.splitlines() if line.startswith("LF-001")).endswith("12.5")
        with contextlib.closing(office.get("/ledgers/master/?export=xlsx")) as workbook:
            assert workbook.status_code == 200

    def test_no_two_fields_of_the_page_bear_one_name(self, office):
        column(label="征地"), column(label="拆迁")
        ids = re.findall(r'<(?:input|select|textarea)[^>]*\bid="([^"]+)"', text(office.get("/ledgers/master/columns/")))
        assert len(ids) == len(set(ids)) > 12

    def test_values_are_dated(self, office):
        project, one = ProjectFactory(), column()
        OwnValue.objects.create(column=one, row=str(project.pk), on=dt.date(2025, 1, 10), text="先前的话")
        own_services.set_value(by=UserFactory(), column=one, row=str(project.pk), text="现在的话")
        assert "现在的话" in text(office.get("/ledgers/master/"))
        past = text(office.get("/ledgers/master/?as_of=2025-02-01"))
        assert "先前的话" in past
        assert "现在的话" not in past
        assert "先前的话" not in text(office.get("/ledgers/master/?as_of=2025-01-09"))
        assert '<s class="was">先前的话</s>' in text(office.get("/ledgers/master/?since=2025-02-01"))

    def test_numbers_add_up_in_totals_and_groups_and_sort(self, office):
        one = column(kind="number")
        county = CountyFactory(name="甲县")
        a, b = ProjectFactory(code="LF-001", county=county), ProjectFactory(code="LF-002", county=county)
        for project, value in ((a, "9.1"), (b, "10.2")):
            own_services.set_value(by=UserFactory(), column=one, row=str(project.pk), text=value)
        ProjectFactory(code="LF-003", county=county)
        page = text(office.get(f"/ledgers/master/?sort=-{one.name}&group=county"))
        assert page.count("<td>19.3") == 2
        assert re.findall(r">(LF-\d+)</a>", page.split("<tbody>")[1])[:3] == ["LF-002", "LF-001", "LF-003"]

    @pytest.mark.parametrize(
        ("kind", "typed", "kept"),
        [
            ("text", "  两 块 地 ", "两 块 地"),
            ("number", "1,234.50", "1234.5"),
            ("number", "-3亩", "-3"),
            ("date", "2025/02/03", "2025-02-03"),
            ("choice", "已对接", "已对接"),
            ("number", "", ""),
        ],
    )
    def test_what_is_typed_is_kept_plainly(self, kind, typed, kept):
        one = column(kind=kind, unit="亩" if kind == "number" else "", choices=["已对接", "未对接"])
        assert own_services.read_value(one, typed) == kept

    @pytest.mark.parametrize(
        ("kind", "typed", "said"),
        [
            ("number", "很多", "不是数值"),
            ("number", "1e99", "数值过大"),
            ("number", "NaN", "数值过大"),
            ("date", "2025-02-30", "日期“2025-02-30”无效"),
            ("choice", "别的", "可填：已对接、未对接"),
            ("text", "长" * 501, "最多500字，现为501字"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_a_remedy(self, kind, typed, said):
        with pytest.raises(own_services.Refused, match=said):
            own_services.read_value(column(kind=kind, choices=["已对接", "未对接"]), typed)

    def test_retired_columns_keep_their_values_and_come_back(self, office):
        project, one = ProjectFactory(), column(label="帮扶")
        own_services.set_value(by=UserFactory(), column=one, row=str(project.pk), text="在办")
        page = reverse("ledger_columns", args=["master"])
        office.post(page, {"column": one.pk, "action": "retire"})
        assert "在办" not in text(office.get("/ledgers/master/"))
        office.post(page, {"column": one.pk, "action": "restore"})
        assert "在办" in text(office.get("/ledgers/master/"))

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ({"label": "", "kind": "text"}, "请填写列名"),
            ({"label": "征地", "kind": "text"}, "已有自设列“征地”"),
            ({"label": "选", "kind": "choice", "choices": "一个"}, "至少要有两个可选值"),
            ({"label": "x", "kind": "formula"}, "formula"),
        ],
    )
    def test_faults_are_told_at_the_field_and_nothing_typed_is_lost(self, office, said, fault):
        column(label="征地")
        page = office.post(reverse("ledger_columns", args=["master"]), said)
        assert page.status_code == 422
        assert fault in page.content.decode()
        assert f'value="{said["label"]}"' in page.content.decode() or not said["label"]

    @pytest.mark.parametrize("trait", ["in_county", "in_department", "leader"])
    def test_only_the_office_makes_columns_and_ledgers(self, client, trait):
        client.force_login(UserFactory(**{trait: True}))
        for address in (reverse("ledger_columns", args=["master"]), reverse("new_ledger")):
            assert client.get(address).status_code == 404
            assert client.post(address, {"label": "x", "kind": "text", "base": "master", "title": "x"}).status_code == 404

    def test_trail_tells_who_made_what_and_who_typed_what(self):
        project, one = ProjectFactory(), column()
        own_services.set_value(by=UserFactory(), column=one, row=str(project.pk), text="甲")
        own_services.retire_column(by=UserFactory(), column=one)
        assert list(TrailEvent.objects.values_list("action", flat=True).order_by("pk")) == ["own.column", "own.value", "own.retire"]
        assert trail.verify(trail.OFFICE_CHAIN) is None

    @pytest.mark.parametrize("slug", LEDGERS)
    def test_every_ledger_takes_a_column(self, office, slug):
        project = ProjectFactory(reported=40)
        ProblemFactory(project=project)
        AssessmentFactory(values={"ph": "8"})
        one = column(ledger=slug, kind="number", label="自设数")
        for query in ("", "?since=2025-01-01&changed=0&view=all", f"?sort={one.name}", "?export=csv"):
            assert "自设数" in text(office.get(f"/ledgers/{slug}/{query}")) or "没有符合条件" in text(office.get(f"/ledgers/{slug}/"))

    def test_a_column_costs_the_same_queries_for_one_row_and_thirty(self, office, django_assert_max_num_queries, django_assert_num_queries):
        column()
        ProjectFactory()
        with django_assert_max_num_queries(40) as first:
            office.get("/ledgers/master/")
        ProjectFactory.create_batch(29)
        forget()
        with django_assert_num_queries(len(first)):
            office.get("/ledgers/master/")


class TestInPlace:
    def test_a_value_is_typed_and_taken_back(self, office):
        project, one = ProjectFactory(), column()
        seen = seen_in(editor(office, "master", project.pk, one.name))
        answer = send(office, "master", project.pk, one.name, "第一块", seen)
        told = json.loads(answer["HX-Trigger"])["cell-written"]
        assert (answer.status_code, told["old"], told["new"]) == (204, "", "第一块")
        send(office, "master", project.pk, one.name, told["old"], told["seen"], undo="1")
        assert list(OwnValue.objects.values_list("text", "reason")) == [("第一块", ""), ("", "撤销刚才的修改")]
        assert [event.origin for event in TrailEvent.objects.filter(action="own.value").order_by("pk")] == ["page", "undo"]

    def test_a_fact_of_the_project_is_revised_with_its_reason(self, office):
        project = ProjectFactory(total_investment_wan=Decimal("1000"))
        seen = seen_in(editor(office, "master", project.pk, "total_investment_wan"))
        refused = send(office, "master", project.pk, "total_investment_wan", "1500", seen)
        assert "变更须写明理由" in text(refused)
        assert 'value="1500"' in text(refused)
        assert send(office, "master", project.pk, "total_investment_wan", "0.15亿元", seen, reason="概算批复").status_code == 204
        current = ProjectVersion.objects.get(project=project, effective_to=None)
        assert (current.total_investment_wan, current.reason) == (Decimal(1500), "概算批复")

    def test_the_second_of_two_people_sees_both_values_and_chooses(self, office, client):
        project, one = ProjectFactory(), column()
        seen = seen_in(editor(office, "master", project.pk, one.name))
        send(office, "master", project.pk, one.name, "甲填的", seen)
        page = text(send(office, "master", project.pk, one.name, "乙填的", seen))
        assert "<strong>甲填的</strong>" in page
        assert "<strong>乙填的</strong>" in page
        assert OwnValue.objects.get().text == "甲填的"
        assert send(office, "master", project.pk, one.name, "乙填的", seen_in(page)).status_code == 204
        assert OwnValue.objects.last().text == "乙填的"

    def test_computed_columns_and_past_days_have_no_field(self, office):
        project, one = ProjectFactory(), column()
        for col, day in (("stage", ""), (one.name, "2025-01-01")):
            opening = {"row": project.pk, "col": col, "part": "edit"}
            assert office.post(cell("master", as_of=day), opening, headers=HTMX).status_code == 204
            assert send(office, "master", project.pk, col, "x", "", {"as_of": day}).status_code == 404

    def test_rows_that_rules_compute_take_values_of_the_office(self, office):
        AssessmentFactory(values={"ph": "8"})
        one = column(ledger="sections")
        row = re.search(r'data-k="([^"]+)"', text(office.get("/ledgers/sections/")))[1]
        seen = seen_in(editor(office, "sections", row, one.name))
        assert send(office, "sections", row, one.name, "已会商", seen).status_code == 204
        assert "已会商" in text(office.get("/ledgers/sections/"))
        assert "他人改为" in text(send(office, "sections", row, one.name, "另一句", seen))

    def test_a_county_writes_only_what_it_may_in_its_own_rows(self, client):
        mine, other = CountyFactory(), CountyFactory()
        theirs, foreign = ProjectFactory(county=mine), ProjectFactory(county=other)
        shared = ProjectFactory(county=other)
        shared.also_in.add(mine)
        closed, opened = column(label="专班填"), column(label="县里填", counties_write=True)
        client.force_login(UserFactory(in_county=True, county=mine))
        seen = seen_in(editor(client, "master", theirs.pk, opened.name))
        assert send(client, "master", theirs.pk, opened.name, "县里的话", seen).status_code == 204
        assert send(client, "master", theirs.pk, closed.name, "x", "").status_code == 404
        assert send(client, "master", foreign.pk, opened.name, "x", "").status_code == 404
        assert send(client, "master", shared.pk, opened.name, "x", "").status_code == 404
        assert list(OwnValue.objects.values_list("row", "text")) == [(str(theirs.pk), "县里的话")]


class TestLedgers:
    def define(self, client, **said):
        return client.post(reverse("new_ledger"), {"base": "master", "title": "未完工", "stage": "2", "cols": "county,stage", **said})

    def test_a_ledger_is_defined_shown_listed_and_exported(self, office, tmp_path):
        ProjectFactory(name="在建的"), ProjectFactory(name="完工的", finished=True)
        address = self.define(office, group="county").url
        page = text(office.get(address))
        assert "在建的" in page
        assert "完工的" not in page
        assert re.findall(r'data-c="([^"]+)"', page) == ["code", "name", "county", "stage"]
        assert 'class="ledger-group"' in page
        assert "未完工" in text(office.get("/ledgers/"))
        call_command("export_ledger", OwnLedger.objects.get().slug, str(tmp_path / "x.csv"))
        assert "在建的" in (tmp_path / "x.csv").read_text("utf-8")

    @pytest.mark.parametrize("base", LEDGERS)
    def test_every_ledger_can_be_the_base(self, office, base):
        ProjectFactory(reported=40)
        answer = self.define(office, base=base, stage="", cols="", title=f"依据{base}")
        assert answer.status_code == 302
        for query in ("", "?as_of=2025-01-31", "?export=csv"):
            assert office.get(answer.url + query).status_code == 200

    def test_its_conditions_hold_whatever_the_address_asks_for(self, office):
        first, second = (AssessmentFactory(section__name=name).section for name in ("甲断面", "乙断面"))
        address = self.define(office, base="sections", title="一县的断面", county=first.county.code, stage="", cols="").url
        assert "甲断面" in text(office.get(address))
        assert "乙断面" not in text(office.get(f"{address}?county={second.county.code}"))

    @pytest.mark.parametrize("base", ["master", "domains"])
    def test_it_tells_what_it_holds_and_does_not_offer_it(self, office, base):
        project = ProjectFactory()
        county, domain = project.versions.get().county, project.domain
        said = {"stage": "", "county": county.code} if base == "master" else {"domain": domain.name, "stage": "", "cols": ""}
        address = self.define(office, base=base, **said).url
        words = f"县（市、区）：{county}" if base == "master" else f"领域：{domain}"
        page = text(office.get(address))
        assert f'本台账只含：<span class="chip">{words}</span>' in page
        assert page.count(words) == 1
        assert f'id="id_{"county" if base == "master" else "domain"}"' not in page
        assert "清除筛选" not in page
        assert f"只含{words}" in text(office.get(f"{address}?export=csv"))

    def test_an_empty_one_says_that_nothing_meets_its_definition(self, office):
        ProjectFactory()
        page = text(office.get(self.define(office, stage="3").url))
        assert "现在没有符合本台账定义的项目" in page
        assert "清单上还没有" not in page

    def test_it_starts_from_the_usual_columns(self, office):
        page = text(office.get(reverse("new_ledger", query={"base": "master"})))
        table = LEDGERS["master"].table
        assert page.count("checked") == len(table.base_columns) - len(table.details)

    def test_a_county_sees_only_its_rows_of_it(self, client):
        mine = CountyFactory()
        ProjectFactory(county=mine, name="自己的"), ProjectFactory(name="别县的")
        client.force_login(UserFactory())
        address = self.define(client).url
        client.force_login(UserFactory(in_county=True, county=mine))
        for query in ("", "?export=csv", "?group=county"):
            page = text(client.get(address + query))
            assert "自己的" in page
            assert "别县的" not in page

    def test_it_is_retired_not_deleted(self, office):
        address = self.define(office).url
        define = reverse("define_ledger", args=[OwnLedger.objects.get().slug])
        office.post(define, {"action": "retire"})
        assert office.get(address).status_code == 404
        assert "未完工" in text(office.get(reverse("new_ledger")))
        assert office.post(define, {"action": "restore"}).url == address
        assert office.get(address).status_code == 200

    def test_two_people_defining_at_once(self, office):
        self.define(office)
        define = reverse("define_ledger", args=[OwnLedger.objects.get().slug])
        assert office.post(define, {"title": "甲改的", "version": "1"}).status_code == 302
        answer = office.post(define, {"title": "乙改的", "version": "1"})
        assert answer.status_code == 422
        assert "刚被他人改为" in answer.content.decode()
        assert OwnLedger.objects.get().title == "甲改的"

    @pytest.mark.parametrize("said", [{"title": ""}, {"title": "长" * 41}, {"stage": "9"}])
    def test_faults_are_told_and_nothing_is_made(self, office, said):
        assert self.define(office, **said).status_code == 422
        assert not OwnLedger.objects.exists()

    def test_find_knows_no_other(self):
        assert own.find_ledger("own-99") is None


def test_an_own_ledger_sends_its_tables_to_the_ledger_that_it_rests_on(client):
    RegionFactory()
    office = UserFactory()
    own = own_services.define_ledger(by=office, base="permits", title="演示重点手续", about="", columns=[], query="", grouping="")
    assert own.slug == f"own-{own.pk}"
    client.force_login(office)
    assert client.get(f"/ledgers/{own.slug}/import/").headers["Location"] == "/ledgers/permits/import/"


def test_a_slug_never_meets_an_older_one():
    """The number of a ledger is its key: whoever is quicker, nobody gets the address of another."""
    RegionFactory()
    office = UserFactory()
    made = [
        own_services.define_ledger(by=office, base="permits", title=title, about="", columns=[], query="", grouping="")
        for title in ("演示甲", "演示乙")
    ]
    assert len({own.slug for own in made}) == 2
    with pytest.raises(own_services.Refused, match="已有自建台账“演示甲”"):
        own_services.define_ledger(by=office, base="permits", title="演示甲", about="", columns=[], query="", grouping="")
