"""What people type about meetings, decided items and weekly checks."""

from django import forms

from ledgers.meeting_models import AgendaItem, CheckFinding, Decision, Meeting
from ledgers.meetings import ATTENDANCE, CHECK_TYPED, DECISION_TYPED, MEETING_TYPED, visible_meetings, working_units
from projects.forms import DayField
from projects.models import Problem, Project
from projects.problem_forms import choice_errors
from projects.problem_rules import OPINION_LENGTH
from projects.record_forms import ActForm, RecordForm, words_field

UNITS_AND_POSTS = "写单位和职务，用顿号隔开，不写姓名"


class MeetingForm(RecordForm):
    starts_at = forms.TimeField(
        label="开始时间",
        required=False,
        input_formats=["%H:%M", "%H：%M", "%H.%M"],
        error_messages={"invalid": "请按 9:30 的格式填写。"},
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    class Meta(RecordForm.Meta):
        model = Meeting
        fields = MEETING_TYPED

    def offer(self):
        for name in ATTENDANCE:
            self.fields[name].widget = forms.Textarea(attrs={"rows": 2})
        self.fields["attended"].help_text = UNITS_AND_POSTS


class DecisionForm(RecordForm):
    class Meta(RecordForm.Meta):
        model = Decision
        fields = DECISION_TYPED

    def offer(self):
        self.fields["meeting"].queryset = visible_meetings(self.user, self.today)
        for name in ("lead_unit", "assist_units"):
            self.fields[name].queryset = working_units()
        self.offer_projects(Project.objects.all())
        self.fields["problem"].queryset = Problem.objects.exclude(code=None).filter(closed_on=None).order_by("code")
        self.fields["problem"].label_from_instance = lambda problem: f"{problem.code} {problem.description[:30]}"
        self.fields["frequency"].help_text = "要求多久报一次进展"


class CheckForm(RecordForm):
    class Meta(RecordForm.Meta):
        model = CheckFinding
        fields = CHECK_TYPED

    def offer(self):
        self.fields["unit"].queryset = working_units()
        self.offer_projects(Project.objects.all())


class NoteForm(forms.Form):
    text = words_field("进展", max_length=OPINION_LENGTH)


class MinutesForm(forms.Form):
    """Who was there and the minutes, on the meeting's own page."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    attended = words_field("出席", max_length=2000, required=False, rows=4, help_text=UNITS_AND_POSTS)
    absent = words_field("请假", max_length=1000, required=False, rows=1)
    observers = words_field("列席", max_length=1000, required=False, rows=1)
    minutes = words_field("会议纪要", max_length=4000, required=False, rows=8)


class ReopenMinutesForm(ActForm):
    reason = words_field("退回修改的理由", rows=2)


class DecidedForm(forms.Form):
    """A decided item in one line: what, who, by when, on which line of the agenda."""

    what = words_field("议定事项", max_length=1000, rows=2)
    lead_unit = forms.ModelChoiceField(
        label="主办单位", queryset=working_units(), empty_label="请选择", error_messages=choice_errors("主办单位")
    )
    due_on = DayField(label="时限", required=True)
    item = forms.ModelChoiceField(
        label="对应议程",
        queryset=AgendaItem.objects.none(),
        required=False,
        empty_label="不对应议程",
        error_messages=choice_errors("对应议程"),
    )

    def __init__(self, *args, meeting: Meeting, **kwargs):
        super().__init__(*args, **kwargs)
        lines = AgendaItem.objects.standing().filter(meeting=meeting, is_taken=True).select_related("project", "problem")
        self.fields["item"].queryset = lines.order_by("position", "pk")
        self.fields["item"].label_from_instance = lambda line: line.text[:50]
