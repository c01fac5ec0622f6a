"""Verdicts as of a day, for pages, letters and commands."""

import datetime as dt

from ledgers.measures import facts, rules
from ledgers.measures.rules import Verdict
from linfen_water import policy


def verdicts(day: dt.date) -> list[Verdict]:
    """What the facts of `day` call for, by the thresholds in force then."""
    return rules.judge(facts.read_day(day), policy.values_on(day))
