"""The account's own log of every call, data events included."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator.clock import iso
from simulator.trail.callers import Caller
from simulator.wire.protocol import Call

_READING = ("Get", "List", "Describe", "Head", "Lookup", "Filter", "BatchGet", "Query", "Scan", "Select")
_ALSO_READING = frozenset(
    {
        "Converse",
        "ConverseStream",
        "InvokeModel",
        "ApplyGuardrail",
        "InvokeGuardrailChecks",
        "StartQuery",
        "StopQuery",
        "ReceiveMessage",
        "SimulateCustomPolicy",
        "SimulatePrincipalPolicy",
    }
)


@dataclass(frozen=True)
class Recorded:
    """One call to the account, with what became of it."""

    number: int
    at: datetime
    service: str
    operation: str
    caller: Caller
    parameters: Mapping[str, Any]
    error_code: str | None
    error_message: str | None

    @property
    def is_read_only(self) -> bool:
        """Whether the call only reads."""
        return self.operation.startswith(_READING) or self.operation in _ALSO_READING

    def as_json(self) -> dict[str, Any]:
        """The call as the control plane shows it."""
        return {
            "n": self.number,
            "at": iso(self.at),
            "service": self.service,
            "operation": self.operation,
            "caller_arn": self.caller.arn,
            "read_only": self.is_read_only,
            "parameters": plain(self.parameters),
            "error_code": self.error_code,
        }


class CallLog:
    """Every call to the account, in order."""

    def __init__(self) -> None:
        self._calls: list[Recorded] = []

    def record(
        self,
        call: Call,
        error_code: str | None = None,
        error_message: str | None = None,
    ) -> None:
        """Add a call that has been answered."""
        caller = Caller(call.caller_arn, call.access_key)
        self._calls.append(
            Recorded(
                len(self._calls) + 1,
                call.at,
                call.service,
                call.operation,
                caller,
                call.parameters,
                error_code,
                error_message,
            )
        )

    def after(self, number: int) -> list[Recorded]:
        """The calls that came after call `number`."""
        return self._calls[max(number, 0) :]


def plain(value: Any) -> Any:
    """Parameters as plain JSON: times as ISO 8601, bytes by their length."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value
