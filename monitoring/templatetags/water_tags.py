"""How a water class and a change look, the same on every page: colour never alone."""

from django import template
from django.utils.html import format_html

from monitoring.enums import Change, WaterClass
from monitoring.rules import rating

register = template.Library()

NOT_EVALUATED = "—"
ARROWS = {Change.CLEARLY_BETTER: "▲▲", Change.BETTER: "▲", Change.NONE: "●", Change.WORSE: "▼", Change.CLEARLY_WORSE: "▼▼"}


@register.filter
def class_badge(water_class: int | None, note: str = ""):
    """The class on its official colour with its numeral; what has none says why."""
    if not water_class:
        return format_html('<span class="water-class water-class-0">{}</span>', note or NOT_EVALUATED)
    found = WaterClass(water_class)
    return format_html('<span class="water-class water-class-{}" title="{}">{}</span>', found.value, rating(found).label, found.label)


@register.filter
def class_word(water_class: int | None) -> str:
    """Ⅲ类, or a dash."""
    return f"{WaterClass(water_class).label}类" if water_class else NOT_EVALUATED


@register.filter
def change_mark(change: int | None):
    """明显好转 … 明显变差 with its arrow; a dash where a period was not evaluated."""
    if change is None:
        return NOT_EVALUATED
    found = Change(change)
    css = "better" if found > 0 else "worse" if found < 0 else "same"
    return format_html('<span class="change change-{}"><span aria-hidden="true">{}</span> {}</span>', css, ARROWS[found], found.label)
