"""`check_setup` names what is missing and how to mend it."""

import os
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from linfen_water import setup_report, trail_guard
from linfen_water.models import Job, Region
from linfen_water.setup_report import Level

pytestmark = pytest.mark.django_db


@pytest.fixture
def sentences(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return lambda level: [finding.sentence for finding in setup_report.findings() if finding.level == level]


def test_empty_installation_is_told_what_to_run(sentences):
    wrong = "".join(sentences(Level.WRONG))
    assert "manage.py fetch_assets" in wrong
    assert "manage.py collectstatic" in wrong
    assert "manage.py load_region" in wrong


def test_secret_that_others_can_read_is_wrong(sentences, tmp_path):
    (tmp_path / "secrets").mkdir()
    key = tmp_path / "secrets" / "trail_key"
    key.write_text("x")
    key.chmod(0o644)
    assert any(f"chmod 600 {key}" in sentence for sentence in sentences(Level.WRONG))
    key.chmod(0o600)
    assert not any("chmod" in sentence for sentence in sentences(Level.WRONG))


def test_failed_jobs_are_counted(sentences):
    Job.objects.create(key="k", kind="x", state="failed")
    assert "有 1 个作业失败，请在“今日”页查看原因并重试。" in sentences(Level.FELL_BACK)


def test_missing_guard_is_wrong(sentences):
    from django.db import connection

    trail_guard.remove(connection)
    assert any("触发器不见了" in sentence for sentence in sentences(Level.WRONG))


@pytest.mark.parametrize(("age", "level"), [(60, Level.GOOD), (3600, Level.FELL_BACK)])
def test_worker_that_went_silent_is_noticed(sentences, tmp_path, settings, age, level):
    settings.RECONCILE_SECONDS = 300
    path = tmp_path / "reconciled"
    path.touch()
    then = timezone.now().timestamp() - age
    os.utime(path, (then, then))
    assert any("巡检" in sentence for sentence in sentences(level))


@pytest.mark.parametrize(
    ("url", "shown"),
    [("redis://:secret@host:6379/0", "redis://…@host:6379/0"), ("leased:////srv/broker.sqlite3", "leased:////srv/broker.sqlite3")],
)
def test_password_of_the_broker_is_not_shown(url, shown):
    assert setup_report._masked(url) == shown


def test_command_ends_with_1_when_something_is_wrong(sentences):
    Region.objects.create(slug="x", name="某市", programme="某工程")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_setup", stdout=out, no_color=True)
    assert ended.value.code == 1
    assert out.getvalue().endswith("有错误，见带 ✗ 的各项。\n")
    assert "✓ 区域：某市。" in out.getvalue()
