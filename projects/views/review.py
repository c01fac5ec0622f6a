"""What the office looks at after a week was reported: what changed in the whole city, what is odd, each number with the list behind it."""

import datetime as dt

from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from linfen_water import clock
from linfen_water.dates import monday
from linfen_water.middleware import BadDay, read_day
from linfen_water.models import County, Domain
from projects import anomalies, permissions, weeks
from projects.anomalies import Anomaly
from projects.enums import WeekState
from projects.week_change import WeekChange, week_change

PER_PAGE = 50
WEEK = dt.timedelta(weeks=1)
WEEKS_OFFERED = 26
# The lists behind the numbers of the sentence, and those that explain them.
LISTS = {
    "finished": ("完工增加", lambda change: change.newly_finished),
    "not-started": ("前期", lambda change: change.not_started),
    "advanced": ("前期有所推进", lambda change: change.advanced),
    "started": ("已开工（含完工）", lambda change: change.started),
    "progressed": ("已开工有新进展", lambda change: change.progressed),
    "unmoved": ("未完工且无变化", lambda change: change.unmoved),
}


@require_safe
def change(request):
    """`?week=` against `?before=` (default: the week before), with the list that `?list=` names."""
    try:
        week_of = _read_week(request, "week") or monday(request.as_of)
        before = _read_week(request, "before") or week_of - WEEK
        if before >= week_of:
            raise BadDay(f"对比的周（{before}）须早于所看的周（{week_of}），请改其中一个。")
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    found = week_change(week_of, before, projects=permissions.visible_projects(request.user, request.today), day=request.as_of)
    chosen = request.GET.get("list", "")
    chosen = chosen if chosen in LISTS else _usual_list(found)
    page = Paginator(LISTS[chosen][1](found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "change": found,
        "week_name": anomalies.week_words(week_of),
        "before_name": anomalies.week_words(before),
        "counts": {key: len(rows(found)) for key, (_, rows) in LISTS.items()},
        "lists": [(key, label, len(rows(found))) for key, (label, rows) in LISTS.items()],
        "chosen": chosen,
        "chosen_label": LISTS[chosen][0],
        "page": page,
        "weeks": _weeks(request.as_of, week_of),
        "befores": _weeks(week_of - WEEK, before),
        "week_before": week_of - WEEK,
        "week_after": week_of + WEEK if week_of + WEEK <= monday(request.as_of) else None,
        "is_whole": permissions.is_whole_city(request.user, request.today),
        "is_running": found.as_of < weeks.week_times(week_of).cut_off_on,
    }
    return _part(request, "projects/week_change.html", "moved", context)


def _usual_list(change: WeekChange) -> str:
    return next((key for key in ("progressed", "advanced", "finished") if LISTS[key][1](change)), "started")


@require_safe
def odd(request):
    """The anomalies of a week as a list, by kind, county and domain."""
    try:
        week_of = _read_week(request, "week") or monday(request.as_of)
    except BadDay as fault:
        return render(request, "error.html", {"title": "周次无效", "message": str(fault)}, status=400)
    times = weeks.week_times(week_of)
    scope = permissions.visible_projects(request.user, request.today)
    day = min(times.cut_off_on, request.as_of)
    found = anomalies.listed(week_of, day, clock.now(), projects=scope)
    county, domain, kind = (request.GET.get(name, "") for name in ("county", "domain", "kind"))
    here = [row for row in found if county in ("", row.facts.county_code) and domain in ("", row.facts.domain)]
    rows = [row for row in here if kind in ("", row.verdict.rule)]
    codes = {row.facts.county_code for row in found}
    context = {
        "week_of": week_of,
        "week_name": anomalies.week_words(week_of),
        "day": day,
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "kinds": [(choice.value, choice.label, sum(row.verdict.rule == choice for row in here)) for choice in Anomaly],
        "counties": [row for row in County.objects.all() if row.code in codes],
        "domains": [row.name for row in Domain.objects.all()],
        "chosen": {"county": county, "domain": domain, "kind": kind},
        "total": len(found),
        "count": len(rows),
        "projects": len({row.facts.pk for row in rows}),
        "is_open": times.state(clock.now()) in (WeekState.AHEAD, WeekState.OPEN),
        "week_before": week_of - WEEK,
        "week_after": week_of + WEEK if week_of + WEEK <= monday(request.as_of) else None,
        "may_review": permissions.may_review(request.user),
    }
    return _part(request, "projects/anomalies.html", "odd", context)


def _read_week(request, name: str) -> dt.date | None:
    """The Monday of the day that the parameter names; None without one, BadDay when it is none or lies ahead."""
    text = request.GET.get(name, "").strip()
    if not text:
        return None
    week_of = monday(read_day(text, dt.date.max))
    if week_of > monday(request.as_of):
        raise BadDay(f"{week_of} 这一周还没有开始，请选择本周或以前的周次。")
    return week_of


def _weeks(newest: dt.date, chosen: dt.date) -> list[tuple[str, str]]:
    """(day, name) of half a year's weeks, the newest first, and the chosen one when it lies further back."""
    found = [monday(newest) - n * WEEK for n in range(WEEKS_OFFERED)]
    days = found if chosen in found else [*found, chosen]
    return [(day.isoformat(), anomalies.week_words(day)) for day in days]


def _part(request, template: str, part: str, context: dict):
    """The page, or for htmx only its moving part."""
    response = render(request, f"{template}#{part}" if request.htmx else template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
