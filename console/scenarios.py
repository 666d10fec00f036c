"""The scenarios that can be played, read from their files; their truth is never opened."""

import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from console.text import screen, styled

DEFAULT = "bad-deployment"


@dataclass(frozen=True)
class Scenario:
    """One scenario as its folder tells it."""

    name: str
    title: str
    description: str


def scenarios_folder() -> Path | None:
    """Return where the simulator keeps its scenarios, without importing it."""
    found = importlib.util.find_spec("simulator")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "scenarios"


def read_scenarios(folder: Path | None = None) -> list[Scenario]:
    """Return the scenarios of a folder, by name."""
    place = folder or scenarios_folder()
    if place is None or not place.is_dir():
        return []
    found = []
    for path in sorted(place.glob("*/scenario.toml")):
        facts = tomllib.loads(path.read_text())
        found.append(
            Scenario(path.parent.name, str(facts.get("title", "")), str(facts.get("description", "")))
        )
    return found


def show_scenarios(folder: Path | None = None) -> int:
    """Print the table of scenarios; say 1 when there are none."""
    scenarios = read_scenarios(folder)
    if not scenarios:
        screen(err=True).print(f"no scenarios in {folder or scenarios_folder()}")
        return 1
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("scenario", "title", "what happens"):
        table.add_column(column, no_wrap=column == "scenario")
    for scenario in scenarios:
        table.add_row(
            styled(scenario.name, "cyan"),
            styled(scenario.title),
            styled(" ".join(scenario.description.split())),
        )
    out = screen()
    out.print(table)
    out.print(styled(f"\ncloudops demo --scenario {scenarios[0].name}", "dim"))
    return 0
