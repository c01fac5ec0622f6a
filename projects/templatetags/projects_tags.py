"""How templates of the works side write numbers."""

from decimal import ROUND_HALF_UP, Decimal

from django import template

from projects import rules

register = template.Library()
TENTH = Decimal("0.1")


@register.filter
def plain(value) -> str:
    """45.00 → 45, 45.50 → 45.5; a dash for nothing."""
    return "—" if value is None else rules.plain(value) if isinstance(value, Decimal) else str(value)


@register.filter
def signed(value) -> str:
    """+1.5, −2, 0: a change; nothing for nothing."""
    if value in (None, ""):
        return ""
    text = rules.plain(abs(value))
    return f"+{text}" if value > 0 else f"−{text}" if value < 0 else "0"


@register.filter
def wan(value) -> str:
    """万元 with two decimals; a dash for nothing."""
    return "—" if value in (None, "") else f"{value:.2f}"


@register.filter
def yi(value) -> str:
    """万元 as 亿元, two decimals, half up; a dash for nothing."""
    return "—" if value is None else f"{(Decimal(value) / 10_000).quantize(Decimal('0.01'), ROUND_HALF_UP)}"


@register.filter
def percent(value) -> str:
    """One decimal, half up, without the sign; a dash for nothing."""
    return "—" if value is None else f"{rules.rate(Decimal(value), 100)}"


@register.filter
def lag_words(value) -> str:
    """滞后 5.2, 超前 3.0, 持平: never a bare sign."""
    if value is None:
        return "—"
    points = Decimal(value).quantize(TENTH, ROUND_HALF_UP)
    return "持平" if not points else f"滞后 {points}" if points > 0 else f"超前 {-points}"
