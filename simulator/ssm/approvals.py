"""Steps of `aws:approve`: an execution waits until enough of the named people have said yes, or one has said no.

https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-approve.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendAutomationSignal.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import AccountClock, iso
from simulator.ssm.runbooks import Step
from simulator.ssm.step_results import StepFailedError, StepResult, StepTimedOutError
from simulator.waits import AccountWaits
from simulator.wire.protocol import AwsError

_WAITS = timedelta(days=7)
_LONGEST_WAIT = timedelta(days=30)
_MOST_APPROVERS = 10
_INPUTS = frozenset({"NotificationArn", "Message", "MinRequiredApprovals", "Approvers"})


@dataclass
class Asked:
    """Who is asked by one execution, and what they have said so far, by principal."""

    approvers: tuple[str, ...]
    needed: int
    decisions: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_rejected(self) -> bool:
        """Whether anybody said no."""
        return any(one["Decision"] == "Reject" for one in self.decisions.values())

    @property
    def is_approved(self) -> bool:
        """Whether enough said yes."""
        return len(self.decisions) >= self.needed and not self.is_rejected


class Approvals:
    """The executions that wait for people."""

    def __init__(self, clock: AccountClock, waits: AccountWaits) -> None:
        self._clock = clock
        self._waits = waits
        self._asked: dict[str, Asked] = {}

    async def wait(self, execution_id: str, step: Step, inputs: Mapping[str, Any]) -> StepResult:
        """Wait for the step's approvers; StepFailedError where one of them rejects."""
        asked = _asked(inputs)
        length = timedelta(seconds=step.timeout_seconds) if step.timeout_seconds else _WAITS
        deadline = self._clock.now() + min(length, _LONGEST_WAIT)
        self._asked[execution_id] = asked
        try:
            while not asked.is_approved:
                if asked.is_rejected:
                    raise StepFailedError("Approval step was rejected.")
                if self._clock.now() >= deadline:
                    raise StepTimedOutError("Step timed out while it is waiting for approval.")
                await self._waits.until(deadline, execution_id)
        finally:
            del self._asked[execution_id]
        return StepResult({"ApprovalStatus": "Approved", "ApproverDecisions": list(asked.decisions.values())})

    def decide(self, execution_id: str, caller_arn: str, decision: str, comment: str, at: datetime) -> None:
        """Take what a caller says; AwsError where nothing is asked, or not of this caller."""
        asked = self._asked.get(execution_id)
        if asked is None:
            raise bad_signal("The execution is not waiting for an approval.")
        if not any(is_named(caller_arn, one) for one in asked.approvers):
            raise bad_signal(f"{caller_arn} is not an approver of this step.")
        if caller_arn in asked.decisions:
            raise bad_signal(f"{caller_arn} has already decided.")
        asked.decisions[caller_arn] = {
            "Approver": caller_arn,
            "Decision": decision,
            "ApprovedTime" if decision == "Approve" else "RejectedTime": iso(at),
            "Comment": comment,
        }
        self._waits.wake(execution_id)


def is_named(caller_arn: str, approver: str) -> bool:
    """Whether a caller is who a document names: a user's name or ARN, a role's ARN, or that of its session."""
    if caller_arn == approver:
        return True
    if ":user/" in caller_arn:
        return caller_arn.rpartition("/")[2] == approver
    account, _, session = caller_arn.partition(":assumed-role/")
    role = session.rpartition("/")[0]
    return bool(role) and approver == f"{account.replace(':sts:', ':iam:')}:role/{role}"


def bad_signal(message: str) -> AwsError:
    """InvalidAutomationSignalException."""
    return AwsError("InvalidAutomationSignalException", message)


def _asked(inputs: Mapping[str, Any]) -> Asked:
    unknown = sorted(set(inputs) - _INPUTS)
    if unknown:
        raise StepFailedError(f"aws:approve has unknown inputs: {', '.join(unknown)}")
    approvers = inputs.get("Approvers")
    if not isinstance(approvers, list) or not 1 <= len(approvers) <= _MOST_APPROVERS:
        raise StepFailedError(f"Approvers must name between 1 and {_MOST_APPROVERS} principals")
    needed = inputs.get("MinRequiredApprovals", 1)
    if not str(needed).isdigit() or not 1 <= int(needed) <= len(approvers):
        raise StepFailedError("MinRequiredApprovals must be between 1 and the number of Approvers")
    return Asked(tuple(str(one) for one in approvers), int(needed))
