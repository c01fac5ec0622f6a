"""What the office sends: documents and the series their numbers come from."""

import datetime as dt
import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledgers import case_models, day_models, intake_models, meeting_models, page_models  # noqa: F401 - so that Django finds them
from ledgers.enums import DocumentKind, DocumentState, Measure
from linfen_water import clock
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
        return self.filter(as_of__lte=day).exclude(issued_at__gte=clock.end_of(day))


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


def answer_path(instance, filename: str) -> str:
    """Where a file of an answer is kept: a random name under its letter, never the one that was sent."""
    return f"letters/{instance.answer.letter_id}/{uuid.uuid4().hex}{Path(filename).suffix.lower()[:6]}"


class Letter(models.Model):
    """What becomes of a letter (函件) beside its paper: reviewed, approved, received, answered, closed or moved up.

    Its state follows from these (`letters.state_on`). Written by `letter_services` only. All moments are on the business clock.
    """

    document = models.OneToOneField(Document, models.PROTECT, related_name="letter", verbose_name="文件")
    reviewed_at = models.DateTimeField("审核时间", null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="审核人")
    approved_at = models.DateTimeField("批准时间", null=True, blank=True)  # 约谈: by a leader
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="批准人")
    reviewed_digest = models.CharField("审核内容摘要", max_length=64, blank=True)  # of the facts and words that were reviewed
    reply_due_on = models.DateField("应回复日", null=True, blank=True)  # set at issue
    received_at = models.DateTimeField("签收时间", null=True, blank=True)
    received_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="签收人")
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="办结人")
    closing_note = models.CharField("办结意见", max_length=500, blank=True)
    moved_up_to = models.CharField("升级到", max_length=20, choices=Measure, blank=True)
    followed_on = models.DateField("升级措施落实日", null=True, blank=True)  # when it was carried out …
    followed_by = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="升级函件"
    )  # … by letter
    edit_version = models.PositiveIntegerField("编辑版本", default=1)  # optimistic lock

    class Meta:
        verbose_name = verbose_name_plural = "函件"
        constraints = [
            models.CheckConstraint(
                condition=Q(received_at__isnull=True, received_by__isnull=True) | Q(received_at__isnull=False, received_by__isnull=False),
                name="received_when_and_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | (~Q(closing_note="") & Q(closed_by__isnull=False)), name="closed_letter_says_why"
            ),
            models.CheckConstraint(condition=Q(moved_up_to="") | Q(closed_at__isnull=False), name="moved_up_letter_is_closed"),
        ]


class LetterAnswer(models.Model):
    """One answer to a letter (回复) and what the office made of it (核查). The text is kept as it was sent."""

    letter = models.ForeignKey(Letter, models.PROTECT, related_name="answers", verbose_name="函件")
    text = models.TextField("回复内容")
    at = models.DateTimeField("回复时间")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="回复人")
    checked_at = models.DateTimeField("核查时间", null=True, blank=True)
    checked_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="核查人")
    is_accepted = models.BooleanField("认可", null=True, blank=True)  # null: not yet checked
    remark = models.CharField("核查意见", max_length=500, blank=True)
    due_again_on = models.DateField("重新回复期限", null=True, blank=True)  # where it was asked again

    class Meta:
        ordering = ["letter", "pk"]
        verbose_name = verbose_name_plural = "回复"
        constraints = [
            models.UniqueConstraint(fields=["letter"], condition=Q(checked_at__isnull=True), name="one_unchecked_answer"),
            models.CheckConstraint(
                condition=Q(checked_at__isnull=True, is_accepted__isnull=True) | Q(checked_at__isnull=False, is_accepted__isnull=False),
                name="checked_answer_has_a_verdict",
            ),
        ]


class AnswerFile(models.Model):
    """A file beside an answer (附件): judged, a picture made over; served as a download only."""

    answer = models.ForeignKey(LetterAnswer, models.PROTECT, related_name="files", verbose_name="回复")
    file = models.FileField("附件", upload_to=answer_path)
    name = models.CharField("文件名", max_length=120)
    size = models.PositiveIntegerField("字节")
    digest = models.CharField("SHA-256", max_length=64)  # of the file as it was sent

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "回复附件"
