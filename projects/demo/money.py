"""Money of the demo: how a sum is shared out, and how it arrives, is paid and is worked off. 万元, two decimals."""

import dataclasses
import datetime as dt
import random
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal(0)
HELD, LONG_HELD, HELD_EVERY = 21, 160, 9  # days; every so many-th source is held long


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def share_out(total: Decimal, parts: list[Decimal]) -> list[Decimal]:
    """Split `total` in proportion to `parts`, to the cent; the largest part takes what rounding leaves."""
    whole = sum(parts, ZERO)
    shares = [(total * part / whole).quantize(CENT, ROUND_DOWN) for part in parts]
    shares[parts.index(max(parts))] += total - sum(shares, ZERO)
    return shares


def likely_size(dice: random.Random, low: int, high: int) -> Decimal:
    """A log-normal size whose usual range is `low` to `high`: exact arithmetic, alike on every machine."""
    middle = (Decimal(low) * Decimal(high)).sqrt()
    spread = (Decimal(high) / Decimal(low)).ln() * Decimal("0.4")  # the range is two and a half standard deviations wide
    normal = sum((Decimal(dice.randrange(1000)) / 1000 for _ in range(12)), ZERO) - 6
    return middle * (spread * max(min(normal, Decimal(2)), Decimal(-2))).exp()


@dataclasses.dataclass(frozen=True)
class Source:
    """One source of a project's money and its way."""

    kind: str
    planned_wan: Decimal
    issued_wan: Decimal | None
    issued_on: dt.date | None
    arrivals: tuple[tuple[dt.date, Decimal], ...]  # day and cumulative share of what was issued
    worth: Decimal  # invested at 100 % progress, per planned 万元
    paid_share: Decimal  # of what is invested, as far as money is there

    def in_place_on(self, day: dt.date) -> Decimal:
        share = max((share for on, share in self.arrivals if on <= day), default=ZERO)
        return cents((self.issued_wan or ZERO) * share)

    def allocated(self, day: dt.date, paid: Decimal) -> Decimal:
        """What was passed on: what had come some weeks before, and in any case what is paid; both only grow, so it does."""
        return max(paid, self.in_place_on(day - dt.timedelta(days=self.held_days)))

    @property
    def held_days(self) -> int:
        """How long money lies with the county: some lets it lie for months."""
        return LONG_HELD if int(self.planned_wan) % HELD_EVERY == 0 else HELD

    def invested_at(self, progress: Decimal) -> Decimal:
        return cents(self.planned_wan * progress / 100 * self.worth)

    def paid_on(self, day: dt.date, progress: Decimal) -> Decimal:
        return min(self.in_place_on(day), cents(self.planned_wan * progress / 100 * min(self.worth, Decimal(1)) * self.paid_share))


# Cumulative shares of the money and the part of the works' time at which they arrive (0 = start, 1 = finish).
USUAL = (("-0.05", "0.3"), ("0.30", "0.6"), ("0.65", "0.85"), ("1.00", "1"))
EARLY = (("-0.10", "0.6"), ("0.05", "1"))  # money waits for works
SCARCE = (("0.10", "0.15"), ("0.45", "0.30"), ("0.90", "0.45"))  # works wait for money


def _uneven(dice: random.Random, share: str) -> Decimal:
    """A cumulative share a little off the round one; what is all stays all."""
    return Decimal(share) if share == "1" else Decimal(share) * dice.randint(90, 108) / 100


def sources(
    dice: random.Random,
    mix,
    total: Decimal,
    start_on: dt.date,
    finish_on: dt.date,
    *,
    arrivals=USUAL,
    worth: Decimal,
    is_last_open: bool = False,
    today: dt.date,
) -> list[Source]:
    """The sources of one project; with `is_last_open` the last one is not issued by `today`."""
    planned = share_out(total, [Decimal(parts) for _, parts in mix])
    result = []
    for place, ((kind, _), amount) in enumerate(zip(mix, planned, strict=True)):
        is_open = is_last_open and place == len(mix) - 1 and len(mix) > 1
        issued_on = start_on - dt.timedelta(days=dice.randint(20, 90)) + dt.timedelta(days=45 * place)
        is_issued = not is_open and issued_on <= today
        days = (finish_on - start_on).days
        result.append(
            Source(
                kind=kind,
                planned_wan=amount,
                issued_wan=amount if is_issued else None,
                issued_on=issued_on if is_issued else None,
                arrivals=tuple(
                    (max(start_on + dt.timedelta(days=int(Decimal(at) * days) + dice.randint(0, 30)), issued_on), _uneven(dice, share))
                    for at, share in arrivals
                ),
                worth=worth,
                paid_share=Decimal(dice.randint(72, 96)) / 100,
            )
        )
    return result
