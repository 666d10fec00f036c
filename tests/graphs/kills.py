"""Plays of one incident, each cut off at every kind of write of every step, and what has to be left of them.

An account is brought to where a play begins, once, and kept; each point begins with a copy. What is left when another
process has gone on is held against what a play leaves that nobody cut off.
"""

import difflib
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from graphs.bootstrap import open_copilot, open_records, open_runs, set_up
from graphs.runs import InProcessRuns
from graphs.settings import World, load
from graphs.stranded import wake_stranded
from graphs.wiring import wire
from memory import keys
from memory.records.incident_record import IncidentRecord
from memory.records.timeline import EntryKind, TimerKind
from tests.graphs.cut_off import Point, Seen, cut_off
from tests.graphs.desk import Desk
from tests.simulated import ROOT, SimulatedAccount, opened

# A repeat of these is no defect: a step that was killed has begun twice.
_GOES = {EntryKind.STEP_STARTED, EntryKind.STEP_ENDED}
# Differs between two plays though nothing else does.
_VOLATILE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[0-9.+:Z]*|\d\d:\d\d(:\d\d)?"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}"
)
FEWEST = 3
# Each step writes these in the same way, and what comes right before and after them is written as well.
ALIKE = {"EVIDENCE_INDEX", "LEASE", "LISTING", "told step_ended", "told step_started"}
REPEATED = {"ACTION", "EVIDENCE", "MESSAGE", "TIMER"}
# Lambda names no operation in a call: of the plays, only the shift of an alias writes to it.
SHIFT = "PUT 2015-03-31"
CHANGES, FOUND = {"UpdateService", SHIFT}, "interrupted, then found done in the account"
SENT = {"AssumeRole", "Publish", *CHANGES}
_LEFT_OUT = {
    "seconds",
    "updated_at",
    "salt",
    "signature",
    "channel_message_id",
    "session",
    "event_id",
    "models",
    "spend",
}


def desk_at(account: SimulatedAccount, endpoint: str = "", **settings: Any) -> Desk:
    """A copilot over an account, straight or through the proxy."""
    found = load({"CLOUDOPS_STATE_DIR": str(account.state_dir)}, ROOT, World.SIMULATED).model_copy(
        update=settings
    )
    if endpoint:
        through = {"endpoint_url": endpoint, "clock_url": f"{endpoint}/_sim/clock"}
        found = found.model_copy(update={"connection": found.connection.model_copy(update=through)})
    records = open_records(found)
    copilot = open_copilot(records)
    runs = open_runs(records, copilot)
    assert isinstance(runs, InProcessRuns)
    return Desk(account, records, copilot, runs)


@dataclass(frozen=True)
class Play:
    """What is played: from a stage of an incident on, until it waits for people or has ended.

    `ready` brings a fresh account to the stage and returns what the play has to know; `goes` is the play, and what
    whoever finds it cut off does as well: an event that is delivered again, a decision that is made if none is.
    `steps` are those in which it is cut off.
    """

    name: str
    begins: str
    steps: tuple[str, ...]
    how: Callable[[Path], tuple[str, ...]]
    ready: Callable[[Desk], dict[str, Any]]
    goes: Callable[[Desk, Mapping[str, Any]], IncidentRecord]
    settings: Callable[[Desk], dict[str, Any]] = lambda _: {}


@dataclass
class Stage:
    """A play's account, kept where the play begins."""

    play: Play
    folder: Path
    copies: int = 0
    knows: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with opened(self.folder / "kept", *self.play.how(self.folder), keep=True) as account:
            set_up(load({"CLOUDOPS_STATE_DIR": str(account.state_dir)}, ROOT, World.SIMULATED))
            self.settings = self.play.settings(desk_at(account))
            at = desk_at(account, **self.settings)
            self.knows = self.play.ready(at)
            self.knows["calls"] = len(account.calls())

    @cached_property
    def whole(self) -> tuple[Seen, dict[str, Any]]:
        """The play that nobody cuts off: what it writes, and what it leaves."""
        seen = Seen(groups(), self.play.begins)
        with self._copy() as account:
            with cut_off(account.endpoint, seen, lambda endpoint: self._goes(account, endpoint)) as killed:
                assert not killed
            return seen, left_by(desk_at(account, **self.settings), self.knows)

    def points(self, step: str) -> list[Point]:
        """Before a step's first write, and after the first of each kind; of some kinds after the last as well.

        Before a write is after the one before it, but what is sent elsewhere may be lost on its way.
        """
        kinds = {write: count for (at, write), count in self.whole[0].counts.items() if at == step}
        first = next(iter(kinds))
        found = [Point(step, first, 1, after=False)]
        for write, count in kinds.items():
            if write in SENT and write != first:
                found.append(Point(step, write, 1, after=False))
            numbers = {1, count} if write in REPEATED else {1}
            found += [
                Point(step, write, number, after=True) for number in sorted(numbers) if write not in ALIKE
            ]
        return found

    def spread(self, number: int) -> list[Point]:
        """All points around the change itself, and of the others as many as make up the number, over the whole play."""
        found = [point for step in self.play.steps for point in self.points(step)]
        changing = [point for point in found if point.write in CHANGES]
        others = [point for point in found if point.write not in CHANGES]
        wanted = number - len(changing)
        chosen = changing + [others[at * len(others) // wanted] for at in range(wanted)]
        return sorted(chosen, key=found.index)

    def cut_off_in(self, step: str) -> None:
        """Cut the play off at every point of a step, and say how many they are."""
        points = self.points(step)
        assert len(points) >= FEWEST, points
        for point in points:
            self.cut_off_at(point)
        print(f"{self.play.name}, {step}: killed at {len(points)} points")

    def cut_off_at(self, point: Point) -> None:
        """Play, killed at a point; let another process go on; hold what is left against the whole play."""
        seen = Seen(groups(), self.play.begins, point)
        with self._copy() as account:
            with cut_off(account.endpoint, seen, lambda endpoint: self._goes(account, endpoint)) as killed:
                assert killed, f"{point}: it did not come to that"
            at = desk_at(account, **self.settings)
            wake_stranded(at.records, at.runs)
            at.sweep()
            self.play.goes(at, self.knows)
            at.sweep()
            left = left_by(at, self.knows)
        expected = dict(self.whole[1])
        if point.after and point.write == "Publish":
            # On-call would rather hear twice than never.
            expected["published"] += 1
        if point.after and point.write in CHANGES:
            # AWS's answer is lost, so the record says instead that the effect was found.
            assert FOUND in json.dumps(left["record"]["executions"])
            expected, left = _without_answers(expected), _without_answers(left)
        assert left == expected, f"{point}:\n{_differing(expected, left)}"

    def _goes(self, account: SimulatedAccount, endpoint: str) -> None:
        self.play.goes(desk_at(account, endpoint, **self.settings), self.knows)

    @contextmanager
    def _copy(self) -> Iterator[SimulatedAccount]:
        self.copies += 1
        state = Path(shutil.copytree(self.folder / "kept", self.folder / str(self.copies)))
        with opened(state, "--resume") as account:
            yield account
        shutil.rmtree(state)


def groups() -> dict[str, str]:
    """Steps that run side by side, under one name: which of them a write is of depends on chance."""
    graph = wire(lambda: None)  # type: ignore[arg-type, return-value]  # nothing of it is run
    found: dict[str, str] = {}
    for start in {start for start, _ in graph.edges}:
        side_by_side = sorted(end for begin, end in graph.edges if begin == start)
        if len(side_by_side) > 1:
            found |= {name: "+".join(side_by_side) for name in side_by_side}
    return found


def steps() -> set[str]:
    """Every step of the graph, those that run side by side under one name."""
    named = groups()
    nodes = wire(lambda: None).nodes  # type: ignore[arg-type, return-value]
    return {named.get(name, name) for name in nodes if not name.startswith("__")}


def left_by(at: Desk, knows: Mapping[str, Any]) -> dict[str, Any]:
    """What a play has left: what it changed by the account's log, what is stored, and what people were told."""
    incident_id = next(iter(at.records.incidents.newest(1))).incident_id
    record = at.record(incident_id)
    scope = record.incident.scope
    timeline = list(at.records.timeline.entries(scope, incident_id))
    assert [entry.sequence for entry in timeline] == list(range(1, len(timeline) + 1))
    audit = at.records.audit.read(keys.incident(scope, incident_id).pk)
    checked = audit.check(time.time())
    assert checked.broken is None, checked.why
    own = [call for call in at.account.calls()[knows["calls"] :] if at.records.is_own(call["caller_arn"])]
    timers = [at.records.timers.get(scope, incident_id, kind) for kind in TimerKind]
    return {
        "changes": at.writes(),
        "published": Counter(call["operation"] for call in own)["Publish"],
        "incidents": [one.incident_id for one in at.records.incidents.newest(5)],
        "record": _steady(record.model_dump(mode="json")),
        "timeline": sorted(_entry(one) for one in timeline if one.kind not in _GOES),
        "audit": [
            _steady([one.entry.deed, one.payload.model_dump() if one.payload else None])
            for one in audit.links()
        ],
        "timers": [_steady(one.model_dump(mode="json")) for one in timers if one is not None],
        "unsent": [key for key, _ in at.records.outbox.waiting()],
        "open": list(at.records.incidents.unfinished()),
    }


def _differing(expected: Any, left: Any) -> str:
    """What differs, line by line."""
    lines = [json.dumps(one, indent=1, sort_keys=True, default=str).splitlines() for one in (expected, left)]
    return "\n".join(difflib.unified_diff(lines[0], lines[1], "expected", "left", lineterm="", n=6))


def _without_answers(left: Any) -> Any:
    """What is left, without AWS's answer to a change and the words that tell of it."""
    # That a change is over is noted where its answer said that it goes on, so the same may stand once or twice.
    timeline = [_unanswered(json.loads(one)) for one in left["timeline"]]
    told = {json.dumps([kind, step, facts], sort_keys=True) for kind, step, _, facts in timeline}
    audit = {json.dumps(_unanswered(one), sort_keys=True, default=str) for one in left["audit"]}
    return {**_unanswered(left), "timeline": sorted(told), "audit": sorted(audit)}


def _unanswered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _unanswered(one)
            for key, one in value.items()
            if key not in {"answer", "body", "detail", "why"}
        }
    return [_unanswered(one) for one in value] if isinstance(value, list | tuple) else value


def _entry(entry: Any) -> str:
    told = [entry.kind, entry.step, entry.text, entry.facts]
    return json.dumps(_steady(json.loads(json.dumps(told, default=str))), sort_keys=True)


def _steady(value: Any) -> Any:
    """A value without what differs between two plays though nothing else does."""
    if isinstance(value, Mapping):
        return {key: _steady(one) for key, one in value.items() if key not in _LEFT_OUT}
    if isinstance(value, list | tuple):
        return [_steady(one) for one in value]
    return _VOLATILE.sub("*", value) if isinstance(value, str) else value
