"""What an incident cost, and the limits it ran under."""

from memory.records.base import Record


class Spend(Record):
    """Counts that only grow; dollars are at the dated prices in settings."""

    model_calls: int = 0
    tool_calls: int = 0
    aws_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    bytes_scanned: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Spend") -> "Spend":
        """Return the sum of two spends."""
        return Spend(**{name: getattr(self, name) + getattr(other, name) for name in Spend.model_fields})


class ModelUse(Record):
    """Which model a role used, under which prompt."""

    role: str
    model_id: str
    prompt_sha256: str
    calls: int = 0
