"""The projects of the demo before they become rows: the public ones with their facts, the others invented around them."""

import csv
import dataclasses
import datetime as dt
import random
from collections import Counter
from decimal import Decimal

from linfen_water.enums import CountyKind
from monitoring.enums import Level
from projects.demo import money, works
from projects.demo.pace import Pace, finish_for
from projects.demo.promise import Promise, day
from projects.demo.sites import Sites
from projects.enums import Provenance
from projects.regions.pack import Pack

# How the unfinished and the finished invented projects fare, dealt out in this order, the last for all that are left.
UNFINISHED = ["slow"] * 6 + ["stalled"] * 3 + ["silent"] * 3 + ["ahead"] * 3 + ["postponed"] * 2 + ["steady"]
FINISHED = ["late"] * 12 + ["postponed"] * 3 + ["over_budget"] * 2 + ["steady"]
MONEY_EARLY, MONEY_SCARCE = 7, 7  # every n-th invented project has its money early, or scarce

SUFFIXES = ("", "（二期）", "（三期）", "（四期）")
PUBLIC_NOTE = "名称、县域、领域及所列规模、时限据公开报道；未公开的投资、日期、资金与每周数据为演示数据。"
DEMO_NOTE = "演示数据，非真实项目。"


@dataclasses.dataclass
class Sketch:
    """One project. Counties are codes, domains names."""

    name: str
    county: str
    domain: str
    nature: str
    scale: str
    owner: str
    total_wan: Decimal
    provenance: str
    river: str | None = None
    source: str = ""
    note: str = DEMO_NOTE
    is_domain_inferred: bool = False
    also_in: tuple[str, ...] = ()
    fate: str = "public"
    kind: str = ""  # the work's template, so that kinds can be spread
    number: int = 0
    code: str = ""
    lon: float = 0.0
    lat: float = 0.0
    sections: tuple[str, ...] = ()  # those it is meant to serve
    pace: Pace | None = None
    sources: list[money.Source] = dataclasses.field(default_factory=list)

    @property
    def is_public(self) -> bool:
        return self.provenance in (Provenance.PUBLIC, Provenance.LIKELY)


def sketch_all(pack: Pack, promise: Promise) -> list[Sketch]:
    """All projects, numbered county by county as on the wall."""
    sites = Sites(pack)
    public = public_projects(pack, promise)
    invented = invented_projects(pack, promise, sites, public)
    _fit_total(invented, promise, sum((s.total_wan for s in public), Decimal(0)))
    _deal_fates(invented, promise, public)
    stations = {
        row["name"]: (row["river"], row["level"] == Level.NATIONAL, row["lon"], row["lat"])
        for row in pack.sections
        if row["name"] in promise.sections
    }
    order = {row["code"]: place for place, row in enumerate(pack.counties)}
    everything = sorted(public + invented, key=lambda s: (order[s.county], promise.dice("order", s.name).random()))
    for number, sketch in enumerate(everything, 1):
        sketch.number, sketch.code = number, f"{promise.code_prefix}-{number:03d}"
        sketch.lon, sketch.lat = sites.place(promise.dice("site", sketch.name), sketch.county, sketch.river)
        sketch.sections = tuple(sites.served(sketch.lon, sketch.lat, sketch.river, stations))
        _give_money(sketch, promise)
    return everything


# ── Public projects ────────────────────────────────────────────────────────────────────────────────────────────────


def public_projects(pack: Pack, promise: Promise) -> list[Sketch]:
    """The rows of `projects_public.csv`, with the few invented values that `demo.json` adds."""
    path = pack.folder / "projects_public.csv"
    if not path.exists():
        return []
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [_public(row, promise.public[row["name"]], pack) for row in rows]


def _public(row: dict, added: dict, pack: Pack) -> Sketch:
    codes = {county["name"]: county["code"] for county in pack.counties}
    status = f"公开状态：{row['status_note']}。" if row["status_note"] not in ("", "同上") else ""
    limit = f"公开时限：{row['finish']}。" if row["finish"] else ""
    start_on, finish_on = day(added["started_on"]), day(added["finish_on"])
    return Sketch(
        name=row["name"],
        county=codes[row["county"]],
        domain=row["domain"],
        nature=added["nature"],
        scale=row["scale"],
        owner="",
        total_wan=Decimal(added["total_wan"]),
        provenance=Provenance.LIKELY if row["confirmed"] == "likely" else Provenance.PUBLIC,
        river=added.get("river"),
        source=row["source"][:250],
        note=(status + limit + PUBLIC_NOTE)[:250],
        is_domain_inferred=row["domain_is_inferred"] == "yes",
        also_in=tuple(code for name, code in codes.items() if name in row["also_in"]),
        pace=Pace(
            baseline_start_on=start_on,
            baseline_finish_on=finish_on,
            started_on=start_on,
            completed_on=finish_on if added.get("is_finished") else None,
            real_finish_on=finish_on,
            points=tuple((day(on), Decimal(percent)) for on, percent in added.get("points", [])),
            is_on_plan=True,
        ),
    )


# ── Invented projects ──────────────────────────────────────────────────────────────────────────────────────────────


def invented_projects(pack: Pack, promise: Promise, sites: Sites, public: list[Sketch]) -> list[Sketch]:
    """As many as each county and domain still lacks, each with a name of its own."""
    left = Counter(promise.counties) - Counter(s.county for s in public)
    domains = _interleaved(Counter(promise.domains) - Counter(s.domain for s in public))
    zones_first = sorted(pack.counties, key=lambda row: row["kind"] != CountyKind.ZONE)
    result: list[Sketch] = []
    for county in (row for row in zones_first for _ in range(left[row["code"]])):
        domain = next(d for d in domains if _choices(d, county, sites))
        domains.remove(domain)
        result.append(_invented(promise, sites, county, domain, result + public))
    return result


def _choices(domain: str, county: dict, sites: Sites) -> list[works.Work]:
    """The works of a domain that can be in a county: by a river only where one runs, in a zone only what zones build."""
    is_zone, rivers = county["kind"] == CountyKind.ZONE, sites.rivers_of(county["code"])
    return [w for w in works.WORKS.get(domain, works.USUAL_WORKS) if (w.fits_zone if is_zone else rivers or not w.needs_river)]


def _interleaved(counts: Counter) -> list[str]:
    """Each name as often as counted, spread evenly, so that any stretch of the list is mixed."""
    places = [((2 * n + 1) / (2 * count), name) for name, count in counts.items() for n in range(count)]
    return [name for _, name in sorted(places, key=lambda place: place[0])]


def _invented(promise: Promise, sites: Sites, county: dict, domain: str, others: list[Sketch]) -> Sketch:
    dice = promise.dice("work", county["code"], len(others))
    rivers = sites.rivers_of(county["code"])
    used = Counter(s.kind for s in others)
    choices = sorted(_choices(domain, county, sites), key=lambda w: (used[w.name], dice.random()))  # rare kinds first
    river = rivers[dice.randrange(min(2, len(rivers)))] if rivers else None
    candidates = ((work, _name(work, county, river, suffix)) for suffix in SUFFIXES for work in choices)
    work, name = next((work, name) for work, name in candidates if not any(other.name in name for other in others))
    numbers = {key: dice.randrange(low, high + 1, step) for key, (low, high, step) in work.numbers.items()}
    return Sketch(
        name=name,
        county=county["code"],
        domain=domain,
        nature=work.nature,
        scale=work.scale.format(**numbers) + "（演示数据）",
        owner=work.owner.format(c=county["name"], s=county["short"]),
        total_wan=money.likely_size(dice, *work.size_wan),
        provenance=Provenance.DEMO,
        river=river if work.needs_river else None,
        source="演示数据",
        kind=work.name,
    )


def _name(work: works.Work, county: dict, river: str | None, suffix: str) -> str:
    return work.name.format(c=county["name"], r=river) + suffix


def _fit_total(invented: list[Sketch], promise: Promise, public_wan: Decimal) -> None:
    """Scale the invented sizes so that all projects together cost exactly what was published."""
    groups = [([s for s in invented if s.county == code], total) for code, total in promise.invented_wan.items()]
    rest = [s for s in invented if s.county not in promise.invented_wan]
    groups.append((rest, promise.total_investment_wan - public_wan - sum(promise.invented_wan.values(), Decimal(0))))
    for group, total in groups:
        for sketch, share in zip(group, money.share_out(total, [s.total_wan for s in group]), strict=True):
            sketch.total_wan = share


# ── When ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _deal_fates(invented: list[Sketch], promise: Promise, public: list[Sketch]) -> None:
    """Choose who is finished when (the smaller ones rather than the larger), and how the others fare."""
    finished_public = sum(s.pace.completed_on is not None for s in public)
    steps = sorted(promise.finished.items())
    order = sorted(
        invented, key=lambda s: (s.county not in promise.finished_counties, s.total_wan * promise.dice("early", s.name).randint(88, 114))
    )
    rest = _unfinished(order, len(invented) + finished_public - steps[-1][1], promise, public)
    done = [s for s in order if s not in rest]
    early, recent = done[: steps[0][1] - finished_public], done[steps[0][1] - finished_public :]
    for place, sketch in enumerate(early):
        fate = FINISHED[min(_turn(place, len(early)), len(FINISHED) - 1)]
        sketch.pace = _finished_pace(sketch, promise, fate, place, len(early), steps[0][0])
    for place, sketch in enumerate(recent, 1):  # the last of them in the current week
        completed_on = promise.today - dt.timedelta(days=3)
        if place < len(recent):
            completed_on = _between(promise.dice("recent", sketch.name), steps[0][0] + dt.timedelta(days=8), completed_on)
        sketch.pace = _pace_until(sketch, promise, "steady", completed_on)
    for place, sketch in enumerate(rest):
        fate = UNFINISHED[min(_turn(place, len(rest)), len(UNFINISHED) - 1)]
        sketch.pace = _unfinished_pace(sketch, promise, fate)


def _unfinished(order: list[Sketch], count: int, promise: Promise, public: list[Sketch]) -> list[Sketch]:
    """The `count` last of `order`, but at most half of any county's projects as long as others can be had."""
    room = Counter({code: total // 2 for code, total in promise.counties.items()})
    room.subtract(s.county for s in public if s.pace.completed_on is None)
    chosen: list[Sketch] = []
    for sketch in reversed(order):
        if room[sketch.county] > 0 and len(chosen) < count:
            room[sketch.county] -= 1
            chosen.append(sketch)
    others = [s for s in reversed(order) if s not in chosen]
    return chosen + others[: count - len(chosen)]


def _turn(place: int, count: int) -> int:
    """A fixed shuffle of places: steps of a number coprime to most counts spread fates over sizes and counties."""
    stride = next(n for n in (7, 11, 13, 17) if count % n)
    return place * stride % count


def _finished_pace(sketch: Sketch, promise: Promise, fate: str, place: int, count: int, last: dt.date) -> Pace:
    """Completions from ten months after the first week to `last`, denser towards the end of the year."""
    sketch.fate = fate
    first = promise.first_week + dt.timedelta(days=235)
    share = Decimal(place + 1) / count
    days = int((last - first).days * (share * 13 - share * share * 3) / 10)
    jitter = promise.dice("finish", sketch.name).randint(-12, 12)
    return _pace_until(sketch, promise, fate, min(first + dt.timedelta(days=max(days + jitter, 0)), last - dt.timedelta(days=2)))


def _pace_until(sketch: Sketch, promise: Promise, fate: str, completed_on: dt.date) -> Pace:
    """The pace of a project that was completed on a day."""
    sketch.fate = fate
    dice = promise.dice("pace", sketch.name)
    usual = min(130 + int(sketch.total_wan / 90) + dice.randint(-20, 90), 400)
    started_on = max(completed_on - dt.timedelta(days=usual), promise.first_week + dt.timedelta(days=dice.randint(10, 90)))
    baseline_start_on = started_on - dt.timedelta(days=dice.choice([0, 0, 6, 15, 28, 47, 60]))
    early = dt.timedelta(days=dice.randint(2, 40))
    if fate == "late":
        early = -dt.timedelta(days=dice.randint(18, 75))
    baseline_finish_on = max(completed_on + early, baseline_start_on + dt.timedelta(days=45))
    revised_on = revised_finish_on = None
    if fate == "postponed":
        baseline_finish_on = max(completed_on - dt.timedelta(days=dice.randint(60, 100)), started_on + dt.timedelta(days=40))
        revised_on = baseline_finish_on - dt.timedelta(days=dice.randint(8, 20))
        revised_finish_on = completed_on + dt.timedelta(days=dice.randint(3, 20))
    return Pace(baseline_start_on, baseline_finish_on, started_on, completed_on, completed_on, revised_on, revised_finish_on)


LAGS = {"slow": (12, 27), "stalled": (33, 46), "silent": (14, 28), "ahead": (-14, -7), "postponed": (3, 9), "steady": (-4, 6)}


def _unfinished_pace(sketch: Sketch, promise: Promise, fate: str) -> Pace:
    """The pace of a project still under way: it lags (or leads) by what its fate says on the demo's day."""
    sketch.fate = fate
    dice, today = promise.dice("pace", sketch.name), promise.today
    is_behind = fate in ("slow", "stalled", "silent")
    first, last = promise.first_week + dt.timedelta(days=150), promise.all_started_by - dt.timedelta(days=46)
    if is_behind:
        started_on = _between(dice, first, today - dt.timedelta(days=320))
    else:
        started_on = max(_between(dice, first, last), _between(dice, first, last))
    baseline_start_on = started_on - dt.timedelta(days=dice.randint(20, 95) if is_behind else dice.choice([0, 4, 12, 25]))
    until_finish = (-25, 120) if is_behind else (110, 250)
    finish_on = today + dt.timedelta(days=dice.randint(*until_finish))
    finish_on = min(max(finish_on, started_on + dt.timedelta(days=200)), promise.last_finish)
    revised_on, revised_finish_on = None, None
    if fate == "postponed":
        revised_on, revised_finish_on = today - dt.timedelta(days=dice.randint(40, 110)), finish_on
        finish_on = today + dt.timedelta(days=dice.randint(-20, 30))
    silent_from = today - dt.timedelta(days=dice.randint(40, 75)) if fate == "silent" else None
    planned = Pace(baseline_start_on, finish_on, started_on, None, finish_on, revised_on, revised_finish_on)
    reached = max(planned.planned_on(today) - dice.randint(*LAGS[fate]), Decimal(3))
    real_finish_on = finish_for(started_on, silent_from or today, min(reached, Decimal(97)))
    return dataclasses.replace(planned, real_finish_on=real_finish_on, silent_from=silent_from)


def _between(dice: random.Random, first: dt.date, last: dt.date) -> dt.date:
    return first + dt.timedelta(days=dice.randint(0, (last - first).days))


def _give_money(sketch: Sketch, promise: Promise) -> None:
    dice, course = promise.dice("money", sketch.name), sketch.pace
    mixes = works.MIXES.get(sketch.domain, works.USUAL_MIX)
    arrivals, is_open = money.USUAL, False
    if not sketch.is_public and sketch.fate != "over_budget":
        if sketch.number % MONEY_EARLY == 3:
            arrivals = money.EARLY
        elif sketch.number % MONEY_SCARCE == 5:
            arrivals, is_open = money.SCARCE, course.completed_on is None
    finish_on = course.completed_on or course.revised_finish_on or course.baseline_finish_on
    # What is finished cost nearly what was planned; under way, measured investment trails the works.
    usual_worth = (980, 1000) if sketch.is_public else (830, 930) if course.completed_on else (500, 660)
    worth = Decimal(dice.randint(*((1025, 1070) if sketch.fate == "over_budget" else usual_worth))) / 1000
    sketch.sources = money.sources(
        dice, mixes[dice.randrange(len(mixes))], sketch.total_wan, course.started_on, finish_on,
        arrivals=arrivals, worth=worth, is_last_open=is_open, today=promise.today,
    )  # fmt: skip
