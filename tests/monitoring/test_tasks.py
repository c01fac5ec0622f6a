"""The feed is fetched once a slot, from a platform that fails in every way first."""

import datetime as dt
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from linfen_water import jobs, setup_report
from linfen_water.enums import JobState
from linfen_water.models import Job
from monitoring import recording, samples, services, tasks
from monitoring.enums import IntakeKind
from monitoring.models import Intake, StationRecord
from tests.factories import RegionFactory, SectionFactory
from tests.monitoring.test_feed import answer, row

pytestmark = pytest.mark.django_db


class Platform(BaseHTTPRequestHandler):
    """Answers what `script` says next: a status, a body, what to do before, where to send on."""

    def do_GET(self):
        self.answer("")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, posted):
        self.server.asked.append((self.command, self.path, posted))
        status, body, location = self.server.script.pop(0)
        if callable(body):
            body(self)
            return
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def platform(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    server.script, server.asked = [], []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.READINGS_URL = f"http://127.0.0.1:{server.server_port}/feed?key=secret"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def section():
    RegionFactory(settings={"province": "山西省"}, demo_on=None)
    return SectionFactory(name="河津大桥")


def now_row():
    return row(time=f"{timezone.localtime() - dt.timedelta(hours=1):%m-%d %H:%M}")


def attempt(job):
    Job.objects.filter(pk=job.pk).update(not_before=None)
    done = jobs.run(job.pk)
    job.refresh_from_db()
    return done


def new_job(key="readings:1"):
    return Job.objects.create(key=key, kind=tasks.KIND)


def test_a_platform_that_recovers_is_read_in_the_end(section, platform, monkeypatch):
    monkeypatch.setattr(tasks, "SILENCE", 0.2)
    good = answer(now_row())
    platform.script = [
        (500, "boom", None),
        (200, lambda handler: time.sleep(0.6), None),  # silent
        (200, good[:-50], None),  # truncated
        (200, "<html>维护</html>", None),
        (200, good, None),
    ]
    job = new_job()
    assert [attempt(job) for _ in range(5)] == [False, False, False, False, True]
    assert (job.state, job.error) == (JobState.DONE, "")
    intake = Intake.objects.get()
    assert (intake.kind, intake.counts["taken"], StationRecord.objects.get().intake) == ("feed", 1, intake)
    assert "secret" not in intake.name


def test_a_form_is_posted(section, platform, settings):
    settings.READINGS_BODY = "action=getRealDatas&AreaID=14"
    platform.script = [(200, answer(now_row()), None)]
    attempt(new_job())
    assert platform.asked == [("POST", "/feed?key=secret", "action=getRealDatas&AreaID=14")]


def test_doing_it_twice_changes_nothing(section, platform):
    platform.script = [(200, answer(data := now_row()), None), (200, answer(data), None)]
    assert [attempt(new_job("a")), attempt(new_job("b"))] == [True, True]
    assert [intake.counts["same"] for intake in Intake.objects.order_by("pk")] == [0, 1]
    assert StationRecord.objects.count() == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"])
def test_nobody_sends_us_on_to_a_file(section, platform, location):
    platform.script = [(302, "", location)]
    job = new_job()
    assert not attempt(job)
    assert job.state == JobState.FAILED  # for good: what the platform asks for is not done
    assert "http://" in job.error


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "127.0.0.1/feed"])
def test_only_web_addresses_are_fetched(url):
    with pytest.raises(jobs.Refused, match="http://"):
        tasks.fetch(url)


def test_a_redirect_to_another_page_is_followed(platform):
    platform.script = [(302, "", "/other"), (200, "data", None)]
    assert tasks.fetch(f"http://127.0.0.1:{platform.server_port}/feed") == b"data"


@pytest.mark.parametrize(("status", "fault"), [(404, jobs.Refused), (403, jobs.Refused), (429, tasks.NoAnswer), (503, tasks.NoAnswer)])
def test_what_will_not_mend_is_not_tried_again(platform, settings, status, fault):
    platform.script = [(status, "", None)]
    with pytest.raises(fault, match=str(status)) as told:
        tasks.fetch(settings.READINGS_URL)
    assert "secret" not in str(told.value)


def test_a_huge_answer_is_refused(platform, settings, monkeypatch):
    monkeypatch.setattr("monitoring.intake.feed.LARGEST", 1000)
    platform.script = [(200, "x" * 200_000, None)]
    with pytest.raises(jobs.Refused, match="没有导入"):
        tasks.fetch(settings.READINGS_URL)


def test_a_platform_that_drips_is_left(platform, settings, monkeypatch):
    monkeypatch.setattr(tasks, "LONGEST", 0)
    platform.script = [(200, "x" * 10, None)]
    with pytest.raises(tasks.NoAnswer, match="过慢"):
        tasks.fetch(settings.READINGS_URL)


def test_nobody_there_is_an_answer_too(settings):
    with pytest.raises(tasks.NoAnswer, match="连不上"):
        tasks.fetch("http://127.0.0.1:1/feed")


# ── The calendar ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("hour", "hours", "slot"), [(9, 4, 8), (8, 4, 8), (7, 4, 4), (23, 24, 0), (9, 1, 9)])
def test_one_slot_of_the_hours_is_due(settings, monkeypatch, hour, hours, slot):
    settings.READINGS_URL, settings.READINGS_HOURS = "http://127.0.0.1/", hours
    now = timezone.make_aware(dt.datetime(2025, 2, 20, hour, 30))
    monkeypatch.setattr(timezone, "localtime", lambda: now)
    assert [due.key for due in tasks.readings_due(now.date())] == [f"readings:2025-02-20T{slot:02}"]


def test_nothing_is_due_without_an_address_or_under_another_date(settings):
    settings.READINGS_URL = ""
    assert list(tasks.readings_due(timezone.localdate())) == []
    settings.READINGS_URL = "http://127.0.0.1/"
    assert list(tasks.readings_due(dt.date(2025, 2, 20))) == []
    assert len(list(tasks.readings_due(timezone.localdate()))) == 1


# ── A dead feed shows ────────────────────────────────────────────────────────────────────────────────────────────────
def readings_finding():
    return next(found for found in setup_report.findings() if found.sentence.startswith("自动站数据"))


def done(hours, **more):
    return Job.objects.create(key=f"readings:{hours}", kind=tasks.KIND, finished_at=timezone.now() - dt.timedelta(hours=hours), **more)


def test_the_setup_report_says_when_the_feed_was_read_last(section, settings):
    assert "没有设置" in readings_finding().sentence
    settings.READINGS_URL = "http://127.0.0.1/"
    assert readings_finding().level == setup_report.Level.FELL_BACK
    done(50, state=JobState.DONE)
    done(2, state=JobState.FAILED, error="NoAnswer: 自动站数据平台答复 500。")
    assert readings_finding().sentence == "自动站数据已 50 小时没有取到。最近一次出错：自动站数据平台答复 500。"
    done(3, state=JobState.DONE)
    assert (readings_finding().level, readings_finding().sentence) == (setup_report.Level.GOOD, "自动站数据 3 小时前取到。")


def test_a_dead_feed_is_told_once_not_once_a_slot(section, platform):
    platform.script = [(404, "", None)] * 2
    attempt(new_job("a"))
    attempt(new_job("b"))
    assert [job.key for job in Job.objects.filter(state=JobState.FAILED)] == ["b"]
    assert not Job.objects.filter(state=JobState.DONE, error="").exists()


# ── A month that is over ──


@pytest.fixture
def on_day(settings):
    def set_day(day):
        settings.OFFICE_TODAY = day

    return set_day


def typed_in_a_running_month(section, on_day):
    on_day(dt.date(2025, 2, 20))
    at = timezone.make_aware(dt.datetime(2025, 2, 6, 10))
    values = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05"}
    sample = samples.Sample(section, at, {key: samples.Value(Decimal(value)) for key, value in values.items()})
    recording.take_in(samples.Batch(samples=[sample]), kind=IntakeKind.FORM, by=None)


def judge_by_the_calendar():
    jobs.reconcile()
    for job in Job.objects.filter(kind=tasks.ASSESS, state=JobState.QUEUED):
        assert jobs.run(job.pk)


def test_values_typed_while_the_month_ran_are_judged_when_it_is_over(on_day):
    RegionFactory(demo_on=None)
    section = SectionFactory()
    typed_in_a_running_month(section, on_day)
    judge_by_the_calendar()
    assert not section.assessments.exists()
    on_day(dt.date(2025, 3, 1))
    judge_by_the_calendar()
    row = section.assessments.get(period_kind="month")
    assert (row.starts_on, row.water_class, row.published_on) == (dt.date(2025, 2, 1), 2, dt.date(2025, 3, 1))
    judge_by_the_calendar()
    on_day(dt.date(2025, 3, 20))
    judge_by_the_calendar()
    assert section.assessments.filter(period_kind="month").count() == 1
    assert Job.objects.filter(kind=tasks.ASSESS).count() == 1


def test_a_month_of_which_nothing_is_known_is_not_judged(on_day):
    RegionFactory(demo_on=None)
    SectionFactory()
    on_day(dt.date(2025, 3, 1))
    jobs.reconcile()
    assert not Job.objects.filter(kind=tasks.ASSESS).exists()


def test_a_machine_that_stood_still_judges_the_months_it_missed(on_day):
    RegionFactory(demo_on=None)
    section = SectionFactory()
    typed_in_a_running_month(section, on_day)
    on_day(dt.date(2025, 5, 5))
    judge_by_the_calendar()
    assert [str(row.starts_on) for row in section.assessments.filter(period_kind="month")] == ["2025-02-01"]


def test_the_calendar_leaves_a_result_alone_whose_section_was_changed_since(on_day):
    RegionFactory(demo_on=None)
    section, other = SectionFactory(), SectionFactory()
    typed_in_a_running_month(section, on_day)
    typed_in_a_running_month(other, on_day)
    on_day(dt.date(2025, 3, 1))
    services.reassess(section=section, months=[dt.date(2025, 2, 1)], published_on=dt.date(2025, 3, 1))
    section.x_items = ["cod"]
    section.save()
    judge_by_the_calendar()
    assert section.assessments.get(period_kind="month").items == ["ph", "do", "codmn", "nh3n", "tp"]
    assert other.assessments.filter(period_kind="month").count() == 1


def test_a_quarter_whose_last_month_nobody_sampled_is_judged_all_the_same(on_day):
    RegionFactory(demo_on=None)
    section = SectionFactory()
    on_day(dt.date(2025, 2, 25))
    values = {"ph": "8", "do": "9", "codmn": "3", "nh3n": "0.3", "tp": "0.05"}
    typed = {key: samples.Value(Decimal(value)) for key, value in values.items()}
    for month in (1, 2):
        at = timezone.make_aware(dt.datetime(2025, month, 6, 10))
        recording.take_in(samples.Batch(samples=[samples.Sample(section, at, typed)]), kind=IntakeKind.FORM, by=None)
    on_day(dt.date(2025, 4, 1))
    judge_by_the_calendar()
    quarter = section.assessments.get(period_kind="quarter")
    assert (quarter.water_class, quarter.note) == (2, "不含3月")
    assert not section.assessments.filter(starts_on=dt.date(2025, 3, 1)).exists()
