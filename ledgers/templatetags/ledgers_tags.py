"""Plain selects drawn in one go; parts that only templates ask for, so that no app leans down."""

from html import escape

from django import forms, template
from django.utils.safestring import SafeString, mark_safe

from ledgers import problem_links

register = template.Library()


@register.filter
def plain(field, stays: bool = False) -> SafeString:
    """A bound field; a plain select is written here, every other widget by itself. What is being typed `stays` when conditions unfold."""
    widget = field.field.widget
    if stays and field.name == "q":
        return field.as_widget(attrs={"hx-preserve": "true"})
    choices = [*iter(widget.choices)] if type(widget) is forms.Select else []
    if not choices or any(isinstance(label, (list, tuple)) for _, label in choices):
        return field.as_widget()
    attrs = {"name": field.html_name} | field.build_widget_attrs(widget.attrs, widget) | {"id": field.auto_id}
    spoken = "".join(f' {name}="{escape(str(value))}"' for name, value in attrs.items() if value not in (False, None))
    chosen = widget.format_value(field.value())
    options = "".join(_option(value, label, chosen) for value, label in choices)
    return mark_safe(f"<select{spoken}>{options}</select>")  # noqa: S308 - escaped above


def _option(value, label, chosen: list[str]) -> str:
    text = "" if value is None else str(value)
    return f'<option value="{escape(text)}"{" selected" if text in chosen else ""}>{escape(str(label))}'


@register.inclusion_tag("ledgers/_problem_links.html", takes_context=True)
def problem_links_of(context, problem):
    """Meetings that decided on a problem, and letters that told of its project while it was open."""
    request = context["request"]
    decisions, letters = problem_links.read(problem, request.user, request.today, request.as_of)
    past = f"?as_of={request.as_of.isoformat()}" if request.as_of != request.today else ""
    return {"decisions": decisions, "letters": letters, "past": past}
