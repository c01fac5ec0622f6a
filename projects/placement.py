"""Where buttons, discs and names stand on a map. Pure and deterministic: the same wants give the same places.

All lengths are km of the map (x east, y north); a `Box` is centre, width and height.
"""

import dataclasses
import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

Point = tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: "Box") -> float:
        """Shared area; touching edges share nothing."""
        wide = (self.width + other.width) / 2 - abs(self.x - other.x)
        high = (self.height + other.height) / 2 - abs(self.y - other.y)
        if wide <= 1e-9 or high <= 1e-9:
            return 0.0
        return min(wide, self.width, other.width) * min(high, self.height, other.height)

    def nearest(self, point: Point) -> Point:
        """The point of the box next to `point`."""
        return (
            min(max(point[0], self.x - self.width / 2), self.x + self.width / 2),
            min(max(point[1], self.y - self.height / 2), self.y + self.height / 2),
        )


# ── discs at their true sites (map 1) ───────────────────────────────────────────────────────────────────────────────
def declutter(sites: Sequence[Point], radii: Sequence[float]) -> list[Point]:
    """Move discs as little as they must so that none covers another.

    In their order, each takes the nearest free place around its site; then, worst first, each may move back nearer.
    """
    widest = 2 * max(radii, default=1.0)
    placed: dict[int, Point] = {}
    cells: dict[tuple[int, int], set[int]] = defaultdict(set)

    def cell(point: Point) -> tuple[int, int]:
        return math.floor(point[0] / widest), math.floor(point[1] / widest)

    def is_free(point: Point, radius: float) -> bool:
        column, row = cell(point)
        return not any(
            math.dist(point, placed[other]) < radius + radii[other]
            for dx, dy in itertools.product((-1, 0, 1), repeat=2)
            for other in cells.get((column + dx, row + dy), ())
        )

    def put(index: int) -> None:
        point = next(p for p in _around(sites[index], radii[index] / 4) if is_free(p, radii[index]))
        placed[index] = point
        cells[cell(point)].add(index)

    for index in range(len(sites)):
        put(index)
    for _ in range(3):
        for index in sorted(placed, key=lambda i: (-math.dist(sites[i], placed[i]), i)):
            cells[cell(placed[index])].discard(index)
            put(index)
    return [placed[index] for index in range(len(sites))]


def _around(centre: Point, step: float) -> Iterator[Point]:
    """Points around `centre`, nearest first, ring by ring without end."""
    yield centre
    for ring in itertools.count(1):
        count = 6 * ring
        for place in range(count):
            angle = math.tau * (place + 0.25) / count
            yield round(centre[0] + ring * step * math.cos(angle), 3), round(centre[1] + ring * step * math.sin(angle), 3)


# ── blocks of magnets (map 2) ───────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Want:
    """A county's wish: so many buttons under its name, inside its outline; a zone has no outline, only a place.

    `extent` (width, height in buttons) asks for a plate of fixed size instead of rows of buttons.
    """

    key: str
    count: int
    anchor: Point
    outline: BaseGeometry | None = None
    extent: Point | None = None


@dataclasses.dataclass(frozen=True)
class Block:
    """Where a county's name and buttons stand.

    Without `leader` every button lies inside the county; else the line leads there from the county's place.
    """

    box: Box
    title: Point  # middle of the name
    slots: tuple[Point, ...]  # middle of each button, by rows from the upper left
    leader: tuple[Point, Point] | None

    @property
    def is_below(self) -> bool:
        """Whether there was no place for it on the map."""
        return self.box.y < 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Choice:
    box: Box
    columns: int
    cost: float
    leader: tuple[Point, Point] | None


# What a place costs, in widths of a button: found by eye on the Linfen pack, held by the tests on packs of other shapes.
COST_OF_DISTANCE = 0.55  # for each width away from the county's middle
COST_OF_FOREIGN_GROUND = 9.0  # a whole block on another county's ground
COST_OF_GUEST_DISTANCE = 1.3  # the same for a zone, which stands next to its place
COST_OF_GUEST_GROUND = 1.5  # a zone always lies on some county's ground
COST_OUTSIDE = 2.2  # a whole block beyond the border, in sight of its own county
COST_BESIDE = 4.0  # standing beside the county with a leader line
COST_OF_LEADER = 0.8  # for each width away of such a block, beyond COST_OF_DISTANCE: a long line crosses half the map
COST_BELOW = 40.0  # no place on the map at all
COST_OF_CROSSING = 3.0  # a leader line over another block
MOST_FOREIGN = 0.3  # of a block with a leader line may lie on the ground of others: more would be taken for theirs,
LEAST_OWN = 0.25  # except of one that stands with so much of it in its own county
TITLE_SHARE = 0.86  # height of the name
TITLE_WIDTH = 2.15
GAP = 0.22  # free space around a block, so that neighbours do not run into one another
PASSES = 4
ORDERS = 3
PUSHES = 60
GUEST_CHOICES = 1000
TRIALS = 800  # pushes tried in all: bounds the time on a map with very many counties
LEAST_GAIN = 0.01
CELLS = 8  # of the ground's raster in the width of a button
FIRST_LOOK, AT_ONCE = 24, 512  # choices looked at together: few at first, since the first free one is often the best
MANY = 40  # counties; so many are placed in one order and with fewer trials, which takes long enough


def blocks(wants: Sequence[Want], pitch: float, size: Point) -> dict[str, Block]:
    """Place one block of buttons (`pitch` apart) per want on a map of `size`, without any overlap.

    A few orders are tried, first the one with the least freedom first; each is bettered by letting those that got a bad
    place push others aside, and the cheapest whole wins. What finds no place on the map stands below it: nothing is lost.
    """
    ground = _Ground(wants, pitch, size)
    choices = {w.key: _choices(w, pitch, ground) for w in wants}
    order = sorted(wants, key=lambda w: (-choices[w.key].least, -w.count, w.key))
    shuffle = random.Random(0).shuffle  # a fixed seed: the same wants, the same places
    best: dict[str, _Choice] = {}
    for _ in range(ORDERS if len(wants) < MANY else 1):
        placed = _push(_settle(order, choices, pitch, size), {w.key: w for w in wants}, choices)
        if not best or _total(placed) < _total(best) - LEAST_GAIN:
            best = placed
        order = list(order)
        shuffle(order)
    return {w.key: _block(w, best[w.key], pitch) for w in wants}


def _push(placed: dict[str, _Choice], wants: dict[str, Want], choices: dict[str, "_Choices"]) -> dict[str, _Choice]:
    """Let a block take a better place and those who stood there look for another, as long as the whole gains by it."""
    cost, trials = _total(placed), 0
    most = TRIALS if len(placed) < MANY else TRIALS // 4
    for _ in range(PASSES):
        before = cost
        owners = [key for key in placed if wants[key].outline is not None and len(choices[key])]  # guests take what is left
        for key in sorted(owners, key=lambda k: (choices[k].least - placed[k].cost, k)):
            for index in range(min(PUSHES, len(choices[key]))):
                if choices[key].cost[index] >= placed[key].cost - LEAST_GAIN or trials >= most:
                    break
                trials += 1
                trial = _pushed(placed, wants, choices, key, choices[key].choice(index), cost - LEAST_GAIN)
                if trial and _sum(trial) < cost - LEAST_GAIN and (gained := _total(trial)) < cost - LEAST_GAIN:
                    placed, cost = trial, gained
        if cost == before:
            break
    return placed


def _pushed(placed, wants, choices, key: str, choice: _Choice, budget: float) -> dict[str, _Choice] | None:
    """Everyone's place after `key` took `choice`; None when that costs `budget` or more, or moves more than three."""
    aside = [k for k, other in placed.items() if k != key and choice.box.overlap(other.box)]
    if len(aside) > 3 or not all(len(choices[k]) for k in aside):
        return None
    trial = {k: other for k, other in placed.items() if k not in aside} | {key: choice}
    left = budget - sum(c.cost for c in trial.values()) - sum(choices[k].least for k in aside)
    for other in sorted(aside, key=lambda k: (-wants[k].count, k)):
        if left <= 0 or (place := choices[other].best(trial.values(), left + choices[other].least)) is None:
            return None
        left -= place.cost - choices[other].least
        trial[other] = place
    return trial


def _settle(order: Sequence[Want], choices: dict[str, "_Choices"], pitch: float, size: Point) -> dict[str, _Choice]:
    """Give each want in turn the best place that the others leave it, until nobody moves."""
    placed: dict[str, _Choice] = {}
    for _ in range(PASSES):
        before = dict(placed)
        for want in order:
            placed.pop(want.key, None)
            placed[want.key] = choices[want.key].best(placed.values()) or _below(want, pitch, size, placed)
        if placed == before:
            break
    return placed


def _total(placed: dict[str, _Choice]) -> float:
    everyone = list(placed.values())
    led = [choice for choice in everyone if choice.leader]
    if not led:
        return _sum(placed)
    lines, boxes = _lines(led), _sides(everyone)
    over = int(_meets(lines[:, :, None], boxes[:, None, :]).sum()) - sum(_meets_own(choice) for choice in led)
    crossed = int(_cross(lines[:, :, None], lines[:, None, :]).sum()) // 2  # each pair is found from both sides
    return _sum(placed) + COST_OF_CROSSING * (over + crossed)


def _sum(placed: dict[str, _Choice]) -> float:
    """What all places cost, without what leader lines cross."""
    return sum(choice.cost for choice in placed.values())


def _meets_own(choice: _Choice) -> bool:
    return bool(_meets(_lines([choice])[:, :, None], _sides([choice])[:, None, :])[0, 0])


def _choices(want: Want, pitch: float, ground: "_Ground") -> "_Choices":
    """Every place worth a thought for `want`, cheapest first."""
    found = [_places(want, columns, _extent(want, columns, pitch), pitch, ground) for columns in _columns(want)]
    columns = np.concatenate(found, axis=1)
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return _Choices(want.anchor, columns[:, order if want.outline is not None else order[:GUEST_CHOICES]])


def _places(want: Want, columns: int, extent: Point, pitch: float, ground: "_Ground") -> np.ndarray:
    """Columns of `_Choices` for one shape of the block, wherever on the map it may stand."""
    width, height = extent
    xs, ys = ground.grid(width, height)
    x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    land = ground.shares(ground.land, xs, ys, extent)
    mine = ground.shares(ground.own.get(want.key), xs, ys, extent)
    inside = ground.holds(ground.own.get(want.key), xs, ys, _offsets(want, columns, extent, pitch))
    covers = (abs(x - want.anchor[0]) <= width / 2) & (abs(y - want.anchor[1]) <= height / 2)
    if want.outline is None:
        keep, is_led = np.ones(len(x), bool), ~covers
    else:
        # In the county; else beside it, in sight or not, with a line to it; never as if it were another's.
        keep, is_led = inside | (~covers & ((land - mine <= MOST_FOREIGN) | (mine >= LEAST_OWN)) & ((mine > 0) | (land <= 0.02))), ~inside
    rows = math.ceil(want.count / columns)
    away = np.hypot(x - want.anchor[0], y - want.anchor[1]) / pitch
    cost = 0.25 * abs(rows - 2) + 0.12 * (columns * rows - want.count)
    cost = cost + (COST_OF_GUEST_DISTANCE if want.outline is None else COST_OF_DISTANCE) * away
    cost += (COST_OF_GUEST_GROUND if want.outline is None else COST_OF_FOREIGN_GROUND) * (land - mine)
    cost += COST_OUTSIDE * (1 - land)
    if want.outline is not None:
        cost += (COST_BESIDE + COST_OF_LEADER * away) * is_led
    wide, high, shape = np.full(len(x), width), np.full(len(x), height), np.full(len(x), columns)
    return np.stack([cost, x, y, wide, high, shape, is_led])[:, keep]


def _columns(want: Want) -> range:
    """Widths worth trying: from one tall column to one row."""
    count = want.count
    if want.extent:
        return range(1, 2)
    return range(1 if count <= 3 else 2, max(1, min(count, max(5, math.ceil(math.sqrt(2 * count))))) + 1)


def _extent(want: Want, columns: int, pitch: float) -> Point:
    """Width and height of the block with so many columns."""
    if want.extent:
        return want.extent[0] * pitch, want.extent[1] * pitch
    return (max(columns, TITLE_WIDTH) + GAP) * pitch, (math.ceil(want.count / columns) + TITLE_SHARE + GAP) * pitch


def _offsets(want: Want, columns: int, extent: Point, pitch: float) -> list[Point]:
    """What must lie in the county, from the middle of its block: its buttons; of a block without any, its name."""
    box = Box(0, 0, *extent)
    return list(_slots(want.count, box, columns, pitch)) or [(0.0, 0.0)]


def _leader(anchor: Point, box: Box) -> tuple[Point, Point]:
    """The line from a county's place to its block."""
    return anchor, box.nearest(anchor)


class _Choices:
    """Places for one block, cheapest first, as columns: cost, x, y, width, height, columns of buttons, has a leader line."""

    def __init__(self, anchor: Point, columns: np.ndarray):
        self.anchor = anchor
        self.cost, self.x, self.y, self.width, self.height, self.columns, self.is_led = columns
        self.least = float(self.cost[0]) if len(self.cost) else 0.0
        self.sides = _box_sides(self.x, self.y, self.width, self.height)
        ends = (np.clip(anchor[0], self.sides[0], self.sides[1]), np.clip(anchor[1], self.sides[2], self.sides[3]))
        self.lines = np.stack([np.full(len(self.x), anchor[0]), np.full(len(self.x), anchor[1]), *ends])

    def __len__(self) -> int:
        return len(self.cost)

    def choice(self, index: int) -> _Choice:
        box = Box(*(float(column[index]) for column in (self.x, self.y, self.width, self.height)))
        leader = _leader(self.anchor, box) if self.is_led[index] else None
        return _Choice(box, int(self.columns[index]), float(self.cost[index]), leader)

    def best(self, placed: Iterable[_Choice], limit: float = math.inf) -> _Choice | None:
        """The cheapest choice below `limit` that touches no placed block, counting the blocks that its leader crosses."""
        placed = list(placed)
        boxes, led = _sides(placed), [choice for choice in placed if choice.leader]
        lines = _lines(led) if led else None
        best, best_cost, next_start, many = None, limit, 0, FIRST_LOOK
        while next_start < len(self.cost) and self.cost[next_start] < best_cost:
            part = np.arange(next_start, min(next_start + many, len(self.cost)))
            next_start, many = next_start + many, min(4 * many, AT_ONCE)
            sides = self.sides[:, part]
            free = ~_overlaps(sides[:, :, None], boxes[:, None, :]).any(axis=1) & (self.cost[part] < best_cost)
            part = part[free]
            if not len(part):
                continue
            cost = self.cost[part] + COST_OF_CROSSING * self._crossings(part, boxes, lines)
            index = int(np.argmin(cost))  # the first of equals: the order is that of the cost
            if cost[index] < best_cost:
                best, best_cost = int(part[index]), float(cost[index])
        return None if best is None else self.choice(best)

    def _crossings(self, part: np.ndarray, boxes: np.ndarray, lines: np.ndarray | None) -> np.ndarray:
        """How many blocks and leader lines lie on each choice's leader line, or under it."""
        led = self.is_led[part].astype(bool)
        count = np.zeros(len(part), int)
        if led.any():
            own = self.lines[:, part[led]][:, :, None]
            count[led] += _meets(own, boxes[:, None, :]).sum(axis=1)
            if lines is not None:
                count[led] += _cross(own, lines[:, None, :]).sum(axis=1)
        if lines is not None:
            count += _meets(lines[:, None, :], self.sides[:, part][:, :, None]).sum(axis=1)
        return count


class _Ground:
    """Whose ground a box stands on, read from one raster per county. Summed up, it tells any box's share at once."""

    def __init__(self, wants: Sequence[Want], pitch: float, size: Point):
        self.step, self.cell, self.size = pitch / 2, pitch / CELLS, size
        self.shape = math.ceil(size[1] / self.cell) + 1, math.ceil(size[0] / self.cell) + 1
        self.own = {w.key: self._raster(w.outline) for w in wants if w.outline is not None}
        self.land = np.logical_or.reduce([*self.own.values(), np.zeros(self.shape, bool)])

    def _raster(self, outline: BaseGeometry) -> np.ndarray:
        """Which cells lie in `outline` with all their corners."""
        corners = np.zeros((self.shape[0] + 1, self.shape[1] + 1), bool)
        if not outline.is_empty:
            shapely.prepare(outline)
            x0, y0, x1, y1 = (int(v / self.cell) for v in outline.bounds)
            columns, rows = np.arange(max(x0, 0), min(x1 + 2, corners.shape[1])), np.arange(max(y0, 0), min(y1 + 2, corners.shape[0]))
            x, y = np.meshgrid(columns * self.cell, rows * self.cell)
            corners[np.ix_(rows, columns)] = shapely.contains_xy(outline, x, y)
        return corners[:-1, :-1] & corners[1:, :-1] & corners[:-1, 1:] & corners[1:, 1:]

    def grid(self, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
        """Middles, along x and along y, at which a box of this width and height lies within the map."""
        columns, rows = (int((room - length) / self.step) + 1 for room, length in zip(self.size, (width, height), strict=True))
        return width / 2 + self.step * np.arange(max(columns, 0)), height / 2 + self.step * np.arange(max(rows, 0))

    def shares(self, cells: np.ndarray | None, xs: np.ndarray, ys: np.ndarray, extent: Point) -> np.ndarray:
        """The share of `cells` in a box of `extent` around each place of the grid."""
        if cells is None:
            return np.zeros(len(xs) * len(ys))
        sums = np.zeros((self.shape[0] + 1, self.shape[1] + 1))
        sums[1:, 1:] = cells.cumsum(axis=0).cumsum(axis=1)
        across = _between(sums.T, (xs + extent[0] / 2) / self.cell) - _between(sums.T, (xs - extent[0] / 2) / self.cell)
        within = _between(across.T, (ys + extent[1] / 2) / self.cell) - _between(across.T, (ys - extent[1] / 2) / self.cell)
        return np.clip(within.ravel() * self.cell**2 / (extent[0] * extent[1]), 0, 1)

    def holds(self, cells: np.ndarray | None, xs: np.ndarray, ys: np.ndarray, offsets: list[Point]) -> np.ndarray:
        """Whether all `offsets` from a place lie on `cells`, for each place of the grid."""
        if cells is None:
            return np.zeros(len(xs) * len(ys), bool)
        held = np.ones((len(ys), len(xs)), bool)
        for dx, dy in offsets:
            columns, rows = ((axis / self.cell).astype(int) for axis in (xs + dx, ys + dy))
            held &= cells[np.ix_(rows.clip(0, self.shape[0] - 1), columns.clip(0, self.shape[1] - 1))]
        return held.ravel()


def _between(rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The rows at fractional `places`, linear between two."""
    low = np.clip(places.astype(int), 0, len(rows) - 2)
    share = np.clip(places - low, 0, 1)[:, None]
    return rows[low] * (1 - share) + rows[low + 1] * share


# Boxes as four arrays (left, right, lower, upper), lines as four (x and y of both ends): many at once, by broadcasting.
def _box_sides(x, y, width, height) -> np.ndarray:
    return np.array([x - width / 2, x + width / 2, y - height / 2, y + height / 2])


def _sides(choices: Sequence[_Choice]) -> np.ndarray:
    return _box_sides(*np.array([(c.box.x, c.box.y, c.box.width, c.box.height) for c in choices]).reshape(-1, 4).T)


def _lines(choices: Sequence[_Choice]) -> np.ndarray:
    return np.array([[*start, *end] for start, end in (choice.leader for choice in choices if choice.leader)]).reshape(-1, 4).T


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether boxes share more than an edge."""
    wide = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
    high = np.minimum(a[3], b[3]) - np.maximum(a[2], b[2])
    return (wide > 1e-9) & (high > 1e-9)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether lines cross between their ends: each has the ends of the other on both sides."""

    def side(line, x, y):
        return (line[2] - line[0]) * (y - line[1]) - (line[3] - line[1]) * (x - line[0])

    return (side(a, b[0], b[1]) * side(a, b[2], b[3]) < 0) & (side(b, a[0], a[1]) * side(b, a[2], a[3]) < 0)


def _meets(lines: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Whether lines run through boxes: the line clipped to the box, side by side, is not empty."""
    enter, leave = 0.0, 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        for start, end, low, high in ((lines[0], lines[2], sides[0], sides[1]), (lines[1], lines[3], sides[2], sides[3])):
            way = end - start
            first, last = (low - start) / way, (high - start) / way
            within = (low < start) & (start < high)  # of a line along this side, which never enters or leaves
            enter = np.maximum(enter, np.where(way == 0, np.where(within, 0.0, 2.0), np.minimum(first, last)))
            leave = np.minimum(leave, np.where(way == 0, 1.0, np.maximum(first, last)))
    return enter < leave


def _below(want: Want, pitch: float, size: Point, placed: dict[str, _Choice]) -> _Choice:
    """A place under the map, left to right: the last resort of a map too small for its buttons."""
    columns = max(_columns(want))
    width, height = _extent(want, columns, pitch)
    lowest = min([0.0, *(c.box.y - c.box.height / 2 for c in placed.values())])
    box = Box(size[0] / 2, lowest - height / 2, width, height)
    return _Choice(box, columns, COST_BELOW, _leader(want.anchor, box))


def _block(want: Want, choice: _Choice, pitch: float) -> Block:
    box = choice.box
    slots = tuple((round(x, 2), round(y, 2)) for x, y in _slots(want.count, box, choice.columns, pitch))
    title = (round(box.x, 2), round(box.y + box.height / 2 - (GAP + TITLE_SHARE) * pitch / 2, 2))
    return Block(box, title, slots, choice.leader)


def _slots(count: int, box: Box, columns: int, pitch: float) -> Iterator[Point]:
    """The middles of the buttons in a block, by rows from the upper left."""
    first_row = box.y + box.height / 2 - (GAP / 2 + TITLE_SHARE + 0.5) * pitch
    for index in range(count):
        row, column = divmod(index, columns)
        yield box.x + (column - (columns - 1) / 2) * pitch, first_row - row * pitch


# ── names (maps 1 and 3) ────────────────────────────────────────────────────────────────────────────────────────────
@dataclasses.dataclass(frozen=True)
class Name:
    """A name to write: its width and height, and the places it may take, best first."""

    key: str
    width: float
    height: float
    places: Sequence[Point]


def names(wants: Sequence[Name], obstacles: Sequence[Box], size: Point) -> dict[str, Point]:
    """Give each name, in order, its first place that covers nothing; when there is none, the one that covers least."""
    taken = list(obstacles)
    found: dict[str, Point] = {}
    for want in wants:
        best: tuple[float, Box] | None = None
        for x, y in want.places:
            box = Box(x, y, want.width, want.height)
            covered = sum(box.overlap(other) for other in taken) + _beyond(box, size)
            if best is None or covered < best[0]:
                best = covered, box
            if covered == 0:
                break
        if best:
            taken.append(best[1])
            found[want.key] = (round(best[1].x, 2), round(best[1].y, 2))
    return found


def _beyond(box: Box, size: Point) -> float:
    """Area of `box` that lies off the map."""
    return box.width * box.height - box.overlap(Box(size[0] / 2, size[1] / 2, *size))


def places_within(outline: BaseGeometry, anchor: Point, step: float) -> list[Point]:
    """Places for a name inside an area, nearest to `anchor` first."""
    if outline.is_empty:
        return [anchor]
    x0, y0, x1, y1 = outline.bounds
    columns, rows = int((x1 - x0) / step), int((y1 - y0) / step)
    grid = [(x0 + (i + 0.5) * step, y0 + (j + 0.5) * step) for i in range(columns) for j in range(rows)]
    inside = shapely.contains_xy(outline, [x for x, _ in grid], [y for _, y in grid]) if grid else []
    free = [point for point, is_inside in zip(grid, inside, strict=True) if is_inside]
    return [anchor, *sorted(free, key=lambda p: (math.dist(p, anchor), p))]


def places_along(line: BaseGeometry, offset: float, step: float) -> list[Point]:
    """Places for a river's name: beside its line, `offset` away, from its middle outwards."""
    length = line.length
    count = max(int(length / step), 1)
    order = sorted(range(count + 1), key=lambda i: (abs(i / count - 0.5), i))
    found = []
    for index in order:
        middle = line.interpolate(index / count, normalized=True)
        for dx, dy in ((offset, 0), (-offset, 0), (0, offset / 2), (0, -offset / 2)):
            found.append((middle.x + dx, middle.y + dy))
    return found
