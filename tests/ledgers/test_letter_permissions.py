"""Every address of letters and measures × role × method; an address without an entry fails. The simulator and the stops as pages."""

import pytest
from django.urls import reverse

from ledgers import letter_services, services
from ledgers.documents import DocumentFault
from ledgers.models import AnswerFile, Document
from linfen_water import jobs
from linfen_water.models import TrailEvent
from projects.stop_models import ApprovedStop
from tests.factories import TODAY, CountyFactory, ProjectFactory, RegionFactory, UnitFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CANARY = "金丝雀不该外传"
OFFICE = {"office": {"name": "演示市清水工程专班办公室", "prefixes": {"letter": "演清专办函", "bulletin": "演清专办"}}}
ROLES = ("county", "foreign_county", "department", "office", "leader")

# address name → what (addressee, foreign county, department, office, leader) get, by method. A foreign row is not there (404).
EXPECTED = {
    ("measures", "get"): (200, 200, 200, 200, 200),
    ("measures", "post"): (405, 405, 405, 405, 405),
    ("simulate", "get"): (404, 404, 404, 200, 200),
    ("simulate", "post"): (405, 405, 405, 405, 405),
    ("stops", "get"): (200, 200, 200, 200, 200),
    ("stops", "post"): (404, 404, 404, 422, 404),
    ("letters", "get"): (200, 200, 200, 200, 200),
    ("letters", "post"): (405, 405, 405, 405, 405),
    ("draft_letters", "get"): (405, 405, 405, 405, 405),
    ("draft_letters", "post"): (403, 403, 403, 404, 403),  # of no kind
    ("letter", "get"): (200, 404, 404, 200, 200),
    ("letter", "post"): (405, 405, 405, 405, 405),
    ("letter_act", "get"): (405, 405, 405, 405, 405),
    ("letter_act", "post"): (422, 404, 404, 422, 422),  # nothing asked
    ("unit_letters", "get"): (200, 404, 404, 200, 200),
    ("unit_letters", "post"): (405, 405, 405, 405, 405),
    ("answer_file", "get"): (200, 404, 404, 200, 200),
    ("answer_file", "post"): (405, 405, 405, 405, 405),
}


@pytest.fixture
def project(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    RegionFactory(settings=OFFICE)
    return ProjectFactory(behind=True, name="甲县河道治理工程")


@pytest.fixture
def users(project):
    return {
        "county": UserFactory(in_county=True, unit=project.versions.get().responsible_unit),
        "foreign_county": UserFactory(in_county=True, county=CountyFactory()),
        "department": UserFactory(in_department=True, domain=project.domain),
        "office": UserFactory(unit=UnitFactory(kind="office", code="office", name="专班办")),
        "leader": UserFactory(leader=True),
    }


@pytest.fixture
def letter(users) -> Document:
    """An issued letter with an answer that waits for the check, and a file beside it."""
    office, county = users["office"], users["county"]
    draft = services.draft_document(kind="supervision", period="2025-02-20", unit=county.unit, by=office)
    digest = services.facts_digest(draft)
    letter_services.review(document=draft, by=office, facts_seen=digest, seen=draft.letter.edit_version)
    jobs.run(services.request_issue(document=draft, by=office, facts_seen=digest).pk)
    answer(draft, county)
    return fresh(draft)


def fresh(document: Document) -> Document:
    return Document.objects.select_related("letter", "unit").get(pk=document.pk)


def answer(document: Document, by) -> None:
    file = letter_services.Upload("a.pdf", b"%PDF-1.4 answer %%EOF")
    letter_services.answer(document=document, by=by, text=CANARY, files=[file], seen=fresh(document).letter.edit_version)


def address(name: str, letter: Document) -> str:
    args = {
        "letter": [letter.pk],
        "letter_act": [letter.pk],
        "unit_letters": [letter.unit.code],
        "answer_file": [AnswerFile.objects.get().pk],
    }
    return reverse(name, args=args.get(name, []))


@pytest.mark.parametrize("role", ROLES)
def test_each_address_answers_each_role_as_it_should(client, letter, users, role):
    client.force_login(users[role])
    for (name, method), statuses in EXPECTED.items():
        answer = getattr(client, method)(address(name, letter))
        assert (name, method, answer.status_code) == (name, method, statuses[ROLES.index(role)])
        if role in {"foreign_county", "department"} and not answer.streaming:
            text = answer.content.decode()
            assert CANARY not in text
            assert letter.file_number not in text


@pytest.mark.parametrize("role", [*ROLES, None])
def test_other_methods_change_nothing_and_nothing_is_public(client, letter, users, role):
    if role:
        client.force_login(users[role])
    events = TrailEvent.objects.count()
    for name in sorted({name for name, _ in EXPECTED}):
        for method in ("put", "patch", "delete"):
            assert getattr(client, method)(address(name, letter)).status_code in {302, 404, 405}
        if role is None:
            assert client.get(address(name, letter)).url.startswith("/accounts/login/")
    assert TrailEvent.objects.count() == events


def test_every_address_has_an_entry():
    from ledgers import urls

    names = {pattern.name for pattern in urls.urlpatterns if str(pattern.pattern).startswith(("letters/", "measures/"))}
    assert names == {name for name, _ in EXPECTED}


@pytest.mark.parametrize("act", ["accept", "ask_again"])
def test_an_answer_to_a_withdrawn_letter_is_not_checked_any_more(letter, users, act):
    services.withdraw_document(document=letter, by=users["office"], reason="印发有误")
    with pytest.raises(DocumentFault, match="作废"):
        getattr(letter_services, act)(document=letter, by=users["office"], remark="核实", seen=fresh(letter).letter.edit_version)
    with pytest.raises(DocumentFault):
        answer(letter, users["county"])
    assert fresh(letter).letter.closed_at is None


# ── Simulator ──


def test_the_simulator_writes_nothing_and_says_who_is_lost(client, project, users):
    client.force_login(users["leader"])
    events = TrailEvent.objects.count()
    plain = client.get("/measures/simulate/").context
    assert not plain["is_moved"]
    assert (plain["gained"], plain["lost"]) == ([], [])
    milder = client.get("/measures/simulate/", {"far_behind_points": "90", "behind_points": "80"})
    assert milder.status_code == 200
    assert milder.context["is_moved"]
    assert [verdict.subject for verdict, _ in milder.context["lost"]]
    assert TrailEvent.objects.count() == events


@pytest.mark.parametrize(("role", "expected"), [("county", False), ("office", True), ("leader", True)])
def test_every_page_of_measures_leads_whoever_may_to_the_simulator(client, project, users, role, expected):
    client.force_login(users[role])
    pages = [client.get(path).content.decode() for path in ("/measures/", "/measures/stops/")]
    assert ["/measures/simulate/" in page for page in pages] == [expected, expected]


@pytest.mark.parametrize("text", ["-1", "1e9", "９", "<b>", "99999"])
def test_a_threshold_that_is_none_is_told_and_kept(client, project, users, text):
    client.force_login(users["office"])
    answer = client.get("/measures/simulate/", {"behind_points": text})
    assert answer.status_code == 422
    assert "之间的整数" in answer.content.decode()
    assert answer.context["outcome"] is None


def test_a_replay_gives_the_same_each_time(project):
    from ledgers.measures import facts, rules
    from linfen_water import policy

    days = facts.weekly_days(TODAY, 8)
    values = policy.values_on_each(days)

    def replay() -> list:
        return [rules.judge(material, values[material.day]) for material in facts.read(days)]

    first = replay()
    assert any(first)
    assert replay() == first


# ── Stops ──

STOP = {"kind": "winter", "ground": "冬季停工备案", "from_on": "2025-02-01", "until_on": "2025-02-28"}


def test_the_office_records_a_stop_once_and_withdraws_it_with_a_reason(client, project, users):
    client.force_login(users["office"])
    form = STOP | {"project": project.code.lower()}
    for _ in range(2):
        assert client.post("/measures/stops/", form).status_code == 302
    stop = ApprovedStop.objects.get()
    assert client.post("/measures/stops/", {"withdraw": stop.pk, "reason": ""}).status_code == 422
    assert client.post("/measures/stops/", {"withdraw": stop.pk, "reason": "备案有误"}).status_code == 302
    assert not ApprovedStop.objects.standing().exists()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"from_on": "31.2."}, "from_on"),
        ({"until_on": "2025-01-01"}, "until_on"),
        ({"project": "LF-999"}, "project"),
        ({"kind": ""}, "kind"),
    ],
)
def test_a_faulty_stop_is_told_by_field_and_nothing_typed_is_lost(client, project, users, typed, field):
    client.force_login(users["office"])
    answer = client.post("/measures/stops/", STOP | {"ground": CANARY} | typed)
    assert answer.status_code == 422
    assert field in answer.context["faults"]
    assert CANARY in answer.content.decode()
    assert not ApprovedStop.objects.exists()


def test_a_county_reads_no_stop_of_another(client, project, users):
    ApprovedStop.objects.create(project=project, kind="winter", ground=CANARY, from_on=TODAY, until_on=TODAY, by=users["office"])
    client.force_login(users["foreign_county"])
    assert CANARY not in client.get("/measures/stops/").content.decode()
    client.force_login(users["county"])
    assert CANARY in client.get("/measures/stops/").content.decode()
