"""Parts that the pages of projects show of what the office keeps: only templates ask for them, so that no app leans downwards."""

from django import template

from ledgers import problem_links

register = template.Library()


@register.inclusion_tag("ledgers/_problem_links.html", takes_context=True)
def problem_links_of(context, problem):
    """Meetings that decided on a problem, and letters that told of its project while it was open."""
    request = context["request"]
    decisions, letters = problem_links.read(problem, request.user, request.today, request.as_of)
    past = f"?as_of={request.as_of.isoformat()}" if request.as_of != request.today else ""
    return {"decisions": decisions, "letters": letters, "past": past}
