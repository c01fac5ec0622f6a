"""Secrets that a machine makes for itself."""

import concurrent.futures

import pytest

from linfen_water import settings as product

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path):
    monkeypatch.setattr(product, "DATA_DIR", tmp_path)
    return tmp_path


def test_many_starts_at_once_find_one_whole_secret(data_dir):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: product._kept_secret("trail_key", ""), range(40)))
    assert len(found) == 1
    assert len(found.pop()) == 50
    assert [path.name for path in (data_dir / "secrets").iterdir()] == ["trail_key"]


def test_nobody_else_reads_a_secret(data_dir):
    product._kept_secret("secret_key", "")
    assert (data_dir / "secrets" / "secret_key").stat().st_mode & 0o077 == 0


def test_what_the_environment_gives_is_taken_and_not_kept(data_dir):
    assert product._kept_secret("secret_key", "given") == "given"
    assert not (data_dir / "secrets").exists()
