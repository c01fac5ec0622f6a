"""The four published values of the air ranking, and how one is read from a page or a workbook. Pure.

Missing is None: "—", "/", 无, an empty cell. Never zero.
"""

import dataclasses
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from monitoring.standards.air_ranking import HUNDRED, rounded

NOTHING = {"", "-", "--", "—", "——", "/", "\\", "无", "暂无", "缺测", "未监测", "*"}
MINUS = str.maketrans("−–﹣－", "----")
_CHANGE = re.compile(r"(↓|▼|下降|降低|改善|↑|▲|上升|升高|反弹|恶化)?([-+]?\d+(?:\.\d+)?)(%|个百分点)?(↓|▼|↑|▲)?", re.ASCII)
_DOWN = {"↓", "▼", "下降", "降低", "改善"}
_SAME = {"持平", "不变"}


@dataclasses.dataclass(frozen=True)
class Measure:
    """One measured column: its heading, unit, decimals kept, and the bounds that a true value never leaves."""

    title: str
    unit: str
    decimals: int  # kept
    shown: int  # printed at least
    low: Decimal
    high: Decimal
    is_change: bool = False

    @property
    def heading(self) -> str:
        return f"{self.title}({self.unit})" if self.unit else self.title


MEASURES: dict[str, Measure] = {
    "composite_index": Measure("综合指数", "", 3, 2, Decimal("0.1"), Decimal(50)),
    "composite_change": Measure("综合指数同比变化率", "%", 1, 1, Decimal("-99.9"), Decimal(999), is_change=True),
    "pm25": Measure("PM2.5", "μg/m³", 1, 0, Decimal(1), Decimal(1000)),
    "pm25_change": Measure("PM2.5同比变化率", "%", 1, 1, Decimal("-99.9"), Decimal(999), is_change=True),
}


def exact(name: str, said: str | Decimal | None, *, is_share: bool = False) -> Decimal | None:
    """The number that `said` gives the measure `name`, not rounded; None when there is none.

    `is_share`: the sheet shows the number as a percentage, so -0.053 is -5.3 %. ValueError with the Chinese sentence.
    """
    measure = MEASURES[name]
    number = said if isinstance(said, Decimal) or said is None else _number(said, measure)
    if number is None:
        return None
    if is_share:
        if not measure.is_change:
            raise ValueError(f"{measure.title}不是百分数：请把单元格改为数字格式。")
        number *= HUNDRED
    if not measure.low <= number <= measure.high:
        raise ValueError(f"{measure.title}应在 {measure.low} 到 {measure.high}{_unit(measure)} 之间，请核对数值和所在的列。")
    return number


def read(name: str, said: str | Decimal | None, *, is_share: bool = False) -> Decimal | None:
    """As `exact`, with the decimals that are kept."""
    number = exact(name, said, is_share=is_share)
    return None if number is None else rounded(number, MEASURES[name].decimals)


def spoken(name: str, value: Decimal | None) -> str:
    """The value as it is printed: 4.57, 4.575, 45, 45.5, -5.3; "" for none."""
    if value is None:
        return ""
    measure = MEASURES[name]
    for decimals in range(measure.shown, measure.decimals):
        if value == rounded(value, decimals):
            return str(rounded(value, decimals))
    return str(rounded(value, measure.decimals))


def _unit(measure: Measure) -> str:
    return f" {measure.unit}" if measure.unit else ""


def _number(text: str, measure: Measure) -> Decimal | None:
    squeezed = "".join(unicodedata.normalize("NFKC", text).translate(MINUS).split())
    if squeezed in NOTHING:
        return None
    if measure.is_change:
        return _change(squeezed, text)
    try:
        number = Decimal(squeezed)
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(f"“{text.strip()[:20]}”不是数字：请填 4.57 这样的数；没有数据请留空或填“—”。") from None
    return number


def _change(squeezed: str, text: str) -> Decimal:
    if squeezed in _SAME:
        return Decimal(0)
    found = _CHANGE.fullmatch(squeezed)
    if not found or (found[1] and found[4]):
        raise ValueError(f"“{text.strip()[:20]}”不是变化率：请填 -5.3、-5.3% 或 ↓5.3 这样的数；没有数据请留空或填“—”。")
    number, direction = Decimal(found[2]), found[1] or found[4]
    if direction is None:
        return number
    if number < 0 and direction not in _DOWN:
        raise ValueError(f"“{text.strip()[:20]}”又升又降：请只用正负号，或只用箭头。")
    return -abs(number) if direction in _DOWN else number
