"""Parameters of the Parameter Store: the emulator keeps them, and each change is of the account's time and its caller.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.emulator import Emulator, RefusedError
from simulator.wire.protocol import AwsError, Call


@dataclass(frozen=True)
class Settings:
    """Answers the operations whose answers tell when a parameter was changed and by whom."""

    emulator: Emulator

    async def put(self, call: Call) -> Mapping[str, Any]:
        """PutParameter."""
        _check_pattern(call)
        answer = await self._asked(call)
        self.emulator.date_parameter(call.parameters["Name"], call.at, call.caller_arn)
        return answer

    async def describe(self, call: Call) -> Mapping[str, Any]:
        """DescribeParameters."""
        answer = await self._asked(call)
        for one in answer["Parameters"]:
            one["LastModifiedUser"] = self.emulator.parameter_user(one["Name"])
        return answer

    async def history(self, call: Call) -> Mapping[str, Any]:
        """GetParameterHistory."""
        answer = await self._asked(call)
        patterns = self.emulator.parameter_patterns(call.parameters["Name"])
        for one in answer["Parameters"]:
            pattern = patterns.get(one["Version"])
            if pattern:
                one["AllowedPattern"] = pattern
        return answer

    async def _asked(self, call: Call) -> dict[str, Any]:
        try:
            return await self.emulator.call("ssm", call.operation, call.parameters)
        except RefusedError as error:
            raise error.as_aws() from error


def _check_pattern(call: Call) -> None:
    """Refuse a value that the request's AllowedPattern does not allow."""
    pattern, value = call.parameters.get("AllowedPattern", ""), call.parameters.get("Value", "")
    try:
        matches = not pattern or re.search(pattern, value) is not None
    except re.error as error:
        message = "The request does not meet the regular expression requirement."
        raise AwsError("InvalidAllowedPatternException", message) from error
    if not matches:
        raise AwsError("ParameterPatternMismatchException", "The parameter value is not valid.")
