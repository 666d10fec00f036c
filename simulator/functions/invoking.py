"""Invoke: which version runs, or that none may.

No code is run. An invocation answers `null`, as a handler does that returns nothing, or fails as often as its image
does. Where the concurrency that is reserved is used up, which with a reservation of zero is always, it is throttled; so
is a function without a reservation where others use all that the account has left.
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from simulator.functions.records import Function, LambdaState
from simulator.wire.protocol import AwsError, Call

LARGEST = {"RequestResponse": 6_291_556, "Event": 1_048_576, "DryRun": 6_291_556}
Counting = Callable[[str, str, datetime], None]


@dataclass(frozen=True)
class Invoking:
    """Answers Invoke. `fails` gives an image's share of errors; `count` takes a metric's name, function and time."""

    state: LambdaState
    fails: Callable[[str], float]
    count: Counting
    random: Random = field(default_factory=lambda: Random(0))

    def invoke(self, call: Call) -> Mapping[str, Any]:
        """Run a function once, as its alias's weights draw the version."""
        given = call.parameters
        function, qualifier = self.state.function(given["FunctionName"])
        qualifier = given.get("Qualifier", qualifier)
        kind = given.get("InvocationType", "RequestResponse")
        _check(kind, given)
        function.code(qualifier)
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "RequestResponse":
            self._let_in(function, call.at)
        code = function.invoked(qualifier, self.random)
        if kind == "Event":
            return {"StatusCode": 202}
        self.count("Invocations", function.name, call.at)
        answer = {"StatusCode": 200, "ExecutedVersion": code.version}
        if self.random.random() >= self.fails(code.image):
            return answer | {"Payload": b"null"}
        self.count("Errors", function.name, call.at)
        failure = {"errorMessage": "the handler raised an error", "errorType": "Exception"}
        return answer | {"FunctionError": "Unhandled", "Payload": json.dumps(failure).encode()}

    def _let_in(self, function: Function, at: datetime) -> None:
        if function.reserved is not None:
            has_room, reason = function.reserved > 0, "ReservedFunctionConcurrentInvocationLimitExceeded"
        else:
            has_room = self.state.in_use < self.state.unreserved
            reason = "ConcurrentInvocationLimitExceeded"
        if has_room:
            return
        self.count("Throttles", function.name, at)
        fields = {"Reason": reason, "Type": "User"}
        raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, fields)


def _check(kind: str, given: Mapping[str, Any]) -> None:
    if kind not in LARGEST:
        raise AwsError("InvalidParameterValueException", f"Unknown invocation type: {kind}")
    if given.get("LogType", "None") != "None":
        raise AwsError("InvalidParameterValueException", "The tail of the log is not simulated.")
    payload = given.get("Payload", b"")
    if len(payload) > LARGEST[kind]:
        message = f"Request must be smaller than {LARGEST[kind]} bytes for the InvokeFunction operation"
        raise AwsError("RequestTooLargeException", message, 413, {"Type": "User"})
    try:
        json.loads(payload or b"{}")
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise AwsError("InvalidRequestContentException", message, 400, {"Type": "User"}) from error
