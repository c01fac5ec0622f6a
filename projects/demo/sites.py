"""Where the demo's projects lie: inside their county, along its rivers where that fits. WGS84 degrees, five decimals."""

import json
import random

import shapely

from projects.regions.pack import Pack

NEAR_RIVER = 0.012  # degrees, about 1 km
NEAR_SEAT = 0.05
NEAR_ZONE = 0.016
LEAST_RIVER = 0.04  # degrees of river inside a county that make it one of its rivers …
LEAST_SHARE = 0.4  # … and this much of the longest one's reach
TRIES = 200


class Sites:
    """The outlines and rivers of a pack, asked for places."""

    def __init__(self, pack: Pack):
        features = json.loads((pack.folder / "counties.geojson").read_text(encoding="utf-8"))["features"]
        self.outlines = {f["properties"]["adcode"]: shapely.geometry.shape(f["geometry"]) for f in features}
        self.rows = {row["code"]: row for row in pack.counties}
        self.lines = {river["name"]: river["line"] for river in pack.rivers}
        self.parents = {river["name"]: river["parent"] for river in pack.rivers}
        self.ranks = {river["name"]: river["rank"] for river in pack.rivers}

    def rivers_of(self, county: str) -> list[str]:
        """Rivers that run through a county, the trunk river (rank 1) apart, longest reach first."""
        outline = self.outlines.get(county)
        if outline is None:
            return []
        reach = {name: line.intersection(outline).length for name, line in self.lines.items() if self.ranks[name] > 1}
        least = max(LEAST_RIVER, LEAST_SHARE * max(reach.values(), default=0))
        return sorted((name for name in reach if reach[name] > least), key=lambda name: (-reach[name], name))

    def county_at(self, lon: float, lat: float) -> str | None:
        """The county that a point lies in."""
        return next((code for code, outline in self.outlines.items() if outline.contains(shapely.Point(lon, lat))), None)

    def served(self, lon: float, lat: float, river: str | None, stations: dict[str, tuple[str, bool, float, float]]) -> list[str]:
        """The next section downstream of a place and the next national one, along its river and what that flows into.

        `stations`: name → (river, is national, lon, lat). Without a `river` the nearest one counts.
        """
        point = shapely.Point(lon, lat)
        river = river or min((n for n in self.lines if self.ranks[n] > 1), key=lambda n: (self.lines[n].distance(point), n))
        found: list[str] = []
        last = None  # below the last section of all: it still tells the most
        while river:
            line, here = self.lines[river], self.lines[river].project(point)
            places = [(line.project(shapely.Point(x, y)), name, national) for name, (r, national, x, y) in stations.items() if r == river]
            below = sorted(place for place in places if place[0] >= here)
            found += [name for _, name, _ in below[:1] if not found]
            if national := [name for _, name, is_national in below if is_national]:
                return list(dict.fromkeys([*found, national[0]]))
            last = max(places, default=last)
            point, river = shapely.Point(line.coords[-1]), self.parents[river]
        return found or ([last[1]] if last else [])

    def place(self, dice: random.Random, county: str, river: str | None) -> tuple[float, float]:
        """A place in `county`: by `river` when it runs there, else around the seat; a zone's around its point."""
        outline, row = self.outlines.get(county), self.rows[county]
        seat = shapely.Point(row["seat_lon"], row["seat_lat"])
        if outline is None:
            return _near(dice, seat, NEAR_ZONE)
        reach = self.lines[river].intersection(outline) if river in self.lines else None
        for _ in range(TRIES):
            if reach is not None and not reach.is_empty:
                anchor, spread = reach.interpolate(dice.random(), normalized=True), NEAR_RIVER
            else:
                anchor, spread = seat, NEAR_SEAT * (1 + 2 * dice.random())
            lon, lat = _near(dice, anchor, spread)
            if outline.buffer(-0.004).contains(shapely.Point(lon, lat)):
                return lon, lat
        inside = outline.representative_point()
        return round(inside.x, 5), round(inside.y, 5)


def _near(dice: random.Random, point: shapely.Point, spread: float) -> tuple[float, float]:
    return round(point.x + (2 * dice.random() - 1) * spread, 5), round(point.y + (2 * dice.random() - 1) * spread, 5)
