"""How the share of good sections changed, as the page of the sections writes it."""

from django import template
from django.utils.html import format_html

from monitoring.reports import ShareLine
from monitoring.wording import points

register = template.Library()


@register.filter
def share_change(line: ShareLine, compared: str):
    """▲ 提高17.5 with the counts compared with (5/7); a dash where one period had no evaluated section. Colour never alone."""
    before = getattr(line, compared)
    difference = points(line.now, before)
    if difference is None:
        return "—"
    css, arrow, word = ("better", "▲", "提高") if difference > 0 else ("worse", "▼", "下降") if difference else ("same", "●", "持平")
    return format_html(
        '<span class="change change-{}"><span aria-hidden="true">{}</span> {}{}</span> <span class="soft">（{}/{}）</span>',
        css, arrow, word, abs(difference) or "", before.good, before.evaluated,
    )  # fmt: skip
