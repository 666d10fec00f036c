"""Reads a scenario from its file, laid over the world it is played in.

A table in the scenario extends the world's table of the same name; a list of tables is merged by
`name` (or `image`), and what is new is appended. The truth beside a scenario is never opened here.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from simulator.world import Deploy, ImageExpiry, World

PACKAGE = Path(__file__).parent
SCENARIOS = PACKAGE / "scenarios"
WORLDS = PACKAGE / "worlds"
_KEYS = ("name", "image")


class ScenarioError(ValueError):
    """The scenario's files cannot be played, and why."""


def read_scenario(name: str, folder: Path | None = None) -> World:
    """The scenario `name` of `folder`, or of those that come with the simulator."""
    scenario = _read(_find(name, folder) / "scenario.toml")
    if "world" in scenario:
        base = _read(_world_file(str(scenario.pop("world")), folder))
        scenario = _laid_over(base, scenario)
    try:
        world = World.model_validate({**scenario, "name": name})
    except ValidationError as error:
        raise ScenarioError(f"scenario {name}: {_worded(error)}") from error
    problems = [*_dangling(world), *_cycle(world)]
    if problems:
        raise ScenarioError(f"scenario {name}: {'; '.join(problems)}")
    return world


def scenario_names(folder: Path | None = None) -> list[str]:
    """The scenarios that can be played."""
    return sorted(one.parent.name for one in (folder or SCENARIOS).glob("*/scenario.toml"))


def _find(name: str, folder: Path | None) -> Path:
    known = scenario_names(folder)
    if name not in known:
        listed = ", ".join(known) or "none"
        raise ScenarioError(f"no scenario {name!r} in {folder or SCENARIOS}; there are: {listed}")
    return (folder or SCENARIOS) / name


def _world_file(name: str, folder: Path | None) -> Path:
    candidates = ([folder / "worlds"] if folder else []) + [WORLDS]
    for candidate in candidates:
        file = candidate / f"{name}.toml"
        if file.is_file():
            return file
    raise ScenarioError(f"no world {name!r} in {' or '.join(str(one) for one in candidates)}")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}: {error}") from error


def _laid_over(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        merged = {key: _laid_over(base[key], over[key]) for key in base.keys() & over.keys()}
        return {**base, **over, **merged}
    if isinstance(base, list) and isinstance(over, list) and _key(over) is not None:
        return _merged(base, over, str(_key(over)))
    if isinstance(base, list) and isinstance(over, list):
        return [*base, *over]
    return over


def _key(tables: list[Any]) -> str | None:
    """What names each table. Events have no name: the same thing may happen twice."""
    for key in _KEYS:
        if tables and all(isinstance(one, dict) and key in one and "at" not in one for one in tables):
            return key
    return None


def _merged(base: list[Any], over: list[Any], key: str) -> list[Any]:
    named = {one[key]: one for one in base}
    for one in over:
        named[one[key]] = _laid_over(named[one[key]], one) if one[key] in named else one
    return list(named.values())


def _dangling(world: World) -> Iterator[str]:
    """Names that nothing carries."""
    services = {one.name for one in world.services}
    tables = {one.name for one in world.tables}
    images = {one.image for one in world.releases}
    for service in world.services:
        yield from _unknown(f"service {service.name} calls", (one.service for one in service.calls), services)
        yield from _unknown(
            f"service {service.name} writes to", (one.table for one in service.writes), tables
        )
        yield from _unknown(
            f"service {service.name} runs the undeclared release",
            (one.image for one in service.revisions),
            images,
        )
    for event in world.events:
        named = getattr(event, "service", None)
        yield from _unknown(f"event {event.kind} names", [named] if named else [], services)
        if isinstance(event, Deploy | ImageExpiry):
            yield from _unknown(f"event {event.kind} names the undeclared release", [event.image], images)
    for alarm in world.alarms:
        yield from _unknown(f"alarm {alarm.name} belongs to", [alarm.service], services)
        yield from _unknown(f"alarm {alarm.name} notifies", filter(None, [alarm.notifies]), set(world.topics))


def _cycle(world: World) -> Iterator[str]:
    """A circle of services that call each other has no first cause."""
    waiting = {one.name: {call.service for call in one.calls} for one in world.services}
    while waiting:
        ready = [name for name, callees in waiting.items() if not callees & waiting.keys()]
        if not ready:
            yield f"the services {', '.join(sorted(waiting))} call each other in a circle"
            return
        for name in ready:
            del waiting[name]


def _unknown(what: str, names: Iterable[str], known: set[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{what} {name!r}, which is not in this world"


def _worded(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
