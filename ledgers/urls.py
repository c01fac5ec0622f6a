from django.urls import path
from django.views.generic import TemplateView

from ledgers.views import agenda, assessment, calendar, cases, documents, lead, letters, measures, meetings, minutes
from ledgers.views.air import AirIntakeView
from ledgers.views.bulk import BulkView
from ledgers.views.cell import CellView
from ledgers.views.intake import IntakeView
from ledgers.views.ledger import LedgersView, LedgerView, column_sheet
from ledgers.views.morning import morning_sheet
from ledgers.views.own import ColumnsView, OwnLedgerView
from ledgers.views.saved import delete_view, save_view
from ledgers.views.today import RetryJobView, TodayView
from ledgers.views.trail import trail_page

urlpatterns = [
    path("", TodayView.as_view(), name="today"),
    path("morning/", morning_sheet, name="morning"),
    path("lead/", lead.lead_page, name="lead"),
    path("lead/<str:code>/", lead.act, name="lead_act"),
    path("jobs/<int:pk>/retry/", RetryJobView.as_view(), name="retry_job"),
    path("trail/", trail_page, name="trail"),
    path("ledgers/", LedgersView.as_view(), name="ledgers"),
    path("ledgers/columns.css", column_sheet, name="column_sheet"),
    path("ledgers/keys/", TemplateView.as_view(template_name="ledgers/keys.html"), name="ledger_keys"),
    path("ledgers/new/", OwnLedgerView.as_view(), name="new_ledger"),
    path("ledgers/<slug:slug>/define/", OwnLedgerView.as_view(), name="define_ledger"),
    path("ledgers/<slug:slug>/columns/", ColumnsView.as_view(), name="ledger_columns"),
    path("ledgers/<slug:slug>/", LedgerView.as_view(), name="ledger"),
    path("ledgers/air/import/", AirIntakeView.as_view(), name="air_import"),
    path("ledgers/<slug:slug>/import/", IntakeView.as_view(), name="ledger_import"),
    path("ledgers/<slug:slug>/bulk/", BulkView.as_view(), name="ledger_bulk"),
    path("ledgers/<slug:slug>/cell/", CellView.as_view(), name="ledger_cell"),
    path("ledgers/<slug:slug>/views/", save_view, name="save_view"),
    path("ledgers/<slug:slug>/views/<int:pk>/delete/", delete_view, name="delete_view"),
    path("assessment/", assessment.assessment, name="assessment"),
    path("assessment.pdf", assessment.assessment_pdf, name="assessment_pdf"),
    path("meetings/", meetings.meeting_list, name="meetings"),
    *meetings.meeting_pages.urls("meetings/"),
    *meetings.decision_pages.urls("meetings/decisions/"),
    path("meetings/<int:pk>/agenda/", agenda.agenda_page, name="meeting_agenda"),
    path("meetings/<int:pk>/sheet/", agenda.sheet, name="meeting_sheet"),
    path("meetings/<int:pk>/minutes.pdf", minutes.minutes_pdf, name="meeting_minutes_pdf"),
    path("meetings/<int:pk>/minutes.docx", minutes.minutes_docx, name="meeting_minutes_docx"),
    path("meetings/<int:pk>/minutes/", agenda.minutes, name="meeting_minutes"),
    path("meetings/<int:pk>/decide/", agenda.decide, name="meeting_decide"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/<str:key>.ics", calendar.feed, name="calendar_feed"),
    path("meetings/decisions/<int:pk>/note/", meetings.decision_note, name="decision_note"),
    *meetings.check_pages.urls("checks/"),
    path("cases/", cases.case_list, name="cases"),
    *cases.case_pages.urls("cases/"),
    path("measures/", measures.measures, name="measures"),
    path("measures/simulate/", measures.simulator, name="simulate"),
    path("measures/stops/", measures.stop_list, name="stops"),
    path("letters/", letters.letter_list, name="letters"),
    path("letters/draft/", letters.draft_letters, name="draft_letters"),
    path("letters/<int:pk>/", letters.letter, name="letter"),
    path("letters/<int:pk>/act/", letters.act, name="letter_act"),
    path("letters/unit/<str:code>/", letters.unit_letters, name="unit_letters"),
    path("letters/files/<int:pk>/", letters.answer_file, name="answer_file"),
    path("documents/", documents.documents, name="documents"),
    path("documents/draft/", documents.draft, name="draft_document"),
    path("documents/<int:pk>/", documents.document, name="document"),
    path("documents/<int:pk>.pdf", documents.document_pdf, name="document_pdf"),
    path("documents/<int:pk>.docx", documents.document_docx, name="document_docx"),
    path("documents/<int:pk>/texts/", documents.own_texts, name="document_texts"),
    path("documents/<int:pk>/issue/", documents.issue, name="issue_document"),
    path("documents/<int:pk>/withdraw/", documents.withdraw, name="withdraw_document"),
]
