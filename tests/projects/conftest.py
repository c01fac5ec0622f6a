"""What several test modules of the works side share."""

from pathlib import Path

import pytest

from linfen_water.models import Region
from projects.regions import loading, pack
from tests.factories import TODAY

TINY = Path(__file__).parents[1] / "regions" / "tiny"


@pytest.fixture
def canals(db, settings) -> Region:
    """The tiny pack's land, with the business date of the demo (see `canals.py`)."""
    settings.REGION = str(TINY)
    region, _ = loading.load(pack.read(TINY))
    Region.objects.filter(pk=region.pk).update(demo_on=TODAY)
    return Region.current()
