"""Steps of `aws:changeInstanceState`: instances are started, stopped or terminated, and waited for.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-changestate.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulator.clock import AccountClock
from simulator.ssm.runbooks import Step
from simulator.ssm.step_results import StepFailedError, StepResult, StepTimedOutError
from simulator.waits import AccountWaits

Calling = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
_APIS = {"running": "StartInstances", "stopped": "StopInstances", "terminated": "TerminateInstances"}
_INPUTS = frozenset({"InstanceIds", "DesiredState", "CheckStateOnly"})
_WAIT_SECONDS = 3600
_POLL = timedelta(seconds=5)


@dataclass(frozen=True)
class InstanceStates:
    """Brings instances to a state. `call` calls EC2 as a step of the execution does."""

    clock: AccountClock
    waits: AccountWaits
    call: Calling

    async def change(self, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        """Change the state where need be, and wait until every instance is in it."""
        ids, wanted = _wanted(inputs)
        states = await self._states(ids)
        if str(inputs.get("CheckStateOnly", "false")).lower() != "true" and set(states) != {wanted}:
            await self.call({"Service": "ec2", "Api": _APIS[wanted], "InstanceIds": ids})
            states = await self._states(ids)
        deadline = self.clock.now() + timedelta(seconds=step.timeout_seconds or _WAIT_SECONDS)
        while set(states) != {wanted}:
            if self.clock.now() >= deadline:
                raise StepTimedOutError(f"Step timed out while it is waiting for instances to be {wanted}.")
            await self.waits.until(min(self.clock.now() + _POLL, deadline))
            states = await self._states(ids)
        return StepResult({"InstanceStates": states})

    async def _states(self, ids: list[str]) -> list[str]:
        answer = await self.call({"Service": "ec2", "Api": "DescribeInstances", "InstanceIds": ids})
        return [
            str(one["State"]["Name"])
            for reservation in answer["Reservations"]
            for one in reservation["Instances"]
        ]


def _wanted(inputs: Mapping[str, Any]) -> tuple[list[str], str]:
    unsupported = sorted(set(inputs) - _INPUTS)
    if unsupported:
        raise StepFailedError(f"aws:changeInstanceState has inputs not supported: {', '.join(unsupported)}")
    ids, wanted = inputs.get("InstanceIds"), inputs.get("DesiredState")
    if not isinstance(ids, list) or not ids:
        raise StepFailedError("InstanceIds must name at least one instance")
    if wanted not in _APIS:
        raise StepFailedError(f"DesiredState must be one of: {', '.join(_APIS)}")
    return [str(one) for one in ids], str(wanted)
