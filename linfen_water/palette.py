"""The colours of `static/css/tokens.css` for Plotly and Typst, which cannot read CSS variables."""

import functools
import re

from django.conf import settings

TOKENS = settings.BASE_DIR / "static" / "css" / "tokens.css"
_THEME = re.compile(r'(:root|\[data-theme="dark"\])[^{]*\{([^}]*)\}')
_TOKEN = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,8})\s*;")


@functools.cache
def colours(theme: str = "light") -> dict[str, str]:
    """Return `{"stage-red": "#c8322b", …}` of a theme; the dark one falls back on the light one."""
    found: dict[str, str] = {}
    for selector, body in _THEME.findall(TOKENS.read_text(encoding="utf-8")):
        if theme == "dark" or selector == ":root":
            found |= dict(_TOKEN.findall(body))
    return found
