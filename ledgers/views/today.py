"""`/`: what needs me now; and the button that starts failed work again."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import TemplateView, View

from ledgers import today
from ledgers.permissions import may_retry_jobs
from linfen_water import jobs
from linfen_water.enums import JobState
from linfen_water.models import Job


class TodayView(TemplateView):
    template_name = "ledgers/today.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(desk=today.gather(self.request.user, self.request.as_of), **kwargs)


class RetryJobView(View):
    http_method_names = ["post"]

    def post(self, request, pk: int):
        if not may_retry_jobs(request.user):
            raise Http404
        job = get_object_or_404(Job, pk=pk, state=JobState.FAILED)
        jobs.requeue(job)
        messages.success(request, f"已重新排队：{job.key}")
        return redirect("today")
