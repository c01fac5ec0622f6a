"""What the sheet of readings needs beside the badge of a class: a row's cell by its column, an item's name by its key."""

from django import template

register = template.Library()


@register.filter
def cell_of(row, key: str):
    """The row's cell in a column; None where the item is not due there."""
    return row.cells.get(key)


@register.filter
def item_name(table, key: str) -> str:
    """氨氮 of nh3n."""
    return table.name(key)
