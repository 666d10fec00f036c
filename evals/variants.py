"""Make variants of a scenario: other names and numbers by seed, the fault taken out, or moved elsewhere.

A variant is a folder like those of `simulator/scenarios`, its world and its truth included. Whoever judges by
names, numbers or wording fails on it; whoever judges by what is measured does not notice.
"""

import copy
import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from evals.rewriting import Document, each_string, exchange, write_toml
from simulator.scenario import SCENARIOS, WORLDS
from simulator.world import offset

SYLLABLES = (
    "ba",
    "dor",
    "fen",
    "gil",
    "hom",
    "kar",
    "lun",
    "mis",
    "nov",
    "pel",
    "qua",
    "rud",
    "sol",
    "tev",
    "wix",
)
WORDING = {
    "failed": ("broke off", "went wrong", "did not go through"),
    "failure": ("breakdown", "mishap"),
    "unhandled exception": ("request came to grief", "stopped by a surprise", "uncaught problem"),
    "placed": ("taken", "accepted"),
    "not stored": ("lost on the way", "could not be kept"),
    "rejected": ("turned away", "sent back"),
    "TypeError": ("SumProblem", "ValueMismatch", "BadOperand"),
    "retrying": ("trying again:", "another go at"),
    "upstream": ("peer", "neighbour"),
    "refreshed": ("renewed", "rebuilt"),
    "slow client": ("hesitant caller", "late reader"),
}
HEALTHY_ERRORS = 0.002
INNOCENT = ("deploy", "function_deploy")
_REVISION = re.compile(r"(?P<family>[\w-]+):(?P<number>\d+)")


@dataclass(frozen=True)
class Play:
    """A scenario as documents: what is played, the world it is played in, and the truth."""

    scenario: Document
    world: Document
    truth: Document

    @property
    def services(self) -> list[str]:
        """Return the names of the world's services."""
        return [one["name"] for one in self.world["services"]]

    def service(self, name: str) -> Document:
        """Return the service of that name, to be changed."""
        found: Document = next(one for one in self.world["services"] if one["name"] == name)
        return found


Change = Callable[[Play], Play]


def read_play(scenario: str, folder: Path = SCENARIOS) -> Play:
    """Read a scenario of a folder with its world and its truth."""
    played = _read(folder / scenario / "scenario.toml")
    own = folder / "worlds" / f"{played['world']}.toml"
    world = own if own.is_file() else WORLDS / own.name
    return Play(played, _read(world), _read(folder / scenario / "truth.toml"))


def write_play(play: Play, scenario: str, folder: Path) -> Path:
    """Write a scenario with its world and its truth into a folder, and return the folder."""
    write_toml(play.scenario, folder / scenario / "scenario.toml")
    write_toml(play.truth, folder / scenario / "truth.toml")
    write_toml(play.world, folder / "worlds" / f"{play.scenario['world']}.toml")
    return folder


def make_variant(scenario: str, folder: Path, *changes: Change, origin: Path = SCENARIOS) -> Path:
    """Write a variant of a scenario of `origin` into a folder, with the changes made in order."""
    play = read_play(scenario, origin)
    for change in changes:
        play = change(copy.deepcopy(play))
    return write_play(play, scenario, folder)


def alarm_of(scenario: str, folder: Path) -> str:
    """Return the name of the alarm that a scenario brings along."""
    name: str = _read(folder / scenario / "scenario.toml")["alarms"][0]["name"]
    return name


def renamed(seed: int) -> Change:
    """Return a change of all names, numbers, times and wordings, by seed."""

    def change(play: Play) -> Play:
        random = Random(seed)
        play = _numbered(play, random)
        words = {**_names(play, random), **_versions(play, random)}
        # A document is put into the account as it is by whoever installs: the copilot runs it by name and digest.
        documents = play.world.get("documents", [])
        words |= {one["name"]: one["name"] for one in documents}
        kept = play.world["topology_parameter"]
        play = _with_strings(play, exchange(words))
        play.world["topology_parameter"] = kept
        if documents:
            play.world["documents"] = documents
        _reword(play, {old: random.choice(new) for old, new in WORDING.items()})
        _shift(play, timedelta(seconds=60 * random.randint(1, 4)))
        play.world["traffic"]["noise"] = round(random.uniform(0.01, 0.05), 3)
        return play

    return change


def fault_removed(play: Play) -> Play:
    """Take the fault out and leave everything else, an innocent change included."""
    for release in play.scenario.get("releases", []):
        release.update(error_share=HEALTHY_ERRORS, latency_factor=1.0)
        for fault in ("leak_kb_per_request", "wears"):
            release.pop(fault, None)
        release["logs"] = [one for one in release.get("logs", []) if one["on"] != "error"]
    play.scenario["events"] = [one for one in play.scenario.get("events", []) if one["kind"] in INNOCENT]
    truth = {"schema": 1, "verdict": "none", "severity": ["none", "low"]}
    truth["actions"] = {"forbidden": ["ecs:UpdateService", "dynamodb:UpdateTable", "ecs:DeleteService"]}
    return Play(play.scenario, play.world, truth)


def fault_moved(to: str) -> Change:
    """Return a change that moves a bad release or a full table to another service, and the truth with it.

    What has no cause that the evidence shows cannot be moved, and the change raises ValueError.
    """

    def change(play: Play) -> Play:
        cause = play.truth.get("cause", {})
        kind = (cause.get("service"), cause.get("kind"))
        leaks = any("leak_kb_per_request" in one for one in play.scenario.get("releases", []))
        is_moved_elsewhere = "twin" in play.truth or cause.get("change") == "ReadCapacityUnits"
        if kind not in _MOVERS or leaks or "other_causes" in play.truth or is_moved_elsewhere:
            raise ValueError(f"nothing to move: the truth is {play.truth['verdict']}, the cause {kind}")
        return _MOVERS[kind](play, to)

    return change


def _release_moved(play: Play, to: str) -> Play:
    """Let another service get the bad release; the alarm stays where it is when it calls that service."""
    event = next(one for one in play.scenario["events"] if one["kind"] == "deploy")
    origin, old = event["service"], event["image"]
    repository, _, tag = old.rpartition(":")
    image = f"{repository.rpartition('/')[0]}/{to}:{tag}"
    play = _with_strings(play, lambda text: image if text == old else text)
    event = next(one for one in play.scenario["events"] if one["kind"] == "deploy")
    event["service"] = to
    service = play.service(to)
    newest = service["first_revision"] + len(service["revisions"])
    play.truth["cause"].update(
        resource=f"service/{play.world['cluster']}/{to}", change=f"{service['family']}:{newest}"
    )
    play.truth["actions"]["acceptable"] = [
        {
            "api": "ecs:UpdateService",
            "parameters": {"service": to, "taskDefinition": f"{service['family']}:{n}"},
        }
        for n in range(newest - 1, service["first_revision"] - 1, -1)
    ]
    play.truth["severity"] = ["critical", "high", "medium"]
    _told(play, [play.truth["cause"]["resource"]], to, f"{service['family']}:{newest}")
    if not any(call["service"] == to for call in play.service(origin).get("calls", [])):
        _point_alarm(play, to)
    return play


def _table_moved(play: Play, to: str) -> Play:
    """Give another service a small table of its own, and the alarm on it; the first table gets room.

    The new table is as small for its service's traffic as the first one was, so that it is full no sooner.
    """
    old = play.truth["cause"]["resource"].rpartition("/")[2]
    new = f"{to}-entries"
    origin = next(one for one in play.world["services"] if one.get("writes"))
    target, table = play.service(to), next(one for one in play.world["tables"] if one["name"] == old)
    share = _requests(play, to) / _requests(play, origin["name"])
    small = {**table, "name": new, "write_capacity": math.ceil(table["write_capacity"] * share)}
    play.world["tables"].append(small)
    table["write_capacity"] = 40
    target["writes"], target["metrics"] = [{**origin["writes"][0], "table": new}], origin.pop("metrics")
    target["logs"] += [one for one in origin["logs"] if one["on"] == "throttle"]
    _point_alarm(play, to)
    change = exchange({old: new})
    for part in ("cause", "actions"):
        play.truth[part] = each_string(play.truth[part], change)
    play.truth["severity"] = ["critical", "high", "medium"]
    _told(play, [play.truth["cause"]["resource"], f"service/{play.world['cluster']}/{to}"], new, "capacity")
    return play


_MOVERS = {("ecs", "deployment"): _release_moved, ("dynamodb", "capacity"): _table_moved}


def _told(play: Play, path: list[str], *must: str) -> None:
    """Let a moved truth ask for the path and the words that fit it; what harms elsewhere is not known."""
    play.truth["path"] = [{"of": part, "what": "moved"} for part in path]
    play.truth["message"] = {"must": list(must)}
    play.truth["actions"].pop("forbidden_changes", None)


def _requests(play: Play, name: str) -> float:
    """Return the share of the shop's requests that a service gets, from outside and from those that call it."""
    calls: list[float] = [
        _requests(play, caller["name"]) * call["per_request"]
        for caller in play.world["services"]
        for call in caller.get("calls", [])
        if call["service"] == name
    ]
    return float(play.service(name).get("entry_share", 0.0)) + sum(calls)


def _point_alarm(play: Play, service: str) -> None:
    alarm = play.scenario["alarms"][0]
    alarm["service"] = service
    for dimension in alarm["parameters"]["Dimensions"]:
        if dimension["Name"] in {"Service", "ServiceName"}:
            dimension["Value"] = service


def _names(play: Play, random: Random) -> dict[str, str]:
    """Give every name another one: services, tables, alarms, cluster, namespace, metrics of a service."""
    parts = ("tables", "functions", "externals")
    own = [
        *play.services,
        *(one["name"] for part in parts for one in (*play.world[part], *play.scenario.get(part, []))),
        play.world["cluster"],
    ]
    alarms = [one["name"] for one in (*play.world["alarms"], *play.scenario["alarms"])]
    fresh = _fresh_names(random)
    names = {name: next(fresh) for name in own}
    names |= {name: f"{next(fresh)}-{next(fresh)}" for name in alarms}
    names |= {name.capitalize(): names[name].capitalize() for name in own}
    # The ending of a queue's name says what kind it is.
    names |= {
        one["name"]: f"{next(fresh)}-{next(fresh)}{''.join(one['name'].partition('.')[1:])}"
        for one in play.world["queues"]
    }
    names[play.world["namespace"]] = next(fresh).capitalize()
    return names


def _fresh_names(random: Random) -> Any:
    seen: set[str] = set()
    while True:
        name = "".join(random.sample(SYLLABLES, 2))
        if name not in seen:
            seen.add(name)
            yield name


def _versions(play: Play, random: Random) -> dict[str, str]:
    """Give every image tag another one."""
    images = [one["image"] for one in (*play.world["releases"], *play.scenario.get("releases", []))]
    tags = sorted({image.rpartition(":")[2] for image in images})
    return {
        tag: f"{random.randint(1, 99)}.{number}.{random.randint(0, 9)}" for number, tag in enumerate(tags, 11)
    }


def _numbered(play: Play, random: Random) -> Play:
    """Let every family's revisions begin elsewhere, in the truth too."""
    moved = {one["family"]: random.randint(1, 400) for one in play.world["services"]}
    for service in play.world["services"]:
        service["first_revision"] += moved[service["family"]]

    def renumber(text: str) -> str:
        found = _REVISION.fullmatch(text)
        if found is None or found["family"] not in moved:
            return text
        return f"{found['family']}:{int(found['number']) + moved[found['family']]}"

    return Play(play.scenario, play.world, each_string(play.truth, renumber))


def _reword(play: Play, words: dict[str, str]) -> None:
    change = exchange(words)
    for speaker in (*play.world["services"], *play.world["releases"], *play.scenario.get("releases", [])):
        for line in speaker.get("logs", []):
            line["text"] = change(line["text"])


def _shift(play: Play, by: timedelta) -> None:
    """Let what lies ahead happen later; what recurs keeps its rhythm."""
    for event in play.scenario.get("events", []):
        at = offset(event["at"])
        if at > timedelta(0):
            event["at"] = _later(at, by)
    for cause in (play.truth.get("cause", {}), *play.truth.get("other_causes", [])):
        if cause and offset(cause["onset"]) > timedelta(0):
            cause["onset"] = _later(offset(cause["onset"]), by)


def _later(at: timedelta, by: timedelta) -> str:
    return f"+{int((at + by).total_seconds())}s"


def _with_strings(play: Play, change: Callable[[str], str]) -> Play:
    return Play(
        each_string(play.scenario, change), each_string(play.world, change), each_string(play.truth, change)
    )


def _read(path: Path) -> Document:
    return tomllib.loads(path.read_text(encoding="utf-8"))
