"""Parameters of the Parameter Store: the emulator keeps them, and each change is of the account's time and its caller.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.emulator import Emulator, RefusedError
from simulator.wire.protocol import Call


@dataclass(frozen=True)
class Settings:
    """Answers the operations whose answers tell when a parameter was changed and by whom."""

    emulator: Emulator

    async def put(self, call: Call) -> Mapping[str, Any]:
        """PutParameter."""
        answer = await self._asked(call)
        self.emulator.date_parameter(call.parameters["Name"], call.at, call.caller_arn)
        return answer

    async def describe(self, call: Call) -> Mapping[str, Any]:
        """DescribeParameters."""
        answer = await self._asked(call)
        for one in answer["Parameters"]:
            one["LastModifiedUser"] = self.emulator.parameter_user(one["Name"])
        return answer

    async def _asked(self, call: Call) -> dict[str, Any]:
        try:
            return await self.emulator.call("ssm", call.operation, call.parameters)
        except RefusedError as error:
            raise error.as_aws() from error
