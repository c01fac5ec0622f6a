"""A site visit through a browser: planned by risk, filled in on a phone with a photo, rectified, checked again."""

import io

from PIL import Image
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}


def photo() -> dict:
    data = io.BytesIO()
    Image.effect_noise((900, 700), 60).convert("RGB").save(data, "JPEG")
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": data.getvalue()}


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
    phone.goto(f"/problems/{code}/")
    phone.click("summary:has-text('核查销号')")
    phone.fill("#id_close-basis", "复查现场机械已到位")
    phone.fill("#id_close-no_evidence", "照片见现场督导")
    phone.click("button[value=close]")
    expect(phone.locator(".page-head .problem-state")).to_have_text("销号")
