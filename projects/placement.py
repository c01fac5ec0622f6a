"""Where buttons, discs and names stand on a map. Pure and deterministic: the same wants give the same places.

All lengths are km of the map (x east, y north); a `Box` is centre, width and height.
"""

import dataclasses
import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

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
    """A county's wish: so many buttons under its name, inside its outline; a zone has no outline, only a place."""

    key: str
    count: int
    anchor: Point
    outline: BaseGeometry | None = None


@dataclasses.dataclass(frozen=True)
class Block:
    """Where a county's name and buttons stand; `leader` leads to the county when they stand elsewhere."""

    box: Box
    title: Point  # middle of the name
    slots: tuple[Point, ...]  # middle of each button, by rows from the upper left
    leader: tuple[Point, Point] | None


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
COST_BESIDE = 4.0  # standing beside the region with a leader line
COST_BELOW = 40.0  # no place on the map at all
COST_OF_CROSSING = 3.0  # a leader line over another block
TITLE_SHARE = 0.86  # height of the name
TITLE_WIDTH = 2.15
GAP = 0.22  # free space around a block, so that neighbours do not run into one another
PASSES = 4
ORDERS = 3
PUSHES = 60
GUEST_CHOICES = 1000
TRIALS = 800  # pushes tried in all: bounds the time on a map with very many counties
LEAST_GAIN = 0.01


def blocks(wants: Sequence[Want], pitch: float, size: Point) -> dict[str, Block]:
    """Place one block of buttons (`pitch` apart) per want on a map of `size`, without any overlap.

    A few orders are tried, first the one with the least freedom first; each is bettered by letting those that got a bad
    place push others aside, and the cheapest whole wins. What finds no place on the map stands below it: nothing is lost.
    """
    ground = _Ground(wants, pitch, size)
    choices = {w.key: _choices(w, pitch, size, ground) for w in wants}
    order = sorted(wants, key=lambda w: (-(choices[w.key][0].cost if choices[w.key] else 0), -w.count, w.key))
    shuffle = random.Random(0).shuffle  # a fixed seed: the same wants, the same places
    best: dict[str, _Choice] = {}
    for _ in range(ORDERS):
        placed = _push(_settle(order, choices, pitch, size), {w.key: w for w in wants}, choices)
        if not best or _total(placed) < _total(best) - LEAST_GAIN:
            best = placed
        order = list(order)
        shuffle(order)
    return {w.key: _block(w, best[w.key], pitch) for w in wants}


def _push(placed: dict[str, _Choice], wants: dict[str, Want], choices: dict[str, list[_Choice]]) -> dict[str, _Choice]:
    """Let a block take a better place and those who stood there look for another, as long as the whole gains by it."""
    cost, trials = _total(placed), 0
    for _ in range(PASSES):
        before = cost
        owners = [key for key in placed if wants[key].outline is not None and choices[key]]  # guests take what is left
        for key in sorted(owners, key=lambda k: (choices[k][0].cost - placed[k].cost, k)):
            for choice in choices[key][:PUSHES]:
                if choice.cost >= placed[key].cost - LEAST_GAIN or trials >= TRIALS:
                    break
                trials += 1
                trial = _pushed(placed, wants, choices, key, choice, cost - LEAST_GAIN)
                if trial and (gained := _total(trial)) < cost - LEAST_GAIN:
                    placed, cost = trial, gained
        if cost == before:
            break
    return placed


def _pushed(placed, wants, choices, key: str, choice: _Choice, budget: float) -> dict[str, _Choice] | None:
    """Everyone's place after `key` took `choice`; None when that costs `budget` or more, or moves more than three."""
    aside = [k for k, other in placed.items() if k != key and choice.box.overlap(other.box)]
    if len(aside) > 3 or not all(choices[k] for k in aside):
        return None
    trial = {k: other for k, other in placed.items() if k not in aside} | {key: choice}
    left = budget - sum(c.cost for c in trial.values()) - sum(choices[k][0].cost for k in aside)
    for other in sorted(aside, key=lambda k: (-wants[k].count, k)):
        if left <= 0 or (place := _best(choices[other], trial, left + choices[other][0].cost)) is None:
            return None
        left -= place.cost - choices[other][0].cost
        trial[other] = place
    return trial


def _settle(order: Sequence[Want], choices: dict[str, list[_Choice]], pitch: float, size: Point) -> dict[str, _Choice]:
    """Give each want in turn the best place that the others leave it, until nobody moves."""
    placed: dict[str, _Choice] = {}
    for _ in range(PASSES):
        before = dict(placed)
        for want in order:
            placed.pop(want.key, None)
            placed[want.key] = _best(choices[want.key], placed) or _below(want, pitch, size, placed)
        if placed == before:
            break
    return placed


def _total(placed: dict[str, _Choice]) -> float:
    everyone = placed.values()
    crossings = sum(_crossings(choice, [c for c in everyone if c is not choice]) for choice in everyone if choice.leader)
    return sum(choice.cost for choice in everyone) + COST_OF_CROSSING * crossings


def _choices(want: Want, pitch: float, size: Point, ground: "_Ground") -> list[_Choice]:
    """Every place worth a thought for `want`, cheapest first."""
    found: list[_Choice] = []
    for columns in _columns(want.count):
        rows = math.ceil(want.count / columns)
        width, height = _extent(columns, rows, pitch)
        for box, land, mine in ground.shares(width, height, want.outline):
            is_home = _is_home(want, land, mine)
            if not is_home and want.outline is not None and land > 0.02:
                continue  # on the ground of others: would be taken for theirs
            leader = None if is_home else _leader(want.anchor, box)
            cost = 0.25 * abs(rows - 2) + 0.12 * (columns * rows - want.count)
            away = math.dist((box.x, box.y), want.anchor) / pitch
            cost += (COST_OF_GUEST_DISTANCE if want.outline is None else COST_OF_DISTANCE) * away
            cost += (COST_OF_GUEST_GROUND if want.outline is None else COST_OF_FOREIGN_GROUND) * (land - mine)
            cost += COST_OUTSIDE * (1 - land)
            cost += COST_BESIDE if leader and want.outline is not None else 0
            found.append(_Choice(box, columns, cost, leader))
    found.sort(key=lambda c: (c.cost, c.box.x, c.box.y))
    return found if want.outline is not None else found[:GUEST_CHOICES]


def _extent(columns: int, rows: int, pitch: float) -> Point:
    """Width and height of a block of so many columns and rows."""
    return (max(columns, TITLE_WIDTH) + GAP) * pitch, (rows + TITLE_SHARE + GAP) * pitch


def _is_home(want: Want, land: float, mine: float) -> bool:
    """Whether a block with so much of it on land, and so much on its own county's, is seen as that county's."""
    return want.outline is not None and (mine > 0.3 or (mine > 0.1 and land - mine < 0.15))


def _leader(anchor: Point, box: Box) -> tuple[Point, Point] | None:
    """The line from a county's place to its block; none when the block covers the place."""
    end = box.nearest(anchor)
    return None if end == anchor else (anchor, end)


class _Ground:
    """Whose ground a box stands on; what is the same for all counties is computed once."""

    def __init__(self, wants: Sequence[Want], pitch: float, size: Point):
        self.step = pitch / 2
        self.size = size
        self.whole = shapely.union_all([w.outline.simplify(pitch / 6) for w in wants if w.outline is not None])
        self._on_land: dict[Point, tuple[list[Box], list[BaseGeometry], list[float]]] = {}

    def shares(self, width: float, height: float, outline: BaseGeometry | None) -> list[tuple[Box, float, float]]:
        """Every box of this size on the map, its share on the region's land, and its share within `outline`."""
        if (width, height) not in self._on_land:
            self._on_land[width, height] = self._boxes(width, height)
        boxes, polygons, land = self._on_land[width, height]
        own = [0.0] * len(boxes) if outline is None else _shares(outline.simplify(self.step / 3), polygons)
        return list(zip(boxes, land, own, strict=True))

    def _boxes(self, width: float, height: float) -> tuple[list[Box], list[BaseGeometry], list[float]]:
        boxes = [Box(x, y, width, height) for x, y in _grid(self.step, width, height, self.size)]
        polygons = [_polygon(box) for box in boxes]
        return boxes, polygons, _shares(self.whole, polygons)


def _shares(ground: BaseGeometry, polygons: list[BaseGeometry]) -> list[float]:
    """The share of each polygon that lies on `ground`."""
    shapely.prepare(ground)
    inside, touches = shapely.contains(ground, polygons), shapely.intersects(ground, polygons)
    partly = [p for p, i, t in zip(polygons, inside, touches, strict=True) if t and not i]
    shared = iter(shapely.area(shapely.intersection(ground, partly)) / shapely.area(partly) if partly else [])
    return [1.0 if i else float(next(shared)) if t else 0.0 for i, t in zip(inside, touches, strict=True)]


def _columns(count: int) -> range:
    """Widths worth trying: from one tall column to one row."""
    return range(1 if count <= 3 else 2, max(1, min(count, max(5, math.ceil(math.sqrt(2 * count))))) + 1)


def _grid(step: float, width: float, height: float, size: Point) -> Iterator[Point]:
    """Centres at which a box of this width and height lies within the map."""
    columns, rows = int((size[0] - width) / step) + 1, int((size[1] - height) / step) + 1
    for column, row in itertools.product(range(max(columns, 0)), range(max(rows, 0))):
        yield width / 2 + column * step, height / 2 + row * step


def _best(choices: list[_Choice], placed: dict[str, _Choice], limit: float = math.inf) -> _Choice | None:
    """The cheapest choice below `limit` that touches no placed block, counting the blocks that its leader crosses."""
    others = [(c.box.x, c.box.y, c.box.width / 2 - 1e-9, c.box.height / 2 - 1e-9) for c in placed.values()]
    leaders = [choice for choice in placed.values() if choice.leader]
    best: _Choice | None = None
    best_cost = limit
    for choice in choices:
        if choice.cost >= best_cost:
            break
        box = choice.box
        half_width, half_height = box.width / 2, box.height / 2
        if any(abs(box.x - x) < half_width + w and abs(box.y - y) < half_height + h for x, y, w, h in others):
            continue
        cost = choice.cost
        if choice.leader or leaders:
            cost += COST_OF_CROSSING * _crossings(choice, placed.values() if choice.leader else leaders)
        if cost < best_cost:
            best, best_cost = choice, cost
    return best


def _crossings(choice: _Choice, others: Iterable[_Choice]) -> int:
    """How many blocks and leaders lie on this choice's leader, or under it."""
    count = 0
    for other in others:
        if choice.leader:
            count += _meets(choice.leader, other.box)
            count += bool(other.leader) and _cross(choice.leader, other.leader)
        if other.leader:
            count += _meets(other.leader, choice.box)
    return count


def _cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    """Whether two lines cross between their ends: each has the ends of the other on both sides."""

    def side(line: tuple[Point, Point], point: Point) -> float:
        (x0, y0), (x1, y1) = line
        return (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)

    return side(a, b[0]) * side(a, b[1]) < 0 and side(b, a[0]) * side(b, a[1]) < 0


def _meets(leader: tuple[Point, Point], box: Box) -> bool:
    """Whether a leader line runs through a box: the line clipped to the box, side by side, is not empty."""
    (x0, y0), (x1, y1) = leader
    start, end = 0.0, 1.0
    for origin, way, low, high in (
        (x0, x1 - x0, box.x - box.width / 2, box.x + box.width / 2),
        (y0, y1 - y0, box.y - box.height / 2, box.y + box.height / 2),
    ):
        if way == 0:
            if not low < origin < high:
                return False
            continue
        enter, leave = sorted(((low - origin) / way, (high - origin) / way))
        start, end = max(start, enter), min(end, leave)
    return start < end


def _polygon(box: Box) -> BaseGeometry:
    return shapely.box(box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2)


def _below(want: Want, pitch: float, size: Point, placed: dict[str, _Choice]) -> _Choice:
    """A place under the map, left to right: the last resort of a map too small for its buttons."""
    columns = max(_columns(want.count))
    rows = math.ceil(want.count / columns)
    width, height = _extent(columns, rows, pitch)
    lowest = min([0.0, *(c.box.y - c.box.height / 2 for c in placed.values())])
    box = Box(size[0] / 2, lowest - height / 2, width, height)
    return _Choice(box, columns, COST_BELOW, (want.anchor, box.nearest(want.anchor)))


def _block(want: Want, choice: _Choice, pitch: float) -> Block:
    box, columns = choice.box, choice.columns
    top = box.y + box.height / 2 - GAP * pitch / 2
    first_row = top - (TITLE_SHARE + 0.5) * pitch
    slots = []
    for index in range(want.count):
        row, column = divmod(index, columns)
        slots.append((round(box.x + (column - (columns - 1) / 2) * pitch, 2), round(first_row - row * pitch, 2)))
    title = (round(box.x, 2), round(top - TITLE_SHARE * pitch / 2, 2))
    return Block(box, title, tuple(slots), choice.leader)


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
