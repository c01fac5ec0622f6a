"""What the demo of a region must hold: read from the pack's `demo.json`, so that no figure of a city is in the code."""

import dataclasses
import datetime as dt
import functools
import json
import random
from decimal import Decimal

from linfen_water.dates import monday
from projects.regions.pack import Pack


class NoDemo(ValueError):
    """The pack has no demo; its text is the Chinese sentence for the person."""


class Broken(AssertionError):
    """What was generated is not what was promised; nothing is kept."""


@dataclasses.dataclass(frozen=True)
class Promise:
    seed: str
    today: dt.date
    first_week: dt.date
    code_prefix: str
    total_investment_wan: Decimal
    all_started_by: dt.date
    last_finish: dt.date  # by when all are planned to be finished
    finished: dict[dt.date, int]  # how many are finished on a day
    good_sections: dict[int, int]  # how many national sections are good in a year
    domains: dict[str, int]  # projects a domain
    counties: dict[str, int]  # projects a county or zone, by code
    permit_authorities: dict[str, str]  # permit kind → unit code
    public: dict[str, dict]  # what must be invented about the public projects, by name
    invented_wan: dict[str, Decimal]  # what a county's invented projects cost together, where a published sum asks for it
    finished_counties: tuple[str, ...]  # counties whose invented projects are among the first to be finished
    sections: dict[str, dict]

    @property
    def count(self) -> int:
        return sum(self.counties.values())

    @functools.cached_property
    def weeks(self) -> list[dt.date]:
        """The Mondays of the history; the last one is the current week."""
        count = (monday(self.today) - self.first_week).days // 7 + 1
        return [self.first_week + dt.timedelta(weeks=n) for n in range(count)]

    def dice(self, *key) -> random.Random:
        """A stream of chance of its own for `key`: what one part draws never shifts another."""
        return random.Random("/".join(map(str, (self.seed, *key))))


def read(pack: Pack) -> Promise:
    """Read and check `demo.json` of a pack; raise NoDemo when there is none or it does not fit the pack."""
    path = pack.folder / "demo.json"
    if not path.exists():
        raise NoDemo(f"区域包 {pack.slug} 没有演示数据（demo.json）。")
    try:
        promise = _promise(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, ArithmeticError) as fault:
        raise NoDemo(f"demo.json 无法读取：{fault!r}。字段说明见 projects/regions/README.md。") from None
    if faults := _faults(promise, pack):
        raise NoDemo("demo.json 与区域包不符：\n  " + "\n  ".join(faults))
    return promise


def _promise(data: dict) -> Promise:
    return Promise(
        seed=data["seed"],
        today=day(data["today"]),
        first_week=day(data["first_week"]),
        code_prefix=data["code_prefix"],
        total_investment_wan=Decimal(data["total_investment_wan"]),
        all_started_by=day(data["all_started_by"]),
        last_finish=day(data["last_finish"]),
        finished={day(text): count for text, count in data["finished"].items()},
        good_sections={int(year): count for year, count in data["good_sections"].items()},
        domains=data["domains"],
        counties=data["counties"],
        permit_authorities=data.get("permit_authorities", {}),
        public=data.get("public", {}),
        invented_wan={code: Decimal(text) for code, text in data.get("invented_wan", {}).items()},
        finished_counties=tuple(data.get("finished_counties", ())),
        sections=data["sections"],
    )


def _faults(promise: Promise, pack: Pack) -> list[str]:
    """What does not fit between the promise and its pack, as Chinese sentences."""
    codes, names = {row["code"] for row in pack.counties}, {row["name"] for row in pack.sections}
    faults = [f"counties：{code} 没有项目。" for code in sorted(codes - promise.counties.keys())]
    faults += [f"counties：counties.csv 中没有 {code}。" for code in promise.counties if code not in codes]
    faults += [f"domains：region.json 中没有“{name}”。" for name in promise.domains if name not in pack.domains]
    faults += [f"sections：sections.csv 中没有“{name}”。" for name in promise.sections if name not in names]
    if promise.count != sum(promise.domains.values()):
        faults.append(f"按县合计{promise.count}个项目，按领域合计{sum(promise.domains.values())}个。")
    if promise.first_week.weekday():
        faults.append(f"first_week：{promise.first_week} 不是星期一。")
    return faults


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
