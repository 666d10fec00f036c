"""A guard that hangs or fails costs a piece of work a part of its seconds, and clears nothing."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from agents.guardrails import Direction, Findings
from agents.remediation import PlanContext, Remediation
from agents.scanning import MOST_FAILED, Scans
from agents.triage import Triage
from memory.records.config import Limits
from tests.agents.desk import INCIDENT, ROLLBACK, assessment, evidence, first_look, sources
from tests.agents.scripted import heard_text, role
from tests.agents.test_triage import AGREES

AWAY = Findings(flags=("unscanned",), detail="ReadTimeoutError")


@dataclass
class Guard:
    """Answers as it is told to, and remembers what it was asked."""

    answer: Callable[[str], Findings] = lambda text: Findings()
    asked: list[str] = field(default_factory=list)

    def scan(self, text: str, direction: object = None) -> Findings:
        self.asked.append(text)
        return self.answer(text)


@dataclass
class Hanging(Guard):
    """Answers nobody until the test is over."""

    over: threading.Event = field(default_factory=threading.Event)

    def scan(self, text: str, direction: object = None) -> Findings:
        self.asked.append(text)
        self.over.wait(60.0)
        return AWAY


@dataclass
class Watch:
    """A clock that is moved by hand."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    guard = Hanging()
    yield guard
    guard.over.set()


LINES = [evidence(f"ev-{n:012x}", f"logs {n}", {"rows": [f"line {n}"]}, untrusted=True) for n in range(40)]


def test_a_guard_that_hangs_leaves_the_model_its_seconds_and_shows_it_nothing(hanging: Hanging) -> None:
    limits = Limits(agent_seconds=1.0)
    model, chat = role(AGREES, limits=limits)
    result = Triage(model, (), hanging).assess(INCIDENT, first_look(), LINES, sources(limits))
    # At most as many as are looked at side by side, out of forty and their cleaned forms.
    assert len(hanging.asked) <= 8
    assert len(result.assessment.unscanned) == 40
    assert "line 7" not in heard_text(chat)
    assert result.spend.seconds < 10.0


def test_a_guard_that_has_taken_all_of_the_works_seconds_leaves_the_first_look_standing() -> None:
    limits = Limits(agent_seconds=0.0)
    model, chat = role(AGREES, limits=limits)
    guard = Guard()
    left = Triage(model, (), guard).assess(INCIDENT, first_look(), LINES, sources(limits)).assessment
    assert (guard.asked, chat.heard, left.by_model) == ([], [], False)
    assert left.verdict is first_look().verdict
    assert "No model looked at this" in left.not_checked[-1]


def test_a_guard_that_hangs_costs_a_plan_its_runbooks_alone(hanging: Hanging) -> None:
    limits = Limits(agent_seconds=2.0)
    model, chat = role("no form", limits=limits)
    books = tuple({"runbook": f"book-{n}", "text": "Roll it back."} for n in range(5))
    result = Remediation(model, hanging).propose(
        INCIDENT, assessment(), (ROLLBACK,), PlanContext(runbooks=books)
    )
    assert len(hanging.asked) == 1
    assert chat.heard and "Roll it back" not in heard_text(chat)
    assert result.spend.seconds < 10.0


def test_a_guard_that_has_failed_a_few_times_in_a_row_is_not_asked_again() -> None:
    guard = Guard(lambda text: AWAY)
    scans = Scans(guard, 90.0)
    found = [scans.scan(f"text {n}") for n in range(20)]
    assert len(guard.asked) == MOST_FAILED
    assert all(one.flags == ("unscanned",) for one in found)
    assert found[-1].detail == "the guard has not answered before"


def test_a_guard_that_fails_now_and_then_is_asked_on() -> None:
    guard = Guard(lambda text: AWAY if int(text) % 3 else Findings())
    scans = Scans(guard, 90.0)
    assert [scans.scan(str(n)).clear for n in range(12)] == [n % 3 == 0 for n in range(12)]
    assert len(guard.asked) == 12


def test_a_guard_may_take_half_of_the_works_seconds() -> None:
    watch = Watch()

    def slowly(text: str) -> Findings:
        watch.at += 10.0
        return Findings()

    guard = Guard(slowly)
    scans = Scans(guard, 90.0, clock=watch)
    found = [scans.scan(f"text {n}") for n in range(9)]
    assert [one.clear for one in found] == [True] * 5 + [False] * 4
    assert found[-1].detail == "the time for it is over"
    assert scans.scan("text 0").clear, "what was looked at stays looked at"


def test_seconds_in_which_nobody_waits_for_the_guard_are_not_the_guards() -> None:
    watch, guard = Watch(), Guard()
    scans = Scans(guard, 90.0, clock=watch)
    assert scans.scan("early").clear
    watch.at = 89.0
    assert scans.scan("late").clear
    watch.at = 90.0
    assert not scans.scan("too late").clear


def test_the_same_text_is_looked_at_once_also_side_by_side() -> None:
    def slowly(text: str) -> Findings:
        threading.Event().wait(0.02)
        return Findings(flags=("guardrail",))

    guard = Guard(slowly)
    scans = Scans(guard, 90.0)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(scans.scan, ["same", "other"] * 8))
    assert sorted(guard.asked) == ["other", "same"]
    assert {one.flags for one in found} == {("guardrail",)}


def test_a_defect_of_a_guard_is_no_text_that_nobody_could_look_at() -> None:
    def broken(text: str) -> Findings:
        raise KeyError("results")

    with pytest.raises(KeyError):
        Scans(Guard(broken), 90.0).scan("text")


def test_what_the_guard_is_asked_counts_for_both_directions_apart() -> None:
    asked: list[Any] = []

    class Both:
        def scan(self, text: str, direction: Any = None) -> Findings:
            asked.append(direction.value)
            return Findings()

    scans = Scans(Both(), 90.0)
    scans.scan("text")
    scans.scan("text", Direction.OUT)
    assert asked == ["INPUT", "OUTPUT"]
