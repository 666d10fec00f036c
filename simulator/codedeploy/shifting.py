"""How deployments go on as the account's time does: traffic shifts, alarms stop it, rollbacks take it back.

A deployment is begun at the first tick after it was made. Each step moves the alias through Lambda's own API, as
a session of the group's service role, and puts it where the configuration says, whatever it was meanwhile.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.codedeploy.appspec import written_appspec
from simulator.codedeploy.configs import ALL_AT_ONCE, PREDEFINED
from simulator.codedeploy.records import (
    CodeDeployState,
    Deployment,
    Group,
    Revision,
    RollbackEvent,
    Safeguards,
    Status,
)
from simulator.functions.records import LambdaState
from simulator.trail.callers import Caller, assumed_role
from simulator.wire.protocol import AwsError

SESSION = "codedeploy"
ROLLBACK = "codeDeployRollback"
Performing = Callable[[str, str, str, str, dict[str, Any]], Awaitable[Mapping[str, Any]]]
"""Calls the account: a caller's ARN and key, a service, an operation, its parameters."""


@dataclass(frozen=True)
class Shifter:
    """Moves deployments on. `alarming` says whether an alarm is in ALARM, or that nobody has it."""

    state: CodeDeployState
    functions: LambdaState
    perform: Performing
    alarming: Callable[[str], bool | None]

    async def move(self, now: datetime) -> None:
        """Bring every deployment as far as it would be at `now`."""
        for deployment in [one for one in self.state.deployments.values() if not one.is_over]:
            await self._move(deployment, now)

    def stop(self, deployment: Deployment, rolls_back: bool, now: datetime) -> None:
        """Stop a deployment as somebody asks; what it has shifted is taken back if wanted."""
        problem = ("MANUAL_STOP", "The deployment was stopped by request.")
        self._end(deployment, Status.STOPPED, now, problem, rolls_back=rolls_back)

    async def _move(self, deployment: Deployment, now: datetime) -> None:
        if (active := self._active_alarm(deployment.safeguards)) is not None:
            self._alarmed(deployment, active, now)
            return
        if deployment.status is Status.CREATED:
            if (problem := self._obstacle(deployment)) is not None:
                self._fail(deployment, problem, now)
                return
            deployment.status, deployment.started_at = Status.IN_PROGRESS, now
        routing, started = deployment.config.routing, deployment.started_at or now
        shifted = routing.shifted(now - started) if routing is not None else 100
        if shifted != deployment.shifted:
            await self._shift(deployment, shifted, now)

    async def _shift(self, deployment: Deployment, percent: int, now: datetime) -> None:
        """Give the target so much of the traffic, and end the deployment once it has all."""
        target = deployment.target
        weights = {target.target: percent / 100} if percent < 100 else {}
        moved = {
            "FunctionName": target.function,
            "Name": target.alias,
            "FunctionVersion": target.target if percent >= 100 else target.current,
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        }
        caller = self._caller(deployment)
        try:
            await self.perform(caller.arn, caller.access_key, "lambda", "UpdateAlias", moved)
        except AwsError as error:
            self._fail(deployment, ("INVALID_LAMBDA_CONFIGURATION", error.message), now)
            return
        deployment.shifted, deployment.updated_at = percent, now
        if percent >= 100:
            deployment.end(Status.SUCCEEDED, now)

    def _obstacle(self, deployment: Deployment) -> tuple[str, str] | None:
        """Why a deployment cannot begin: code and words of API_ErrorInformation."""
        target = deployment.target
        function = self.functions.functions.get(target.function)
        alias = function.aliases.get(target.alias) if function is not None else None
        if function is None or alias is None:
            return "INVALID_LAMBDA_FUNCTION", f"There is no alias {target.alias} of {target.function}."
        if target.target not in function.versions:
            return "INVALID_LAMBDA_FUNCTION", f"{target.function} has no version {target.target}."
        if deployment.creator != ROLLBACK and alias.version != target.current:
            words = f"The alias {target.alias} points to version {alias.version}, not {target.current}."
            return "INVALID_LAMBDA_CONFIGURATION", words
        if target.current == target.target:
            return "INVALID_LAMBDA_CONFIGURATION", "The current and the target version are the same."
        return None

    def _active_alarm(self, safeguards: Safeguards) -> str | None:
        """Which alarm stops a deployment, if one does. An alarm that cannot be read stops it unless that is ignored."""
        if not safeguards.watches:
            return None
        for name in safeguards.alarms:
            state = self.alarming(name)
            if state or (state is None and not safeguards.ignores_unread):
                return name
        return None

    def _alarmed(self, deployment: Deployment, alarm: str, now: datetime) -> None:
        words = (
            "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, "
            f"and the affected deployments have been stopped. Activated alarms: <{alarm}>"
        )
        rolls_back = deployment.safeguards.rolls_back_on(RollbackEvent.ALARM)
        self._end(deployment, Status.STOPPED, now, ("ALARM_ACTIVE", words), rolls_back=rolls_back)

    def _fail(self, deployment: Deployment, problem: tuple[str, str], now: datetime) -> None:
        rolls_back = deployment.safeguards.rolls_back_on(RollbackEvent.FAILURE)
        self._end(deployment, Status.FAILED, now, problem, rolls_back=rolls_back)

    def _end(
        self,
        deployment: Deployment,
        status: Status,
        now: datetime,
        problem: tuple[str, str],
        *,
        rolls_back: bool,
    ) -> None:
        deployment.end(status, now, problem)
        if not rolls_back or deployment.creator == ROLLBACK:
            return
        if deployment.shifted is None:
            deployment.rollback_message = "No traffic was shifted, so there is nothing to roll back."
            return
        back = self._rollback_of(deployment, now)
        self.state.deployments[back.id] = back
        deployment.rollback = back.id
        deployment.rollback_message = f"Deployment {back.id} is started for roll back."

    def _rollback_of(self, deployment: Deployment, now: datetime) -> Deployment:
        """The deployment that gives all traffic back to the version that had it. Alarms do not stop it."""
        target = deployment.target.back()
        return Deployment(
            id=self.state.next_id(self._group(deployment)),
            application=deployment.application,
            group=deployment.group,
            config=PREDEFINED[ALL_AT_ONCE],
            revision=deployment.previous or Revision("AppSpecContent", written_appspec(target)),
            target=target,
            safeguards=Safeguards(),
            created_at=now,
            creator=ROLLBACK,
            previous=deployment.revision,
            rolls_back=deployment.id,
        )

    def _caller(self, deployment: Deployment) -> Caller:
        return assumed_role(self._group(deployment).role.rpartition("/")[2], SESSION)

    def _group(self, deployment: Deployment) -> Group:
        return self.state.group(deployment.application, deployment.group)
