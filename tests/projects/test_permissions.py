"""Every address of projects and dispatches × role × own or foreign × method. An address without an entry fails."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from linfen_water.models import Policy
from projects import permissions
from projects.enums import DispatchState, PermitKind, StageEvent
from projects.models import Attachment, Dispatch, Permit, Photo, Project, ProjectVersion, StageFact
from projects.photos import thumb_name
from projects.site_models import Inspection, InspectionFinding
from projects.target_models import AnnualTarget, Milestone, ProvincialFigure, ProvincialTerm
from tests.factories import (
    THIS_WEEK,
    TODAY,
    CountyFactory,
    DispatchFactory,
    DomainFactory,
    ProblemFactory,
    ProjectFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CANARY = "金丝雀不该外传"

# address name → what (county owner, foreign county, own department, foreign department, office, leader) get, by method.
# For rows of their own 200/302; a foreign row is not there (404).
ROLES = ("county", "foreign_county", "department", "foreign_department", "office", "leader")
EXPECTED = {
    ("week_change", "get"): (200, 200, 200, 200, 200, 200),
    ("week_change", "post"): (405, 405, 405, 405, 405, 405),
    ("anomalies", "get"): (200, 200, 200, 200, 200, 200),
    ("anomalies", "post"): (405, 405, 405, 405, 405, 405),
    ("projects", "get"): (200, 200, 200, 200, 200, 200),
    ("projects", "post"): (405, 405, 405, 405, 405, 405),
    ("scurve", "get"): (200, 200, 200, 200, 200, 200),
    ("scurve", "post"): (405, 405, 405, 405, 405, 405),
    ("scurve_accuracy", "get"): (200, 200, 200, 200, 200, 200),  # sums alone, no project's name
    ("scurve_accuracy", "post"): (405, 405, 405, 405, 405, 405),
    ("project", "get"): (200, 404, 200, 200, 200, 200),
    ("project", "post"): (405, 405, 405, 405, 405, 405),
    ("project_revise", "get"): (405, 405, 405, 405, 405, 405),
    ("project_revise", "post"): (404, 404, 404, 404, 422, 404),
    ("project_stage", "get"): (405, 405, 405, 405, 405, 405),
    ("project_stage", "post"): (404, 404, 404, 404, 422, 404),
    ("project_stage_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("project_stage_withdraw", "post"): (404, 404, 404, 404, 422, 404),
    ("problems", "get"): (200, 200, 200, 200, 200, 200),
    ("problems", "post"): (405, 405, 405, 405, 405, 405),
    ("problem_new", "get"): (200, 200, 200, 200, 200, 404),
    ("problem_new", "post"): (422, 422, 422, 422, 422, 404),
    ("problem", "get"): (200, 404, 200, 200, 200, 200),
    ("problem", "post"): (405, 405, 405, 405, 405, 405),
    ("problem_act", "get"): (405, 405, 405, 405, 405, 405),
    ("problem_act", "post"): (422, 404, 404, 404, 422, 404),  # the county handles it
    ("problem_edit", "get"): (405, 405, 405, 405, 405, 405),
    ("problem_edit", "post"): (422, 404, 404, 404, 422, 404),
    ("problem_note", "get"): (405, 405, 405, 405, 405, 405),
    ("problem_note", "post"): (422, 404, 422, 404, 422, 404),
    ("problem_files", "get"): (405, 405, 405, 405, 405, 405),
    ("problem_files", "post"): (422, 404, 404, 404, 422, 404),
    ("problem_file_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("problem_file_withdraw", "post"): (404, 404, 404, 404, 422, 404),  # the office, and who put it there
    ("attachment", "get"): (200, 404, 200, 200, 200, 200),
    ("attachment", "post"): (405, 405, 405, 405, 405, 405),
    ("permits", "get"): (200, 200, 200, 200, 200, 200),
    ("permits", "post"): (302, 302, 302, 302, 302, 404),  # nothing sent, nothing done
    ("permit", "get"): (405, 405, 405, 405, 405, 405),
    ("permit", "post"): (422, 404, 404, 404, 422, 404),  # departments where they are the authority: see test_permit_services
    ("project_permits", "get"): (200, 404, 200, 200, 200, 200),
    ("project_permits", "post"): (302, 404, 404, 404, 302, 404),
    ("funds", "get"): (200, 200, 200, 200, 200, 200),
    ("funds", "post"): (405, 405, 405, 405, 405, 405),
    ("project_funds", "get"): (200, 404, 200, 200, 200, 200),
    ("project_funds", "post"): (404, 404, 404, 404, 404, 404),  # nothing asked; what the office may do: see test_funds
    ("dispatch", "get"): (200, 200, 200, 200, 200, 404),
    ("dispatch", "post"): (302, 302, 200, 200, 302, 404),
    ("dispatch_project", "get"): (200, 404, 404, 404, 200, 404),
    ("dispatch_project", "post"): (422, 404, 404, 404, 422, 404),
    ("project_photos", "get"): (200, 404, 200, 200, 200, 200),
    ("project_photos", "post"): (422, 404, 404, 404, 422, 404),
    ("photo", "get"): (200, 404, 200, 200, 200, 200),
    ("photo", "post"): (405, 405, 405, 405, 405, 405),
    ("photo_thumb", "get"): (200, 404, 200, 200, 200, 200),
    ("photo_thumb", "post"): (405, 405, 405, 405, 405, 405),
    ("photo_describe", "get"): (405, 405, 405, 405, 405, 405),
    ("photo_describe", "post"): (302, 404, 404, 404, 302, 404),
    ("photo_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("photo_withdraw", "post"): (422, 404, 404, 404, 422, 404),
    ("dispatch_autosave", "get"): (405, 405, 405, 405, 405, 405),
    ("dispatch_autosave", "post"): (422, 404, 404, 404, 422, 404),
    ("dispatch_paste", "get"): (405, 405, 405, 405, 405, 405),
    ("dispatch_paste", "post"): (200, 200, 404, 404, 200, 404),  # placed in one's own projects only: see test_paste
    ("dispatch_check", "get"): (405, 405, 405, 405, 405, 405),
    ("dispatch_check", "post"): (200, 404, 404, 404, 200, 404),
    ("dispatch_weeks", "get"): (200, 200, 200, 200, 200, 200),
    ("dispatch_weeks", "post"): (404, 404, 404, 404, 404, 404),  # of no week: see test_weeks_page
    ("dispatch_policy", "get"): (200, 200, 200, 200, 200, 200),
    ("dispatch_policy", "post"): (404, 404, 404, 404, 422, 404),
    ("dispatch_plans", "get"): (200, 200, 200, 200, 200, 200),
    ("dispatch_plans", "post"): (302, 302, 404, 404, 302, 404),
    ("inspections", "get"): (200, 200, 200, 200, 200, 200),
    ("inspections", "post"): (404, 404, 422, 422, 422, 404),
    ("inspection_route", "get"): (200, 200, 200, 200, 200, 200),
    ("inspection_route", "post"): (405, 405, 405, 405, 405, 405),
    ("inspection_site", "get"): (404, 404, 404, 404, 200, 404),  # and the department that entered the visit
    ("inspection_site", "post"): (404, 404, 404, 404, 422, 404),
    ("inspection", "get"): (200, 404, 200, 200, 200, 200),
    ("inspection", "post"): (405, 405, 405, 405, 405, 405),
    ("inspection_new", "get"): (404, 404, 200, 200, 200, 404),
    ("inspection_new", "post"): (404, 404, 422, 422, 422, 404),
    ("inspection_edit", "get"): (404, 404, 404, 404, 200, 404),
    ("inspection_edit", "post"): (404, 404, 404, 404, 422, 404),
    ("inspection_act", "get"): (405, 405, 405, 405, 405, 405),
    ("inspection_act", "post"): (422, 404, 404, 404, 422, 404),
    ("inspection_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("inspection_withdraw", "post"): (404, 404, 404, 404, 422, 404),
    ("inspection_finding", "get"): (405, 405, 405, 405, 405, 405),
    ("inspection_finding", "post"): (404, 404, 404, 404, 422, 404),
    ("inspection_finding_act", "get"): (405, 405, 405, 405, 405, 405),
    ("inspection_finding_act", "post"): (404, 404, 404, 404, 302, 404),
    ("acceptance", "get"): (200, 404, 200, 200, 200, 200),
    ("acceptance", "post"): (422, 404, 422, 404, 422, 404),
    ("acceptance_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("acceptance_withdraw", "post"): (404, 404, 404, 404, 404, 404),  # of no step
    ("archives", "get"): (200, 404, 200, 200, 200, 200),
    ("archives", "post"): (422, 404, 422, 404, 422, 404),
    ("archive_catalogue", "get"): (200, 200, 200, 200, 200, 200),
    ("archive_catalogue", "post"): (404, 404, 404, 404, 302, 404),
    ("annual_target", "get"): (200, 404, 200, 200, 200, 200),
    ("annual_target", "post"): (405, 405, 405, 405, 405, 405),
    ("annual_target_new", "get"): (404, 404, 404, 404, 200, 404),
    ("annual_target_new", "post"): (404, 404, 404, 404, 422, 404),
    ("annual_target_edit", "get"): (404, 404, 404, 404, 200, 404),
    ("annual_target_edit", "post"): (404, 404, 404, 404, 422, 404),
    ("annual_target_act", "get"): (405, 405, 405, 405, 405, 405),
    ("annual_target_act", "post"): (404, 404, 404, 404, 404, 404),  # they have none
    ("annual_target_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("annual_target_withdraw", "post"): (404, 404, 404, 404, 422, 404),
    ("milestone", "get"): (200, 404, 200, 200, 200, 200),
    ("milestone", "post"): (405, 405, 405, 405, 405, 405),
    ("milestone_new", "get"): (200, 404, 404, 404, 200, 404),
    ("milestone_new", "post"): (422, 404, 404, 404, 422, 404),
    ("milestone_edit", "get"): (200, 404, 404, 404, 200, 404),
    ("milestone_edit", "post"): (422, 404, 404, 404, 422, 404),
    ("milestone_act", "get"): (405, 405, 405, 405, 405, 405),
    ("milestone_act", "post"): (404, 404, 404, 404, 404, 404),  # they have none
    ("milestone_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("milestone_withdraw", "post"): (422, 404, 404, 404, 422, 404),
    ("provincial_term", "get"): (200, 404, 200, 200, 200, 200),
    ("provincial_term", "post"): (405, 405, 405, 405, 405, 405),
    ("provincial_term_new", "get"): (404, 404, 404, 404, 200, 404),
    ("provincial_term_new", "post"): (404, 404, 404, 404, 422, 404),
    ("provincial_term_edit", "get"): (404, 404, 404, 404, 200, 404),
    ("provincial_term_edit", "post"): (404, 404, 404, 404, 422, 404),
    ("provincial_term_act", "get"): (405, 405, 405, 405, 405, 405),
    ("provincial_term_act", "post"): (404, 404, 404, 404, 404, 404),  # they have none
    ("provincial_term_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("provincial_term_withdraw", "post"): (404, 404, 404, 404, 422, 404),
    ("provincial_figure", "get"): (200, 404, 200, 200, 200, 200),
    ("provincial_figure", "post"): (405, 405, 405, 405, 405, 405),
    ("provincial_figure_new", "get"): (404, 404, 404, 404, 200, 404),
    ("provincial_figure_new", "post"): (404, 404, 404, 404, 422, 404),
    ("provincial_figure_edit", "get"): (404, 404, 404, 404, 200, 404),
    ("provincial_figure_edit", "post"): (404, 404, 404, 404, 422, 404),
    ("provincial_figure_act", "get"): (405, 405, 405, 405, 405, 405),
    ("provincial_figure_act", "post"): (404, 404, 404, 404, 404, 404),  # they have none
    ("provincial_figure_withdraw", "get"): (405, 405, 405, 405, 405, 405),
    ("provincial_figure_withdraw", "post"): (404, 404, 404, 404, 422, 404),
    ("targets", "get"): (200, 404, 200, 200, 200, 200),
    ("targets", "post"): (405, 405, 405, 405, 405, 405),
    ("board", "get"): (200, 200, 200, 200, 200, 200),
    ("board", "post"): (405, 405, 405, 405, 405, 405),
    ("board_review", "get"): (405, 405, 405, 405, 405, 405),
    ("board_review", "post"): (404, 404, 302, 404, 302, 404),
    ("board_remind", "get"): (405, 405, 405, 405, 405, 405),
    ("board_remind", "post"): (404, 404, 302, 302, 302, 404),
    ("dispatch_accept_all", "get"): (405, 405, 405, 405, 405, 405),
    ("dispatch_accept_all", "post"): (404, 404, 302, 404, 302, 404),
    ("dispatch_review", "get"): (405, 405, 405, 405, 405, 405),
    ("dispatch_review", "post"): (404, 404, 302, 404, 302, 404),
}
ELSEWHERE = {
    "section_works",
    "wall",
    "wall_find",  # test_wall_cards, with the next four
    "wall_project",
    "wall_turn",
    "wall_turn_back",
    "wall_section",
    "wall_outlines",
    "wall_json",
    "wall_csv",
    "wall_county",
    "wall_density",
    "projects_geojson",
    "sections_geojson",
    "counties_geojson",
}  # test_wall


@pytest.fixture
def own():
    RegionFactory()
    return ProjectFactory(code="LF-001", name=CANARY, reported=Decimal(40))


@pytest.fixture
def users(own):
    reporter = own.versions.get().responsible_unit  # of the project's county
    return {
        "county": UserFactory(in_county=True, unit=reporter),
        "foreign_county": UserFactory(in_county=True, county=CountyFactory()),
        "department": UserFactory(in_department=True, domain=own.domain),
        "foreign_department": UserFactory(in_department=True, domain=DomainFactory(name="住建")),
        "office": UserFactory(),
        "leader": UserFactory(leader=True),
    }


@pytest.fixture
def live(own):
    return DispatchFactory(project=own, week_of=THIS_WEEK, submitted=True, done=CANARY)


@pytest.fixture(autouse=True)
def trouble(own, settings, tmp_path):
    """An open problem that the project's county handles, with a file beside it."""
    settings.MEDIA_ROOT = tmp_path
    problem = ProblemFactory(project=own, code="WT-2025-001", handler=own.versions.get().responsible_unit, description=CANARY)
    pdf = ContentFile(b"%PDF-1.4 %%EOF", name="a.pdf")
    Attachment.objects.create(pk=71, project=own, problem=problem, file=pdf, name="a.pdf", size=14, digest="0" * 64)
    photo = Photo(pk=72, project=own, week_of=THIS_WEEK, digest="0" * 64, caption=CANARY)
    picture = io.BytesIO()
    Image.new("RGB", (80, 80)).save(picture, "JPEG")
    photo.file.save("a.jpg", ContentFile(picture.getvalue()), save=False)
    photo.file.storage.save(thumb_name(photo), ContentFile(picture.getvalue()))
    photo.width = photo.height = 80
    photo.save()
    return problem


@pytest.fixture(autouse=True)
def visit(own):
    """A visit that demanded something, with a finding."""
    row = Inspection.objects.create(pk=81, project=own, planned_on=TODAY, visited_on=TODAY, leader_post="科长", demands=CANARY)
    InspectionFinding.objects.create(pk=82, inspection=row, category="land", text=CANARY)
    AnnualTarget.objects.create(pk=83, project=own, year=2025, kind="start", text=CANARY, plan_wan=1, set_on=TODAY)
    Milestone.objects.create(pk=83, project=own, name="主体完工", due_on=TODAY, responsible_post="科长")
    ProvincialTerm.objects.create(pk=83, project=own, effective_on=TODAY, ground="清单")
    ProvincialFigure.objects.create(pk=83, project=own, on=TODAY, invested_wan=1, ground="省调度")
    return row


def address(name, own, live):
    fact = StageFact.objects.get(project=own, event=StageEvent.START)
    return {
        "projects": "/projects/",
        "scurve": "/projects/scurve/",
        "scurve_accuracy": "/projects/scurve/accuracy/",
        "project": f"/projects/{own.code}/",
        "project_revise": f"/projects/{own.code}/revise/",
        "project_stage": f"/projects/{own.code}/stage/",
        "project_stage_withdraw": f"/projects/{own.code}/stage/{fact.pk}/withdraw/",
        "problems": "/problems/",
        "problem_new": "/problems/new/",
        "problem": "/problems/WT-2025-001/",
        "problem_act": "/problems/WT-2025-001/act/",
        "problem_edit": "/problems/WT-2025-001/edit/",
        "problem_note": "/problems/WT-2025-001/note/",
        "problem_files": "/problems/WT-2025-001/files/",
        "problem_file_withdraw": "/problems/WT-2025-001/files/71/withdraw/",
        "attachment": "/attachments/71/",
        "permits": "/permits/",
        "permit": f"/permits/{Permit.objects.get_or_create(project=own, kind=PermitKind.EIA)[0].pk}/",
        "project_permits": f"/projects/{own.code}/permits/",
        "funds": "/funds/",
        "project_funds": f"/projects/{own.code}/funds/",
        "dispatch": "/dispatch/",
        "dispatch_project": f"/dispatch/{own.code}/",
        "project_photos": f"/projects/{own.code}/photos/",
        "photo": "/photos/72/",
        "photo_thumb": "/photos/72/small/",
        "photo_describe": "/photos/72/describe/",
        "photo_withdraw": "/photos/72/withdraw/",
        "dispatch_autosave": f"/dispatch/{own.code}/autosave/",
        "dispatch_paste": "/dispatch/paste/",
        "dispatch_check": f"/dispatch/{own.code}/check/",
        "dispatch_weeks": "/dispatch/weeks/",
        "dispatch_policy": "/dispatch/policy/",
        "dispatch_plans": "/dispatch/plans/",
        "week_change": "/dispatch/change/",
        "anomalies": "/dispatch/odd/",
        "inspections": "/inspections/",
        "inspection_route": "/inspections/route/",
        "inspection_site": "/inspections/81/site/",
        "inspection": "/inspections/81/",
        "inspection_new": "/inspections/new/",
        "inspection_edit": "/inspections/81/edit/",
        "inspection_act": "/inspections/81/act/",
        "inspection_withdraw": "/inspections/81/withdraw/",
        "inspection_finding": "/inspections/81/findings/",
        "inspection_finding_act": "/inspections/81/findings/82/",
        "acceptance": f"/projects/{own.code}/acceptance/",
        "acceptance_withdraw": f"/projects/{own.code}/acceptance/withdraw/",
        "archives": f"/projects/{own.code}/archives/",
        "archive_catalogue": "/archives/catalogue/",
        "targets": f"/projects/{own.code}/targets/",
        "annual_target": "/annual/targets/83/",
        "annual_target_new": "/annual/targets/new/",
        "annual_target_edit": "/annual/targets/83/edit/",
        "annual_target_act": "/annual/targets/83/act/",
        "annual_target_withdraw": "/annual/targets/83/withdraw/",
        "milestone": "/annual/milestones/83/",
        "milestone_new": "/annual/milestones/new/",
        "milestone_edit": "/annual/milestones/83/edit/",
        "milestone_act": "/annual/milestones/83/act/",
        "milestone_withdraw": "/annual/milestones/83/withdraw/",
        "provincial_term": "/provincial/terms/83/",
        "provincial_term_new": "/provincial/terms/new/",
        "provincial_term_edit": "/provincial/terms/83/edit/",
        "provincial_term_act": "/provincial/terms/83/act/",
        "provincial_term_withdraw": "/provincial/terms/83/withdraw/",
        "provincial_figure": "/provincial/figures/83/",
        "provincial_figure_new": "/provincial/figures/new/",
        "provincial_figure_edit": "/provincial/figures/83/edit/",
        "provincial_figure_act": "/provincial/figures/83/act/",
        "provincial_figure_withdraw": "/provincial/figures/83/withdraw/",
        "board": "/dispatch/board/",
        "board_review": "/dispatch/board/review/",
        "board_remind": "/dispatch/board/remind/",
        "dispatch_accept_all": "/dispatch/accept/",
        "dispatch_review": f"/dispatch/{own.code}/{live.pk}/review/",
    }[name]


NAMES = sorted({name for name, _ in EXPECTED})


def ask(client, users, live, name, method, role, url):
    data = {"dispatch": [live.pk], "action": "accept"} if name.startswith(("dispatch_", "board_")) else {"action": "answer"}
    client.force_login(users[role])
    answer = getattr(client, method)(url, data)
    if role == "foreign_county" or (role == "foreign_department" and name.startswith("dispatch") and name != "dispatch_plans"):
        assert CANARY not in answer.content.decode()
    return answer.status_code


@pytest.mark.parametrize("name", NAMES)
def test_each_address_shows_each_role_what_it_should(client, own, users, live, name):
    url = address(name, own, live)
    assert tuple(ask(client, users, live, name, "get", role, url) for role in ROLES) == EXPECTED[name, "get"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("role", ROLES)  # what one has written is not there for the next
def test_each_address_takes_from_each_role_what_it_should(client, own, users, live, name, role):
    status = ask(client, users, live, name, "post", role, address(name, own, live))
    assert status == EXPECTED[name, "post"][ROLES.index(role)]


@pytest.mark.once
@pytest.mark.parametrize("name", NAMES)
def test_other_methods_change_nothing(client, own, users, live, name):
    url = address(name, own, live)
    for user in [None, *users.values()]:
        client.logout()
        if user:
            client.force_login(user)
        answers = {method: getattr(client, method)(url).status_code for method in ("put", "patch", "delete")}
        assert set(answers.values()) <= {302, 404, 405}, (user, answers)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_public(client, own, live, name):
    for method in ("get", "post"):
        answer = getattr(client, method)(address(name, own, live))
        assert answer.status_code == 302
        assert answer.url.startswith("/accounts/login/")


def test_every_address_has_an_entry():
    from projects import urls

    names = {pattern.name for pattern in urls.urlpatterns}
    assert names - ELSEWHERE == {name for name, _ in EXPECTED}


def test_a_foreign_county_writes_nothing_whatever_it_posts(client, own, users, live):
    client.force_login(users["foreign_county"])
    source = own.funding.get()
    data = {f"{own.code}-version": "1", f"{own.code}-physical_progress": "99", f"{own.code}-paid_wan_{source.pk}": "1"}
    for url in ("/dispatch/", f"/dispatch/{own.code}/"):
        for action in ("save", "submit", f"submit:{own.code}", f"same:{own.code}", f"discard:{own.code}"):
            client.post(url, data | {"action": action})
    rows = Dispatch.objects.filter(project=own, week_of=THIS_WEEK)
    assert [(row.pk, row.physical_progress) for row in rows] == [(live.pk, 40)]


def test_a_dispatch_is_not_reviewed_under_anothers_code(client, own, users, live):
    other = ProjectFactory(domain=own.domain)
    client.force_login(users["department"])
    assert client.post(f"/dispatch/{other.code}/{live.pk}/review/", {"action": "accept"}).status_code == 404


def test_one_foreign_dispatch_among_many_is_not_found_and_none_is_accepted(client, own, users, live):
    foreign = DispatchFactory(project=ProjectFactory(domain=DomainFactory(name="住建")), week_of=THIS_WEEK, submitted=True)
    client.force_login(users["department"])
    assert client.post("/dispatch/accept/", {"dispatch": [live.pk, foreign.pk]}).status_code == 404
    live.refresh_from_db()
    assert live.state == DispatchState.SUBMITTED


@pytest.mark.parametrize(("may_read", "status"), [(False, 404), (True, 200)])
def test_the_policy_says_whether_counties_read_each_other(client, own, users, may_read, status):
    Policy.objects.create(effective_on=TODAY, values={"counties_read_others": may_read}, reason="会议议定")
    client.force_login(users["foreign_county"])
    assert client.get("/projects/LF-001/").status_code == status
    assert client.get("/dispatch/LF-001/").status_code == 404


@pytest.mark.parametrize("path", ["/projects/", "/ledgers/master/", "/ledgers/master/?export=csv", "/", "/projects/LF-001/"])
def test_a_past_day_opens_nothing_that_is_closed_today(client, own, users, path):
    Policy.objects.create(effective_on=dt.date(2024, 1, 1), values={"counties_read_others": True}, reason="会议议定")
    Policy.objects.create(effective_on=TODAY, values={"counties_read_others": False}, reason="会议议定收回")
    client.force_login(users["foreign_county"])
    response = client.get(path, {"as_of": "2024-12-31"} | ({"export": "csv"} if "export" in path else {}))
    assert CANARY not in b"".join(response).decode()


def test_a_county_reads_what_is_its_own_now(own, users):
    current = own.versions.get()
    county = users["foreign_county"].unit.county
    ProjectVersion.objects.filter(pk=current.pk).update(effective_to=TODAY)
    current.pk, current.county, current.effective_from, current._state.adding = None, county, TODAY, True
    current.save()
    assert list(permissions.visible_projects(users["foreign_county"], TODAY)) == [own]
    assert list(permissions.dispatched_projects(users["county"])) == []


def test_predicates_follow_the_role(users):
    assert {
        role: (permissions.may_dispatch(u), permissions.may_review(u), permissions.may_edit_projects(u)) for role, u in users.items()
    } == {
        "county": (True, False, False),
        "foreign_county": (True, False, False),
        "department": (False, True, False),
        "foreign_department": (False, True, False),
        "office": (True, True, True),
        "leader": (False, False, False),
    }
    assert list(permissions.reviewed_projects(users["county"])) == []
    assert Project.objects.dispatched_by(users["leader"]).count() == 0
