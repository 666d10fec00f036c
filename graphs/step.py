"""What every node does around its work: hold the lease, tell the timeline, keep the public record.

Work is plain blocking code, since boto3 blocks; it runs in threads of our own, so that it never shares the
few threads of asyncio's default executor.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.types import interrupt

from graphs.record import save_record
from graphs.thinking import Copilot
from memory.records.incident import Incident
from memory.records.timeline import EntryKind, Timer, TimerKind
from memory.state import IncidentState
from memory.stores.leases import IncidentBusyError

THREADS = 16
LOOK_AGAIN = timedelta(seconds=60)
T = TypeVar("T")


@dataclass(frozen=True)
class Wait:
    """A step's wish to pause: the run ends here and goes on when somebody wakes it."""

    asking: dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """One go of one step."""

    copilot: Copilot
    state: IncidentState
    thread_id: str
    woken: bool = False


Work = Callable[[Turn], "dict[str, Any] | Wait"]


@dataclass(frozen=True)
class Step:
    """A node: its name, its work and the way to the copilot's parts."""

    name: str
    work: Work
    copilot: Callable[[], Copilot]
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="step"), compare=False
    )

    async def __call__(self, state: IncidentState, config: RunnableConfig) -> dict[str, Any]:
        """Run the work under the incident's lease; pause where it waits or another run holds the lease.

        What a pause is resumed with is not looked at: a resume only wakes. A thread cannot be ended: when this is cut
        off, its work goes on, and is over for everybody else. It tells nothing any more and lets no lease go.
        """
        over = threading.Event()
        try:
            return await self._go_through(state, config, over)
        except asyncio.CancelledError:
            over.set()
            raise

    async def _go_through(
        self, state: IncidentState, config: RunnableConfig, over: threading.Event
    ) -> dict[str, Any]:
        thread_id, holder = _identity(config)
        copilot = await self._in_thread(self.copilot)
        turn = Turn(replace(copilot, turn=_go(config)), state, thread_id)
        try:
            done = await self._in_thread(self._turn, turn, holder, over)
        except IncidentBusyError:
            await self._in_thread(_wake_later, turn)
            interrupt({"waiting_for": "lease", "step": self.name})
            raise
        if isinstance(done, Wait):
            interrupt(done.asking)
            woken = Turn(turn.copilot, state, thread_id, woken=True)
            done = await self._in_thread(self._turn, woken, holder, over)
        return {} if isinstance(done, Wait) else done

    async def _in_thread(self, call: Callable[..., T], *args: Any) -> T:
        # An agent inside a step keeps no checkpoints, so it must not inherit how this graph keeps its own.
        context = contextvars.copy_context()
        context.run(var_child_runnable_config.set, None)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: context.run(call, *args))

    def _turn(self, turn: Turn, holder: str, over: threading.Event) -> dict[str, Any] | Wait:
        incident = turn.state.get("incident")
        if incident is None:
            return self.work(turn)
        copilot = turn.copilot
        copilot.records.leases.hold(incident.scope, incident.incident_id, holder)
        started = time.monotonic()
        self._tell(turn, incident, EntryKind.STEP_STARTED, f"{self.name} started")
        done = self.work(turn)
        if over.is_set():
            return done
        seconds = round(time.monotonic() - started, 3)
        if isinstance(done, Wait):
            self._tell(
                turn,
                incident,
                EntryKind.STEP_ENDED,
                f"{self.name} waits",
                {"seconds": seconds, **done.asking},
            )
            save_record(copilot.records, turn.state)
            copilot.records.leases.release(incident.scope, incident.incident_id, holder)
            return done
        self._tell(turn, incident, EntryKind.STEP_ENDED, f"{self.name} ended", {"seconds": seconds})
        save_record(copilot.records, _merged(turn.state, done))
        if self.name == "communicate":
            copilot.records.leases.release(incident.scope, incident.incident_id, holder)
        return done

    def _tell(
        self, turn: Turn, incident: Incident, kind: EntryKind, text: str, facts: dict[str, Any] | None = None
    ) -> None:
        timeline = turn.copilot.records.timeline
        timeline.append(incident.scope, incident.incident_id, kind, text, step=self.name, facts=facts)


def _wake_later(turn: Turn) -> None:
    """Ask to be woken again: the run that holds the incident may be one that has just died."""
    records, incident = turn.copilot.records, turn.state["incident"]
    wake_at = records.clock.now() + LOOK_AGAIN
    timer = Timer(incident_id=incident.incident_id, kind=TimerKind.CADENCE, wake_at=wake_at)
    records.timers.set(incident.scope, timer)


def _identity(config: RunnableConfig) -> tuple[str, str]:
    """Return the thread, and the run that holds the lease: either host names it."""
    configurable = config.get("configurable", {})
    metadata = config.get("metadata", {})
    thread_id = str(configurable.get("thread_id") or "")
    holder = configurable.get("holder") or metadata.get("run_id") or f"thread:{thread_id}"
    return thread_id, str(holder)


def _go(config: RunnableConfig) -> str:
    """Return the name of this go of a step: LangGraph's task, which a resumed run begins again under the same id.

    It is a hash over the checkpoint that it starts from. Outside a graph there is none.
    """
    return str(config.get("configurable", {}).get("checkpoint_ns") or "")


def _merged(state: IncidentState, update: dict[str, Any]) -> IncidentState:
    """Return the state as it will be once LangGraph has applied a step's update."""
    merged: dict[str, Any] = {**state, **update}
    for grown in ("executions", "failures", "models"):
        if grown in update:
            merged[grown] = [*state.get(grown, []), *update[grown]]
    if "spend" in update and "spend" in state:
        merged["spend"] = state["spend"] + update["spend"]
    return merged  # type: ignore[return-value]  # a TypedDict cannot be built from a computed dict
