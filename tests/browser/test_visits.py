"""A site visit through a browser: planned by risk, filled in on a phone with a photo, rectified, checked again."""

import csv
import io

from django.conf import settings
from PIL import ExifTags, Image
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}


def photo(taken_at: tuple[float, float] | None = None) -> dict:
    """As a phone sends it, with the place (lat, lon) if told."""
    data, exif = io.BytesIO(), Image.Exif()
    if taken_at:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (taken_at[0], 0.0, 0.0), 3: "E", 4: (taken_at[1], 0.0, 0.0)})
        exif[ExifTags.Base.Model] = "演示手机"
    Image.effect_noise((900, 700), 60).convert("RGB").save(data, "JPEG", exif=exif)
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": data.getvalue()}


def account_of(unit: str) -> str:
    """The demo's account of a county's unit."""
    with (settings.BASE_DIR / "projects/regions/linfen/units.csv").open(encoding="utf-8") as rows:
        return "c" + next(row["code"] for row in csv.DictReader(rows) if row["name"] == unit.strip())


def test_a_visit_goes_from_its_plan_to_a_problem_with_a_photo_and_its_re_inspection(person):
    office = person("office", "/inspections/")
    first = office.locator(".visit-rows > li").first
    expect(first).to_contain_text("分）")
    first.locator("input[name=project]").check()
    office.fill("#id_planned_on", "2025-02-20")
    office.fill("#id_leader_post", "专班办副主任")
    office.click("text=安排所选项目")
    expect(office.locator(".stops > li")).not_to_have_count(0)
    path = office.locator(".stops > li a").first.get_attribute("href")

    phone = person("office", path + "site/", viewport=PHONE, has_touch=True)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.fill("#id_site_progress", "20")
    phone.select_option("#id_category", index=1)
    phone.locator("button.button-wide").tap()
    expect(phone.locator(".field-error")).to_contain_text(["请写明发现的问题"])
    assert phone.input_value("#id_site_progress") == "20"
    phone.fill("#id_finding", "作业面只有两台机械，周完成量不足")
    phone.fill("#id_demands", "三日内增加机械和人员")
    phone.fill("#id_due_on", "2025-02-25")
    phone.set_input_files("#id_photos", photo())
    phone.locator("button.button-wide").tap()
    expect(phone.locator(".notice-success")).to_contain_text("照片 1 张")
    expect(phone.locator(".photo-row img")).to_have_count(1)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    code = phone.locator(".rows a[href^='/problems/']").first.inner_text()
    assert code.startswith("WT-2025-")

    phone.click("summary:has-text('反馈整改情况')")
    phone.fill("#id_answer-answer", "已增加四台机械，照片附后")
    phone.click("button[value=answer]")
    phone.click("summary:has-text('复查通过')")
    phone.fill("#id_close-closing_basis", "复查现场机械已到位")
    phone.click("button[value=close]")
    expect(phone.locator("body")).to_contain_text("2025-02-20 办结")

    # the county proves with a photo of its own, from the phone, what the office closes the problem on
    phone.goto(f"/problems/{code}/")
    county = person(
        account_of(phone.locator("dt:has-text('承办') + dd").first.inner_text()), f"/problems/{code}/", viewport=PHONE, has_touch=True
    )
    county.click("button[value=begin]")
    county.locator(".notice-success").wait_for()
    county.click("summary:has-text('报请核查')")
    county.fill("#id_answer-basis", "四台机械已进场，照片附后")
    county.set_input_files("#id_answer-files", photo(taken_at=(36.09, 111.52)))
    county.click("button[value=answer]")
    expect(county.locator(".page-head .problem-state")).to_have_text("待核")
    phone.reload()
    with phone.expect_download() as download:
        phone.click(".files a")
    shown = Image.open(download.value.path())
    assert (shown.format, dict(shown.getexif())) == ("JPEG", {})  # where it was taken is not handed out
    phone.click("summary:has-text('核查销号')")
    assert phone.input_value("#id_close-basis") == "四台机械已进场，照片附后"
    phone.click("button[value=close]")
    expect(phone.locator(".page-head .problem-state")).to_have_text("销号")
