import datetime as dt

import pytest

from ledgers import permits, problems
from ledgers.enums import CheckCategory, MeetingKind
from ledgers.master import rows
from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.registry import LEDGERS
from ledgers.search import matches
from projects.site_models import Inspection
from tests.factories import TODAY, PermitFactory, ProblemFactory, ProjectFactory, RegionFactory, UnitFactory


@pytest.mark.once
@pytest.mark.parametrize(
    ("typed", "found"),
    [("洪洞", True), ("hd", True), ("hongdong", True), ("HongTong 污水", True), ("hd 河道", False), ("", True), ("尧都", False)],
)
def test_words_are_found_as_they_are_and_as_they_are_spelled(typed, found):
    assert matches(typed, "洪洞县", None, "城南污水处理厂") is found


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["wushui", "cnws", "CNWS", "城南 ws"])
def test_every_ledger_of_projects_finds_names_by_pinyin_and_initials(typed):
    RegionFactory()
    project, other = ProjectFactory(name="城南污水处理厂"), ProjectFactory(name="城北河道治理")
    for one in (project, other):
        PermitFactory(project=one)
        ProblemFactory(project=one, description="拆迁")
    for slug, module_rows in (("master", rows), ("permits", permits.rows), ("problems", problems.rows)):
        ledger = LEDGERS[slug]
        chosen = ledger.filter({"q": typed}, queryset=module_rows(TODAY), day=TODAY)
        assert [row["name" if slug != "problems" else "project"] for row in ledger.read_rows(TODAY, chosen.qs)] == ["城南污水处理厂"]


@pytest.mark.django_db
def test_a_new_name_is_found_by_its_own_spelling():
    RegionFactory()
    project = ProjectFactory(name="旧名")
    from projects.services import revise_project

    revise_project(project=project, effective_from=TODAY, reason="更名", by=None, name="新城调蓄池")
    found = LEDGERS["master"].filter({"q": "xcdxc"}, queryset=rows(TODAY), day=TODAY).qs
    assert list(found) == [project]
    assert not LEDGERS["master"].filter({"q": "xcdxc"}, queryset=rows(TODAY - dt.timedelta(days=1)), day=TODAY).qs.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["cnws", "shuiliju", "SLJ"])
@pytest.mark.parametrize("slug", ["decisions", "notices", "inspections", "acceptance", "provincial"])
def test_ledgers_kept_by_hand_find_their_projects_and_units_too(slug, typed):
    RegionFactory()
    day, unit, other = dt.date(2025, 2, 3), UnitFactory(name="演示水利局"), UnitFactory(name="演示林草中心")
    meeting = Meeting.objects.create(kind=MeetingKind.values[0], held_on=day, chair_post="演示主持岗位")
    for issue, (name, who) in enumerate([("城南污水处理厂", unit), ("城北河道治理", other)], 1):
        project = ProjectFactory(name=name, finished=True)
        Decision.objects.create(meeting=meeting, what="落实", lead_unit=who, project=project)
        values = {"category": CheckCategory.SAFETY, "place": "工地", "text": "未设围挡", "project": project}
        CheckFinding.objects.create(year=2025, issue=issue, on=day, unit=who, **values)
        Inspection.objects.create(project=project, planned_on=day, visited_on=day, leader_post="演示岗位")
    ledger = LEDGERS[slug]
    found = ledger.filter({"q": typed}, queryset=ledger.rows(TODAY), day=TODAY).qs
    has_unit = slug in ("decisions", "notices")
    assert found.count() == (1 if has_unit or typed == "cnws" else 0)
    if found:
        row = found.get()
        assert getattr(row, "project", row).versions.get().name == "城南污水处理厂"
