"""CodeDeploy's API over the account's own state. What is not here is refused as an unknown operation.

The compute platform is Lambda. Applications of another, hooks, triggers, tags and revisions that lie in S3 or
GitHub are refused with the error that CodeDeploy has for a member that it does not take.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.codedeploy.configs import ConfigOperations
from simulator.codedeploy.deployments import DeploymentOperations
from simulator.codedeploy.groups import GroupOperations
from simulator.codedeploy.records import CodeDeployState
from simulator.codedeploy.shifting import Shifter
from simulator.wire.protocol import Call


@dataclass(frozen=True)
class CodeDeployOverlay:
    """Answers CodeDeploy from `state`; `shifter` moves its deployments."""

    state: CodeDeployState
    shifter: Shifter
    service: str = "codedeploy"
    exclusive: bool = True

    @property
    def operations(self) -> frozenset[str]:
        """The operations answered here."""
        return frozenset(self._answers())

    async def answer(self, call: Call) -> Mapping[str, Any]:
        """The operation's result, or `AwsError`."""
        return self._answers()[call.operation](call)

    async def clock_moved(self, now: datetime) -> None:
        """To be awaited after the account's clock has moved: deployments go on as far as they are by then."""
        await self.shifter.move(now)

    def _answers(self) -> dict[str, Callable[[Call], Mapping[str, Any]]]:
        return {
            **GroupOperations(self.state).answers(),
            **ConfigOperations(self.state).answers(),
            **DeploymentOperations(self.state, self.shifter).answers(),
        }
