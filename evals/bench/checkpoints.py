"""Our checkpointer beside the published ones, in one run: calls, bytes, units, and time at several delays.

`python -m evals.bench.checkpoints` writes the tables of docs/benchmarks.md; `--quick` measures less and writes
nothing.
"""

import argparse
import asyncio
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from evals.bench.checkpoints_savers import (
    ALONE,
    OURS,
    PEER,
    LoopbackStore,
    OpenSaver,
    contenders,
    started_store,
)
from evals.bench.checkpoints_work import graph, run, seeded
from evals.bench.machine import machine
from evals.bench.page import replaced

NAME = "checkpoints"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
DELAYS = (0.0, 0.003, 0.01)
AT_ONCE = (1, 10, 40, 100)
ROUNDS = 3
LONG, SHORT = 200, 30


@dataclass(frozen=True)
class Cost:
    """What a thing took: seconds, and what the store counted, if it was asked."""

    seconds: float
    counted: dict[str, int] = field(default_factory=dict)

    @property
    def read_units(self) -> float:
        """Read units."""
        return self.counted.get("read half units", 0) / 2


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    delays: Sequence[float] = DELAYS
    at_once: Sequence[int] = AT_ONCE
    rounds: int = ROUNDS
    long: int = LONG


@dataclass(frozen=True)
class Measured:
    """All figures of one checkpointer."""

    one_run: dict[float, Cost]
    parallel: dict[int, Cost]
    state: Cost
    history: dict[int, Cost]


def measure(plan: Plan) -> dict[str, Measured]:
    """Measure every checkpointer as planned."""
    with started_store() as store:
        return {name: asyncio.run(_measured(store, plan, name)) for name in contenders(store)}


async def _measured(store: LoopbackStore, plan: Plan, name: str) -> Measured:
    slow = plan.delays[-1]
    one_run = {delay: await _parallel(store, name, 1, delay, plan.rounds) for delay in plan.delays}
    parallel = {}
    for number in plan.at_once:
        parallel[number] = await _parallel(store, name, number, slow, plan.rounds)
    opened = contenders(store)[name]
    short = await _long_thread(opened, SHORT)
    state = await _cost(store, opened, slow, lambda runner: runner.aget_state(short))
    long = await _long_thread(opened, plan.long)
    history = {}
    for limit in (10, plan.long):
        history[limit] = await _cost(store, opened, slow, partial(_listed, long, limit))
    sys.stderr.write(f"{name} is measured\n")
    return Measured(one_run, parallel, state, history)


async def _parallel(store: LoopbackStore, name: str, number: int, delay: float, rounds: int) -> Cost:
    """Return the median of rounds, in each of which so many runs go on at once over threads of their own."""
    costs = []
    for _ in range(rounds):
        store.counted(0.0, empty=True)
        opened = contenders(store)[name]
        async with opened() as saver:
            threads = [await seeded(graph(saver), uuid.uuid4().hex) for _ in range(number)]
        async with opened() as saver:
            runner = await _connected(saver)
            store.counted(delay)
            begin = time.perf_counter()
            await asyncio.gather(*(run(runner, told) for told in threads))
            costs.append(Cost(time.perf_counter() - begin, store.counted(0.0)))
    return Cost(statistics.median(one.seconds for one in costs), costs[-1].counted)


async def _connected(saver: Any) -> Any:
    """Return the graph over a saver whose client has made its first call: that takes longer than any other."""
    runner = graph(saver)
    await runner.aget_state({"configurable": {"thread_id": "nobody's"}})
    return runner


async def _long_thread(opened: OpenSaver, steps: int) -> dict[str, Any]:
    async with opened() as saver:
        runner = graph(saver, steps)
        told = await seeded(runner, uuid.uuid4().hex, messages=1)
        await run(runner, told, "async")
        return told


async def _cost(
    store: LoopbackStore, opened: OpenSaver, delay: float, ask: Callable[[Any], Awaitable[Any]]
) -> Cost:
    """Return what a question costs a process that has nothing in memory."""
    async with opened() as saver:
        runner = await _connected(saver)
        store.counted(delay)
        begin = time.perf_counter()
        await ask(runner)
        return Cost(time.perf_counter() - begin, store.counted(0.0))


async def _listed(told: Any, limit: int, runner: Any) -> int:
    return len([one async for one in runner.aget_state_history(told, limit=limit)])


def tables(measured: dict[str, Measured], plan: Plan) -> str:
    """Return what was measured, in Markdown."""
    return "\n\n".join([_one_run(measured, plan), _at_once(measured, plan), _reading(measured, plan)])


def _one_run(measured: dict[str, Measured], plan: Plan) -> str:
    heads = [
        "one run of 6 steps, 30 messages",
        "calls",
        "KB sent",
        "KB received",
        "write units",
        "read units",
    ]
    heads += [f"ms at {delay * 1000:.0f} ms a call" for delay in plan.delays]
    rows = []
    for name, one in measured.items():
        first = one.one_run[plan.delays[0]]
        told = first.counted
        kilobytes = [f"{told.get(key, 0) / 1024:.0f}" for key in ("sent bytes", "received bytes")]
        rows.append(
            [
                name,
                str(told.get("calls", "")),
                *kilobytes,
                str(told.get("write units", "")),
                f"{first.read_units:g}",
            ]
            + [f"{one.one_run[delay].seconds * 1000:.0f}" for delay in plan.delays]
        )
    return _markdown(heads, rows)


def _at_once(measured: dict[str, Measured], plan: Plan) -> str:
    heads = [f"runs at once, {plan.delays[-1] * 1000:.0f} ms a call"]
    heads += [f"{number}: s" for number in plan.at_once] + [f"{number}: calls" for number in plan.at_once]
    rows = [
        [name]
        + [f"{one.parallel[number].seconds:.2f}" for number in plan.at_once]
        + [str(one.parallel[number].counted.get("calls", "")) for number in plan.at_once]
        for name, one in measured.items()
    ]
    ours, peer, alone = (measured[name].parallel for name in (OURS, PEER, ALONE))
    empty = [""] * len(plan.at_once)
    faster = [f"{peer[number].seconds / ours[number].seconds:.1f}" for number in plan.at_once]
    share = [f"{alone[number].seconds / ours[number].seconds:.0%}" for number in plan.at_once]
    rows += [[f"{OURS} is faster than {PEER}, times", *faster, *empty]]
    rows += [[f"share of {OURS}'s time that is LangGraph's own", *share, *empty]]
    return _markdown(heads, rows)


def _reading(measured: dict[str, Measured], plan: Plan) -> str:
    heads = [f"reading, {plan.delays[-1] * 1000:.0f} ms a call"]
    for what in (f"state after {SHORT} steps", "history of 10", f"history of {plan.long}"):
        heads += [f"{what}: calls", "read units", "ms"]
    rows = []
    for name, one in measured.items():
        row = [name]
        for cost in (one.state, one.history[10], one.history[plan.long]):
            row += [str(cost.counted.get("calls", "")), f"{cost.read_units:g}", f"{cost.seconds * 1000:.0f}"]
        rows.append(row)
    return _markdown(heads, rows)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and set the page's tables anew."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.checkpoints", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure a little, write nothing")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="the page to write")
    asked = parser.parse_args(arguments)
    plan = Plan((0.0, 0.01), (1, 10), 1, 20) if asked.quick else Plan()
    now, here = datetime.now(UTC), machine()
    facts = "; ".join(f"{name}: {value}" for name, value in here.items())
    text = f"{tables(measure(plan), plan)}\n\n{now.date()}, median of {plan.rounds} rounds. {facts}."
    sys.stdout.write(f"{text}\n")
    if not asked.quick:
        asked.page.write_text(replaced(asked.page.read_text(encoding="utf-8"), NAME, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
