from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.conformance.house import House, housed
from tests.conformance.providers import WITH_FACE
from tests.conformance.seen import looking_behind
from tests.emptying import empty


@pytest.fixture(scope="module", params=WITH_FACE)
def whole_house(
    request: pytest.FixtureRequest,
    database: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """One provider's house, for all tests of a module."""
    name: str = request.param
    empty()
    with (
        override_settings(POSTROOM_IDLE_POLL_S=0.03),
        looking_behind(name) as digests,
        housed(name, digests, tmp_path_factory.mktemp(name)) as house,
    ):
        yield house


@pytest.fixture
def house(whole_house: House) -> Iterator[House]:
    """The house without mischief."""
    whole_house.running.make_mischief()
    yield whole_house
    whole_house.running.make_mischief()
