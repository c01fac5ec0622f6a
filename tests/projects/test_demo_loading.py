"""Where the demo may be loaded and where not, other cities' demos, and many projects for benchmarks."""

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ledgers.meeting_models import Meeting
from ledgers.models import Letter
from linfen_water import clock
from linfen_water.enums import Role
from linfen_water.models import Domain, Region, Unit, User
from monitoring.enums import PeriodKind, WaterClass
from monitoring.models import Section
from projects import facts
from projects.demo import loading, scale
from projects.demo import promise as promises
from projects.models import Project
from projects.regions import pack

pytestmark = pytest.mark.django_db


def test_demo_refuses_an_office_s_own_database():
    call_command("load_region")
    Project.objects.create(code="LF-001", domain=Domain.objects.first(), listed_on=dt.date(2023, 5, 1))
    with pytest.raises(CommandError, match="已有本办录入的1个项目"):
        call_command("demo")
    assert not Region.current().is_demo
    assert not User.objects.exists()


def test_demo_refuses_a_database_with_an_office_s_own_users():
    User.objects.create_user("someone", password="a-long-password", role=Role.OFFICE)
    with pytest.raises(CommandError, match="已有本办的用户"):
        call_command("demo")


def test_a_broken_promise_keeps_nothing(tmp_path):
    folder = _copy_of("tiny", tmp_path)
    data = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    data["good_sections"] = {"2023": 1, "2024": 1}
    (folder / "demo.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(promises.Broken, match="good 2023"):
        loading.load(pack.read(folder))
    assert not Region.objects.exists()
    assert not Project.objects.exists()


def test_a_promise_that_does_not_fit_its_pack_is_refused_in_chinese(tmp_path):
    folder = _copy_of("tiny", tmp_path)
    data = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    data["counties"] |= {"000000": 1}
    (folder / "demo.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(promises.NoDemo, match=r"counties.csv 中没有 000000[\s\S]*按县合计9个项目，按领域合计8个"):
        loading.load(pack.read(folder))


def test_another_city_has_a_demo_of_its_own():
    loading.load(pack.read("tests/regions/tiny"))
    totals = facts.totals(facts.project_facts(clock.today()))
    assert (totals.count, totals.finished, totals.total_investment_wan) == (8, 5, Decimal("60000.00"))
    assert Section.objects.get(name="丙湖心").assessments.filter(period_kind=PeriodKind.YEAR, water_class=WaterClass.III).exists()
    assert {p.code[:2] for p in Project.objects.all()} == {"XN"}
    assert "临汾" not in "".join(Unit.objects.values_list("name", flat=True))


def _copy_of(name: str, tmp_path):
    return Path(shutil.copytree(Path(__file__).parent.parent / "regions" / name, tmp_path / name))


def test_the_whole_demo_of_another_city_loads_and_sends_no_letter_that_cannot_be_numbered(capsys):
    call_command("demo", "--region", "tests/regions/tiny")
    assert "演示数据已装入" in capsys.readouterr().out
    assert Meeting.objects.exists()
    assert not Letter.objects.exists()  # the pack has no 代字 for them


def test_load_many_makes_projects_that_every_page_can_read():
    call_command("load_region", "tests/regions/tiny")
    scale.load_many(30, 3)
    found = facts.project_facts(dt.date(2025, 2, 20))
    assert len(found) == 30
    assert all(f.week_of == dt.date(2025, 2, 17) for f in found)
    assert len({f.stage for f in found}) > 1
    scale.load_many(5, 1)
    assert Project.objects.count() == 35
