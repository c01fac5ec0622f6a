"""What the office sends: documents and the series their numbers come from."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledgers import meeting_models, page_models  # noqa: F401 - so that Django finds them
from ledgers.enums import DocumentKind, DocumentState
from linfen_water.models import Unit, User


class NumberSeries(models.Model):
    """The numbers of one 代字 in one year; its row is locked while a number is taken."""

    prefix = models.CharField("机关代字", max_length=20)
    year = models.PositiveSmallIntegerField("年")
    last = models.PositiveIntegerField("末号", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "发文字号"
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="one_series_a_year")]


class DocumentQuerySet(models.QuerySet):
    def as_of(self, day: dt.date):
        """Papers whose figures are not later than `day`, without those that were issued after it."""
        return self.filter(as_of__lte=day).exclude(issued_at__date__gt=day)


class Document(models.Model):
    """A paper of the office, from draft to archive. From its number on, facts and bytes are frozen."""

    kind = models.CharField("种类", max_length=14, choices=DocumentKind)
    period = models.CharField("期次", max_length=10)  # 2025-01, 2025-W08, 2025-02-20
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, verbose_name="主送单位")
    title = models.CharField("标题", max_length=120)
    state = models.CharField("状态", max_length=10, choices=DocumentState, default=DocumentState.DRAFT)
    as_of = models.DateField("数据截至")
    facts = models.JSONField("数据", default=dict)  # what the words are made from; frozen at issue
    data_version = models.PositiveBigIntegerField("数据版本", default=0)  # of the trail, when the facts were gathered
    prefix = models.CharField("机关代字", max_length=20, blank=True)
    year = models.PositiveSmallIntegerField("年", null=True, blank=True)
    number = models.PositiveIntegerField("号", null=True, blank=True)
    pdf_sha256 = models.CharField("文件摘要", max_length=64, blank=True)  # names the file under DOCUMENTS_DIR
    drafted_at = models.DateTimeField("拟稿时间", null=True, blank=True)
    issued_at = models.DateTimeField("印发时间", null=True, blank=True)  # on the business clock
    own_texts = models.JSONField("自拟段落", default=dict)  # {place: text} that the office wrote; kept when the figures are made anew
    issued_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="签发人")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-as_of", "kind", "-pk"]
        verbose_name = verbose_name_plural = "文件"
        constraints = [
            # Two constraints, since SQLite takes two NULL units for different ones.
            models.UniqueConstraint(
                fields=["kind", "period"],
                condition=~Q(state=DocumentState.WITHDRAWN) & Q(unit__isnull=True),
                name="one_document_a_period",
            ),
            models.UniqueConstraint(
                fields=["kind", "period", "unit"],
                condition=~Q(state=DocumentState.WITHDRAWN) & Q(unit__isnull=False),
                name="one_document_a_period_and_unit",
            ),
            models.UniqueConstraint(fields=["prefix", "year", "number"], name="one_document_a_number"),
            models.CheckConstraint(
                condition=Q(issued_at__isnull=True, issued_by__isnull=True) | Q(issued_at__isnull=False, issued_by__isnull=False),
                name="issued_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | (~Q(prefix="") & Q(year__isnull=False)), name="number_has_its_series"
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def file_number(self) -> str:
        """发文字号, e.g. 临泓清专办〔2025〕3号; empty before it is issued."""
        return f"{self.prefix}〔{self.year}〕{self.number}号" if self.number else ""

    @property
    def pdf_path(self):
        return settings.DOCUMENTS_DIR / f"{self.pdf_sha256}.pdf" if self.pdf_sha256 else None
