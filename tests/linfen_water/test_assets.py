"""Scripts and fonts: fetched, or honestly replaced."""

import pytest
from fontTools.ttLib import TTFont

from linfen_water import assets

pytestmark = pytest.mark.once


@pytest.fixture
def machine(settings, tmp_path, monkeypatch):
    """A machine without npm and apt-get."""
    settings.DATA_DIR, settings.ASSETS_DIR, settings.FONTS_DIR = tmp_path, tmp_path / "assets", tmp_path / "fonts"
    monkeypatch.setenv("PATH", "")
    return tmp_path


def of(*names):
    return [asset for asset in assets.ASSETS if asset.name in names]


def test_without_package_clients_everything_falls_back_and_says_why(machine, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", of("plotly", "barlow", "documents"))
    faults = {asset.name: fault for asset, fault in assets.ensure()}
    assert faults == {"plotly": "没有 npm", "barlow": "没有 npm", "documents": "没有 apt-get"}
    assert "Plotly" in (machine / "assets" / "plotly.min.js").read_text()[:20_000]
    for name in assets.BARLOW_FILES:
        assert TTFont(machine / "assets" / "fonts" / name).getBestCmap().keys() >= set(map(ord, "0123456789%."))


def test_what_is_there_is_left_alone_until_asked_to_retry(machine, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", of("plotly"))
    list(assets.ensure())
    script = machine / "assets" / "plotly.min.js"
    script.write_text("kept")
    list(assets.ensure())
    assert script.read_text() == "kept"
    list(assets.ensure(retry=True))
    assert script.read_text() != "kept"


def test_file_that_vanished_is_made_again(machine, monkeypatch):
    monkeypatch.setattr(assets, "ASSETS", of("plotly"))
    list(assets.ensure())
    (machine / "assets" / "plotly.min.js").unlink()
    list(assets.ensure())
    assert (machine / "assets" / "plotly.min.js").is_file()


def test_asset_is_made_again_when_it_lacks_a_character(machine, monkeypatch):
    made = []
    asset = assets.Asset("title", "", "", lambda: made.append(1), "", None, lambda: {"清", "水"})
    monkeypatch.setattr(assets, "files", lambda asset: [])
    monkeypatch.setattr(assets, "ASSETS", [asset])
    list(assets.ensure())
    list(assets.ensure())
    assert made == [1]
    wider = assets.Asset("title", "", "", lambda: made.append(2), "", None, lambda: {"清", "水", "洰"})
    monkeypatch.setattr(assets, "ASSETS", [wider])
    list(assets.ensure())
    assert made == [1, 2]


def test_title_font_covers_what_the_pages_say():
    assert set("一泓清水入黄河 工程项目分布图 汾河 隰县 0123456789%“”（）") <= set(assets.title_characters())


def test_broken_record_is_taken_for_none(machine):
    (machine / "assets.json").write_text("{")
    assert assets.read_record() == {}
