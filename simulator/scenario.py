"""Reads a scenario from its file, laid over the world it is played in.

A table in the scenario extends the world's table of the same name; a list of tables is merged by
`name` (or `image`, or a quota's `code`), and what is new is appended. The truth beside a scenario is never opened here.
"""

import re
import tomllib
from pathlib import Path
from random import Random
from typing import Any

from pydantic import ValidationError

from simulator.world import World
from simulator.world.consistency import contradictions

PACKAGE = Path(__file__).parent
SCENARIOS = PACKAGE / "scenarios"
WORLDS = PACKAGE / "worlds"
_KEYS = ("name", "image", "code")
_PLACEHOLDER = re.compile(r"<<([a-z][a-z0-9_]*)>>")


class ScenarioError(ValueError):
    """The scenario's files cannot be played, and why."""


def read_scenario(name: str, folder: Path | None = None, seed: int = 0) -> World:
    """The scenario `name` of `folder`, or of those that come with the simulator, as `seed` words it."""
    scenario = _read(_find(name, folder) / "scenario.toml", seed)
    scenario.pop("vary", None)
    if "world" in scenario:
        base = _read(_world_file(str(scenario.pop("world")), folder))
        scenario = _laid_over(base, scenario)
    try:
        world = World.model_validate({**scenario, "name": name})
    except ValidationError as error:
        raise ScenarioError(f"scenario {name}: {_worded(error)}") from error
    problems = list(contradictions(world))
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


def read_varied(file: Path, scenario: Path, seed: int) -> dict[str, Any]:
    """A file of a scenario's folder with the words that `seed` chooses from the scenario's `[vary]`."""
    return _parsed(file, _worded_by(file.read_text(encoding="utf-8"), _parsed(scenario), seed))


def _read(file: Path, seed: int = 0) -> dict[str, Any]:
    return read_varied(file, file, seed)


def _parsed(file: Path, text: str | None = None) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8") if text is None else text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{file}: {error}") from error


def _worded_by(text: str, scenario: dict[str, Any], seed: int) -> str:
    """`<<word>>` replaced by one of the words that `[vary]` offers for it, the first one where seed is 0."""
    offered = scenario.get("vary", {})

    def chosen(found: re.Match[str]) -> str:
        words = offered.get(found[1])
        if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
            raise ScenarioError(f"<<{found[1]}>> has no list of words in [vary]")
        return str(words[0] if seed == 0 else Random(f"{seed}/{found[1]}").choice(words))

    return _PLACEHOLDER.sub(chosen, text)


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


def _worded(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
