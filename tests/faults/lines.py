"""The lines to the provider and to the database: cut at every place of the talk, and slow."""

from tests.faults.proxy import Proxy, Way
from tests.faults.scene import Scene

_LASTS_S = (0.5, 3.0)


def line_to_the_provider(scene: Scene) -> None:
    """Calls that break off before, within and after what was asked and answered."""
    _trouble(scene, "line to the provider", scene.place.provider)


def line_to_the_database(scene: Scene) -> None:
    """The same to all that talk with PostgreSQL: commits whose answer is lost, above all."""
    _trouble(scene, "line to the database", scene.place.database)


def _trouble(scene: Scene, line: str, proxy: Proxy | None) -> None:
    assert proxy is not None, f"there is no proxy on the {line}"
    ways = [way for way in Way if way is not Way.OPEN]
    for number, dice in enumerate(scene.moments(line, len(ways) * scene.seldom)):
        way = ways[number % len(ways)]
        with scene.fault(f"{line}: {way}", breaks_calls=True):
            proxy.turn(way)
            scene.pause(dice.uniform(*_LASTS_S))
            proxy.turn(Way.OPEN)
