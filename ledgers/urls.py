from django.urls import path

from ledgers.views.ledger import LedgersView, LedgerView
from ledgers.views.today import RetryJobView, TodayView

urlpatterns = [
    path("", TodayView.as_view(), name="today"),
    path("jobs/<int:pk>/retry/", RetryJobView.as_view(), name="retry_job"),
    path("ledgers/", LedgersView.as_view(), name="ledgers"),
    path("ledgers/<slug:slug>/", LedgerView.as_view(), name="ledger"),
]
