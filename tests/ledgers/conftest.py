"""What many tests of ledgers begin with: a region, and a person of its office who is logged in."""

import pytest

from tests.factories import RegionFactory, UserFactory


@pytest.fixture
def region():
    return RegionFactory()


@pytest.fixture
def office(client, region):
    client.force_login(UserFactory())
    return client
