"""The picture of all sites for lists too long for a button each: one dot a project, brighter where there are many."""

import hashlib
import io

import numpy as np
from PIL import Image

from linfen_water import palette
from projects import charts, geo
from projects.wall_counts import Spells

SHARPNESS = 2  # pixels of the picture for one of the reference panel
SHADES = 15  # and none: a picture with so few needs half the bytes, and the eye sees no more
FAINTEST, STRONGEST = 0.34, 0.96  # of one project alone, of the most on one spot
RADIUS = 1.3  # of a dot, in pixels of the reference panel, on a map of few hundred dots
MANY = 2000  # dots; from there on they become smaller


def sites(spells: Spells, land: geo.Land) -> np.ndarray:
    """Where the projects with a site lie: x and y in km of the map, to 0.01 km, in a fixed order."""
    located = ~(np.isnan(spells.lon) | np.isnan(spells.lat))
    places = np.round(np.stack(land.places(spells.lon[located], spells.lat[located])), 2)
    return places[:, np.lexsort(places)]


def digest(places: np.ndarray) -> str:
    """What the address of the picture carries, so that a browser asks for another only when a site changed."""
    return hashlib.sha256(places.tobytes()).hexdigest()[:16]


def picture(places: np.ndarray, size: tuple[float, float], theme: str) -> bytes:
    """A PNG over the whole map, transparent where nothing is."""
    scale = charts.pixels_per_km(size) * SHARPNESS
    width, height = (round(length * scale) for length in size)
    columns, rows = (places[0] * scale).astype(int), (height - places[1] * scale).astype(int)
    within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    counts = np.bincount(rows[within] * width + columns[within], minlength=width * height).reshape(height, width)
    covered = _spread(counts.astype(np.float32), RADIUS * SHARPNESS * min(1.0, (MANY / max(places.shape[1], 1)) ** 0.25))
    most = max(float(np.quantile(covered[covered > 0], 0.995)) if (covered > 0).any() else 1.0, 2.0)
    shade = FAINTEST + (STRONGEST - FAINTEST) * np.log(np.maximum(covered, 1)) / np.log(most)
    level = np.where(covered > 0, np.clip(np.round(shade * SHADES), 1, SHADES), 0).astype(np.uint8)
    return _png(level, palette.colours(theme)["ink"])


def _spread(counts: np.ndarray, radius: float) -> np.ndarray:
    """Each count over the disc of `radius` around its pixel."""
    reach = int(radius)
    spread = np.zeros_like(counts)
    padded = np.pad(counts, reach)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= radius * radius:
                spread += padded[reach + dy : reach + dy + counts.shape[0], reach + dx : reach + dx + counts.shape[1]]
    return spread


def _png(level: np.ndarray, ink: str) -> bytes:
    image = Image.fromarray(level, "P")
    image.putpalette([int(ink[i : i + 2], 16) for i in (1, 3, 5)] * (SHADES + 1))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, transparency=bytes(round(255 * n / SHADES) for n in range(SHADES + 1)))
    return file.getvalue()
