from collections.abc import Iterator

import pytest
from django.test import override_settings

from postroom.ledger.db import connection
from postroom.simulator import post_office
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
        pytest.MonkeyPatch.context() as patch,
        override_settings(POSTROOM_IDLE_POLL_S=0.02),
        looking_behind(name) as digests,
    ):
        patch.setattr(post_office, "TICK_S", 0.02)
        directory = tmp_path_factory.mktemp(name)
        with housed(name, digests, directory) as house:
            yield house


@pytest.fixture
def house(whole_house: House) -> Iterator[House]:
    """The house without mischief, and an account that has learned of none."""
    whole_house.running.make_mischief()
    with connection() as conn:
        conn.execute("DELETE FROM account_pace")
    yield whole_house
    whole_house.running.make_mischief()
