"""Whether the trail is whole: every chain from its first event to its head, nothing cut off, nothing beside it."""

import dataclasses
from collections.abc import Iterator

from django.db import connection
from django.db.models import Count, Max

from linfen_water import trail, trail_guard
from linfen_water.models import TrailEvent, TrailHead


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong, in Chinese for the office and in English for the log."""

    chain: str
    position: int | None
    sentence: str
    english: str


@dataclasses.dataclass(frozen=True)
class Finding:
    chains: int
    events: int
    faults: list[Fault]


def check() -> Finding:
    """Walk all chains. The queries are two a chain, whatever its length."""
    heads = {head.chain: head for head in TrailHead.objects.all()}
    counted = {
        row["chain"]: row for row in TrailEvent.objects.order_by().values("chain").annotate(events=Count("pk"), last=Max("position"))
    }
    faults = [*_guard()]
    for chain in sorted(heads.keys() | counted.keys()):
        faults += _chain(chain, heads.get(chain), counted.get(chain))
    return Finding(len(heads), sum(row["events"] for row in counted.values()), faults)


def _guard() -> Iterator[Fault]:
    if not trail_guard.stands(connection):
        yield Fault("", None, "数据库里防止改动留痕的触发器不在", "the triggers that refuse changes of the trail are missing")


def _chain(chain: str, head: TrailHead | None, counted: dict | None) -> Iterator[Fault]:
    if head is None:
        yield Fault(chain, None, "有事件而没有链首", "events without a head")
        return
    length = counted["events"] if counted else 0
    if length < head.length:
        cut = f"应有 {head.length} 条，只有 {length} 条：有事件被删去"
        yield Fault(chain, length + 1, cut, f"{head.length} events expected, {length} found: events were removed")
    elif length > head.length:
        yield Fault(chain, head.length + 1, f"应有 {head.length} 条，却有 {length} 条", f"{head.length} events expected, {length} found")
    if (position := trail.verify(chain)) is not None and position <= length:
        words = f"第 {position} 条与摘要不符：内容、次序或前一条被改动"
        yield Fault(chain, position, words, f"event {position} does not fit its digest")
    elif position is not None and length == head.length:
        yield Fault(chain, position, "链首的摘要与最后一条不符", "the head does not fit the last event")
