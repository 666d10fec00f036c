"""Executions of runbooks: their record, and the runner that takes them from step to step.

Rules: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html#automation-common
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from simulator.clock import AccountClock
from simulator.ssm.placeholders import substitute
from simulator.ssm.runbook_steps import StepActions
from simulator.ssm.runbooks import Runbook, Step
from simulator.ssm.step_results import StepFailedError, StepResult, StepTimedOutError
from simulator.waits import AccountWaits

# The actions that wait for people.
WAITING = frozenset({"aws:approve"})


class Status(StrEnum):
    """Where an execution or a step stands."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    WAITING = "Waiting"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


@dataclass
class StepRecord:
    """What became of one step."""

    step: Step
    step_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: Status = Status.PENDING
    started: datetime | None = None
    ended: datetime | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    result: StepResult | None = None
    failure: str | None = None


@dataclass
class Execution:
    """One execution of a document."""

    execution_id: str
    document: str
    version: str
    runbook: Runbook
    parameters: Mapping[str, Any]
    caller_arn: str
    region: str
    account: str
    started: datetime
    status: Status = Status.PENDING
    ended: datetime | None = None
    failure: str | None = None
    steps: dict[str, StepRecord] = field(default_factory=dict)
    current: Step | None = None
    task: "asyncio.Task[None] | None" = None

    def __post_init__(self) -> None:
        self.steps = {step.name: StepRecord(step) for step in self.runbook.steps}

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status not in {Status.PENDING, Status.IN_PROGRESS, Status.WAITING}

    def resolve(self, name: str) -> Any:
        """The value of a placeholder, or StepFailedError where there is none yet."""
        if name in self.parameters:
            return self.parameters[name]
        system = self._system().get(name)
        if system is not None:
            return system
        step, _, output = name.partition(".")
        record = self.steps.get(step)
        if record is None or record.result is None or output not in record.result.outputs:
            raise StepFailedError(f"Step fails when it is resolving {{{{ {name} }}}}: no such output")
        return record.result.outputs[output]

    def _system(self) -> dict[str, str]:
        return {
            "automation:EXECUTION_ID": self.execution_id,
            "global:ACCOUNT_ID": self.account,
            "global:DATE": f"{self.started:%Y-%m-%d}",
            "global:DATE_TIME": f"{self.started:%Y-%m-%d_%H.%M.%S}",
            "global:REGION": self.region,
        }


class Runner:
    """Runs executions on the event loop; their time is the account's."""

    def __init__(self, clock: AccountClock, waits: AccountWaits, actions: StepActions) -> None:
        self._clock = clock
        self._waits = waits
        self._actions = actions

    def start(self, execution: Execution) -> None:
        """Let the execution begin."""
        self._waits.begin()
        execution.task = asyncio.create_task(self._run(execution))
        execution.task.add_done_callback(lambda _: self._waits.end())

    def cancel(self, execution: Execution) -> None:
        """End the execution where it stands. A call already under way is not undone."""
        if execution.task is not None:
            execution.task.cancel()
        if execution.current is not None:
            self._close(execution.steps[execution.current.name], Status.CANCELLED)
        self._finish(execution, Status.CANCELLED)

    async def _run(self, execution: Execution) -> None:
        execution.status = Status.IN_PROGRESS
        step: Step | None = execution.runbook.steps[0]
        while step is not None:
            step = await self._take(execution, step)
        if not execution.is_over:
            self._finish(execution, _final_status(execution))

    async def _take(self, execution: Execution, step: Step) -> Step | None:
        """Run one step and give the one that follows, or None where the execution ends."""
        record = execution.steps[step.name]
        execution.current = step
        record.started = self._clock.now()
        execution.status = record.status = Status.WAITING if step.action in WAITING else Status.IN_PROGRESS
        try:
            record.result = await self._attempt(execution, record)
        except StepFailedError as error:
            record.failure = str(error)
            self._close(record, Status.TIMED_OUT if isinstance(error, StepTimedOutError) else Status.FAILED)
            return self._after_failure(execution, record)
        self._close(record, Status.SUCCESS)
        execution.status = Status.IN_PROGRESS
        if step.is_end and record.result.next_step is None:
            return None
        following = record.result.next_step or step.next_step
        return execution.runbook.step(following) if following else execution.runbook.after(step)

    async def _attempt(self, execution: Execution, record: StepRecord) -> StepResult:
        step = record.step
        for attempt in range(1, step.max_attempts + 1):
            try:
                record.inputs = substitute(dict(step.inputs), execution.resolve)
                return await self._actions.carry_out(step, record.inputs, execution.execution_id)
            except StepFailedError:
                if attempt == step.max_attempts:
                    raise
        raise AssertionError("a step has at least one attempt")

    def _after_failure(self, execution: Execution, record: StepRecord) -> Step | None:
        step = record.step
        execution.failure = record.failure
        execution.status = Status.IN_PROGRESS
        if step.on_failure == "Abort":
            self._finish(execution, record.status)
            return None
        if step.is_end:
            return None
        if step.on_failure == "Continue":
            return execution.runbook.step(step.next_step) if step.next_step else execution.runbook.after(step)
        return execution.runbook.step(step.on_failure.removeprefix("step:").strip())

    def _close(self, record: StepRecord, status: Status) -> None:
        record.status, record.ended = status, self._clock.now()

    def _finish(self, execution: Execution, status: Status) -> None:
        execution.status, execution.ended, execution.current = status, self._clock.now(), None


def _final_status(execution: Execution) -> Status:
    """Failed if a critical step failed, though the execution went on after it."""
    failed = (record for record in execution.steps.values() if record.failure is not None)
    return Status.FAILED if any(record.step.is_critical for record in failed) else Status.SUCCESS
