"""A ledger on paper: head on each page, every cell that the workbook has, bounded."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from pdfminer.high_level import extract_pages
from pdfminer.layout import LAParams, LTTextContainer

from ledgers.columns import LedgerColumn, WanColumn
from ledgers.documents import ledger_paper
from tests.factories import ProjectFactory, RegionFactory, UserFactory


def words(pdf: bytes) -> list[str]:
    pages = extract_pages(io.BytesIO(pdf), laparams=LAParams(all_texts=True))
    return ["".join(box.get_text() for box in page if isinstance(box, LTTextContainer)) for page in pages]


@pytest.mark.once
@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (None, LedgerColumn("名称"), ""),
        ("一号\n 河\x0b", LedgerColumn("名称"), "一号 河"),
        ("河" * 601, LedgerColumn("名称"), "河" * 600 + "……（全文见台账）"),
        (Decimal("1234567.5"), WanColumn("总投资"), "1,234,567.50"),
        (dt.date(2025, 8, 1), LedgerColumn("日期"), "2025-08-01"),
    ],
)
def test_a_cell_reads_as_in_the_workbook(value, column, text):
    assert ledger_paper.said(value, column) == text


@pytest.mark.django_db
class TestPage:
    @pytest.fixture(autouse=True)
    def region(self):
        return RegionFactory()

    @pytest.fixture
    def office(self, client):
        client.force_login(UserFactory(username="office"))
        return client

    def test_head_rows_and_marks_stand_on_each_page(self, office):
        for number in range(1, 46):
            ProjectFactory(code=f"LF-{number:03}", name=f"第{number}号河道治理" + "及配套工程" * 6)
        answer = office.get("/ledgers/master/?export=pdf")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Cache-Control"] == "private, no-store"
        pages = words(answer.content)
        assert len(pages) > 1
        for number, page in enumerate(pages, 1):
            assert "总投资" in page
            assert f"第 {number} 页，共 {len(pages)} 页" in page
        text = "".join(pages)
        assert all(f"LF-{number:03}" in text for number in range(1, 46))
        assert "合计" in text

    def test_it_has_the_columns_of_the_screen_and_says_where_the_others_are(self, office):
        ProjectFactory(reported=40)
        usual = "".join(words(office.get("/ledgers/master/?export=pdf").content))
        assert "建设规" not in usual
        assert "注：本表印16列；全部29列见台账，或导出Excel。" in "".join(usual.split())
        assert "建设规" in "".join(words(office.get("/ledgers/master/?export=pdf&view=all").content))

    def test_nothing_chosen_is_said(self, office):
        assert "没有符合条件的行" in "".join(words(office.get("/ledgers/problems/?export=pdf").content))

    def test_words_of_people_are_no_source(self, office):
        ProjectFactory(code="LF-001", name="#panic() *河* $x$ 《㎡》")
        assert "#panic() *河* $x$" in "".join(words(office.get("/ledgers/master/?export=pdf").content))

    def test_too_many_rows_are_refused_in_words(self, office, monkeypatch):
        monkeypatch.setattr(ledger_paper, "MOST_ROWS", 1)
        ProjectFactory()
        ProjectFactory()
        answer = office.get("/ledgers/master/?export=pdf")
        assert answer.status_code == 400
        assert "PDF 最多印 1 行" in answer.content.decode()
