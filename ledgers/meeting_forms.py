"""What people type about meetings, decided items and weekly checks."""

from django import forms

from ledgers.meeting_models import CheckFinding, Decision, Meeting
from ledgers.meetings import CHECK_TYPED, DECISION_TYPED, MEETING, visible_meetings, working_units
from projects.models import Problem, Project
from projects.problem_rules import OPINION_LENGTH
from projects.record_forms import RecordForm, words_field


class MeetingForm(RecordForm):
    class Meta(RecordForm.Meta):
        model = Meeting
        fields = MEETING.fields


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
