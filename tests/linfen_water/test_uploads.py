"""Every page that takes a file, found by a walk over all addresses: hostile files are refused in words or made harmless, and cost nothing.

A new page that reads `request.FILES` fails the walk until it stands in `PAGES` or `NO_FILES`.
"""

import ast
import dataclasses
import datetime as dt
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLResolver, get_resolver, reverse

from ledgers import letter_services, services
from ledgers.intake_models import IntakeFile
from ledgers.models import AnswerFile, LetterAnswer
from linfen_water import jobs
from projects import problem_services
from projects.models import Attachment, FundingPaper, Photo
from projects.site_models import AcceptanceFact, ArchiveEntry, ArchiveItem, Inspection
from projects.views.records import RecordPages
from tests import sent_files as sent
from tests.factories import TODAY, ProjectFactory, RegionFactory, UnitFactory, UserFactory
from tests.sent_files import PDF, docx, package, picture, png_claiming, xlsx

OFFICE = {"office": {"name": "演示市清水工程专班办公室", "prefixes": {"letter": "演清专办函", "bulletin": "演清专办"}}}
TYPED = "这是已经填好的话"


# ── the pages ──


@dataclasses.dataclass(frozen=True)
class Page:
    """How one form is sent: `ready()` gives the address and what is typed beside the file."""

    field: str
    ready: Callable[[], tuple[str, dict]]
    takes: str  # photos, papers, tables
    saves_first: bool = False  # what was typed is saved, and then each file for itself


def _photos():
    return reverse("project_photos", args=["LF-001"]), {"caption": TYPED}


def _site():
    row = Inspection.objects.create(project=_project(), planned_on=TODAY, leader_post="科长")
    return reverse("inspection_site", args=[row.pk]), {"version": 0, "site_progress": "45", "demands": TYPED, "category": "", "finding": ""}


def _problem_files():
    return reverse("problem_files", args=[_problem().code]), {}


def _problem():
    return problem_services.raise_problem(
        project=_project(), by=UserFactory(), category="land", description="征地协议未签", raised_on=TODAY
    )


def _problem_close():
    problem = _problem()
    data = {"action": "close", "close-version": problem.edit_version, "close-basis": TYPED}
    return reverse("problem_act", args=[problem.code]), data


def _funds_paper():
    source = _project().funding.first()
    typed = {"paper-doc_number": TYPED, "paper-issued_on": "2025-02-19", f"paper-amount_{source.pk}": "1", "paper-note": "x"}
    return reverse("project_funds", args=["LF-001"]), {"action": "paper", **typed}


def _funds_files():
    paper = FundingPaper.objects.create(
        source=_project().funding.first(), doc_number="晋财〔2025〕1号", issued_on=dt.date(2025, 1, 9), amount_wan=1
    )
    return reverse("project_funds", args=["LF-001"]), {"action": "files", "paper": paper.pk}


def _archives():
    entry = ArchiveEntry.objects.create(name="立项批复", group="前期", position=1)
    item = ArchiveItem.objects.create(project=_project(), entry=entry)
    return reverse("archives", args=["LF-001"]), {"action": f"file:{item.pk}"}


def _acceptance():
    data = {"action": "fact", "kind": "trial_start", "on": "2025-01-31", "doc_number": "x", "amount_wan": "", "text": TYPED, "seen": ""}
    return reverse("acceptance", args=["LF-001"]), data


def _letter():
    """An issued letter that waits for its answer."""
    office = UserFactory(unit=UnitFactory(kind="office", code="office", name="专班办"))
    county = _project().versions.get().responsible_unit
    draft = services.draft_document(kind="supervision", period="2025-02-20", unit=county, by=office)
    digest = services.facts_digest(draft)
    letter_services.review(document=draft, by=office, facts_seen=digest, seen=draft.letter.edit_version)
    jobs.run(services.request_issue(document=draft, by=office, facts_seen=digest).pk)
    draft.letter.refresh_from_db()
    return reverse("letter_act", args=[draft.pk]), {"action": "answer", "seen": draft.letter.edit_version, "text": TYPED}


def _table(name: str, *args: str, **typed: str):
    return lambda: (reverse(name, args=args), {"reason": TYPED, **typed})


def _project():
    return ProjectFactory._meta.model.objects.get(code="LF-001")


PAGES = {
    "project_photos": [Page("photos", _photos, "photos")],
    "inspection_site": [Page("photos", _site, "photos", saves_first=True)],
    "problem_files": [Page("files", _problem_files, "papers")],
    "problem_act": [Page("close-files", _problem_close, "papers")],
    "project_funds": [Page("paper-files", _funds_paper, "papers"), Page("files-{paper}-files", _funds_files, "papers")],
    "archives": [Page("files", _archives, "papers")],
    "acceptance": [Page("files", _acceptance, "papers")],
    "letter_act": [Page("files", _letter, "papers")],
    "ledger_import": [Page("file", _table("ledger_import", "master"), "tables")],
    "air_import": [Page("file", _table("air_import"), "tables")],
    "readings_import": [Page("file", _table("readings_import", way="manual"), "tables")],
}
CASES = [pytest.param(page, id=f"{name}-{n}") for name, pages in PAGES.items() for n, page in enumerate(pages)]


# ── the walk ──


def addresses(resolver=None) -> Iterator[tuple[str, Callable]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern)
        else:
            yield pattern.name, inspect.unwrap(pattern.callback)


def reads_files(view: Callable) -> bool:
    """Whether the view, or anything of its module that it names, one through the other, reads `request.FILES`."""
    view = getattr(view, "view_class", view)
    owner = view if inspect.isclass(view) else type(view.__self__) if inspect.ismethod(view) else None
    start = ("dispatch", "post", "put") if inspect.isclass(view) else (view.__name__,)
    modules = {one.__module__ for one in (owner.__mro__ if owner else (view,))}
    return any(_reaches(module, start) for module in modules if module.split(".")[0] in APPS)


APPS = ("linfen_water", "monitoring", "projects", "ledgers")


@functools.cache
def _reaches(module: str, start: tuple[str, ...]) -> bool:
    about = _named(module)
    seen, ahead = set(), list(start)
    while ahead:
        name = ahead.pop()
        if name not in seen and name in about:
            seen.add(name)
            ahead += about[name]
    return any("FILES" in about[name] for name in seen)


@functools.cache
def _named(module: str) -> dict[str, set[str]]:
    """Of each function and constant of a module: all names that stand in it."""
    tree = ast.parse(Path(importlib.import_module(module).__file__).read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        names = [node.name] if isinstance(node, ast.FunctionDef) else []
        if isinstance(node, ast.Assign) and node in tree.body:
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        for name in names:
            inside = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            found.setdefault(name, set()).update(inside | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)})
    return found


def record_pages(kind=RecordPages) -> Iterator[type[RecordPages]]:
    for one in kind.__subclasses__():
        yield one
        yield from record_pages(one)


@pytest.mark.once
def test_every_address_that_reads_a_file_is_tried_below():
    found = {name: view for name, view in addresses() if reads_files(view)}
    no_files = {name for name, view in found.items() if isinstance(getattr(view, "__self__", None), RecordPages)}
    assert set(found) - no_files == set(PAGES)
    assert no_files >= {"inspection_act", "meeting_act", "case_act"}


@pytest.mark.once
def test_no_act_of_a_record_takes_a_file_yet():
    with_files = [
        f"{pages.__name__}.{act.key}"
        for pages in record_pages()
        for act in pages.acts
        if any(isinstance(field, forms.FileField) for field in act.form.base_fields.values())
    ]
    assert with_files == [], "their pages read request.FILES: list them in PAGES"


@pytest.mark.once
def test_every_input_for_files_stands_in_a_page_that_is_tried():
    """The templates that show one; forms that show it through their field are those of PAGES."""
    root = Path(__file__).parents[2] / "templates"
    found = {str(path.relative_to(root)) for path in root.rglob("*.html") if re.search(r'type="file"', path.read_text(encoding="utf-8"))}
    assert found == {
        "ledgers/air_import.html",
        "ledgers/import.html",
        "letters/letter.html",
        "projects/dispatch.html",  # sends to project_photos
        "projects/photos.html",
        "records/archives.html",
        "records/site.html",
        "sections/import.html",
    }


# ── what is sent ──

REFUSED: dict[str, tuple[bytes, str]] = {
    "动.jpg": (sent.GIF_JS, "photos papers tables"),
    "画.svg": (sent.SVG, "photos papers tables"),
    "画.png": (sent.SVG, "photos papers"),
    "网页.jpg": (sent.EVIL, "photos papers"),
    "网页.pdf": (sent.EVIL, "papers"),
    "网页.xlsx": (sent.EVIL, "tables"),
    "炸.png": (png_claiming(30_000, 30_000), "photos papers tables"),
    "断.jpg": (picture()[:400], "photos papers tables"),
    "断.pdf": (PDF[:40], "photos papers tables"),
    "断.xlsx": (xlsx()[:-30], "photos papers tables"),
    "空.jpg": (b"", "photos papers tables"),
    "夹.pdf": (PDF + package({"a.js": "alert(1)"}), "photos papers tables"),
    "跑.pdf": (sent.PDF_SCRIPT_PACKED, "photos papers tables"),
    "程序.pdf": (b"MZ\x90\0", "photos papers tables"),
    "宏.docx": (docx(kind=sent.MACRO_WORD), "photos papers tables"),
    "宏.xlsx": (xlsx({"xl/vbaProject.bin": b"x"}, sent.MACRO_SHEET), "photos papers tables"),
    "炸.docx": (docx({"word/x.xml": bytes(50 << 20)}), "photos papers tables"),
    "批复.jpg": (PDF, "papers"),
    "照片.pdf": (picture(), "papers tables"),
    "包.zip": (package({"a.html": sent.EVIL}), "photos papers tables"),
    "../../逃\u202efdp.exe": (b"MZ\x90\0", "photos papers tables"),
    "长" * 300 + ".exe": (b"MZ\x90\0", "photos papers tables"),
}


@pytest.fixture
def project(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    RegionFactory(settings=OFFICE)
    return ProjectFactory(code="LF-001", behind=True)


@pytest.fixture
def user(client, project):
    """The office; a letter is answered by its county."""
    person = UserFactory()
    client.force_login(person)
    return person


def kept(tmp_path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file())


def counts() -> list[int]:
    return [model.objects.count() for model in (Attachment, Photo, AnswerFile, LetterAnswer, IntakeFile, AcceptanceFact, FundingPaper)]


def prepared(page: Page, client, project) -> tuple[str, str, dict]:
    url, data = page.ready()
    if page.ready is _letter:
        client.force_login(UserFactory(in_county=True, unit=project.versions.get().responsible_unit))
    return url, page.field.format(**data), data


@pytest.mark.parametrize("page", CASES)
def test_a_hostile_file_is_refused_in_words_and_costs_nothing(page, client, project, user, tmp_path):
    url, field, data = prepared(page, client, project)
    rows, files = counts(), kept(tmp_path)
    for name, (content, takers) in REFUSED.items():
        if page.takes not in takers:
            continue
        version = {"version": Inspection.objects.get().edit_version} if page.saves_first else {}
        answer = client.post(url, data | version | {field: SimpleUploadedFile(name, content)}, follow=page.saves_first)
        text = answer.content.decode()
        assert (name, answer.status_code) == (name, 200 if page.saves_first else 422)
        assert re.search(r"请|只收|不是|没有收到", text), (name, re.findall(r'role="alert">([^<]*)', text))
        assert "\u202e" not in text
        assert TYPED in text or TYPED not in map(str, data.values()), name
        assert (name, counts(), kept(tmp_path)) == (name, rows, files)
    if page.saves_first:
        assert Inspection.objects.get().demands == TYPED


@pytest.mark.parametrize("page", [case for case in CASES if case.values[0].takes != "tables"])
def test_a_picture_leaves_everything_but_its_pixels_behind(page, client, project, user, tmp_path):
    url, field, data = prepared(page, client, project)
    before = set(kept(tmp_path))
    answer = client.post(url, data | {field: SimpleUploadedFile("../../现场\u202egpj.png" + ".jpg", sent.jpeg_with_everything())})
    assert answer.status_code == 302, answer.content.decode()
    new = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in before]
    assert new
    for path in new:
        stored = path.read_bytes()
        assert stored.startswith(b"\xff\xd8\xff")
        assert stored.endswith(b"\xff\xd9")
        assert not any(word in stored for word in (b"script", b"xmp", b"Exif", b"PK\x03\x04"))
    for row in (*Attachment.objects.all(), *AnswerFile.objects.all()):
        assert row.name == "现场gpj.png.jpg"
        place = reverse("answer_file" if isinstance(row, AnswerFile) else "attachment", args=[row.pk])
        served = client.get(place)
        assert served["Content-Disposition"].startswith("attachment;")
        assert (served["X-Content-Type-Options"], served["Content-Type"]) == ("nosniff", "image/jpeg")


def test_a_step_whose_files_cannot_all_be_kept_is_not_written(client, project, user, tmp_path, monkeypatch):
    monkeypatch.setattr("projects.attachments.MOST", 1)
    url, data = _acceptance()
    answer = client.post(url, data | {"files": [SimpleUploadedFile("a.pdf", PDF), SimpleUploadedFile("b.pdf", PDF + b" ")]})
    assert (answer.status_code, counts()[5], kept(tmp_path)) == (422, 0, [])
    assert TYPED in answer.content.decode()
