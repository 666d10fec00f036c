"""What an incident cost, and the limits it ran under."""

from memory.records.base import Record


class Spend(Record):
    """Counts that only grow; dollars are at the dated prices in settings.

    `input_tokens` counts all that went in; of these, `cache_read_tokens` were read from the prompt cache and
    `cache_write_tokens` written to it, each at a price of its own. `guard_units` are the text units of a thousand
    characters that a guard has looked at, in `guard_calls` calls of its own and within calls of models. Of
    `estimated_calls` nobody said what they took: an answer that broke off, or said nothing of it.
    """

    model_calls: int = 0
    tool_calls: int = 0
    aws_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    bytes_scanned: int = 0
    seconds: float = 0.0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    guard_calls: int = 0
    guard_units: int = 0
    estimated_calls: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        """Return the sum of two spends."""
        return Spend(**{name: getattr(self, name) + getattr(other, name) for name in Spend.model_fields})

    def minus(self, other: "Spend") -> "Spend":
        """Return what was spent beyond an earlier spend."""
        return Spend(**{name: getattr(self, name) - getattr(other, name) for name in Spend.model_fields})


class CallUse(Record):
    """What one call of a model took; `estimated` by its size where nobody said so."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    usd: float = 0.0
    estimated: bool = False


class GuardUse(Record):
    """What looks of a guard took: calls, and the text units of each policy that is paid for.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailUsage.html
    """

    calls: int = 0
    content_units: int = 0
    topic_units: int = 0
    sensitive_units: int = 0
    grounding_units: int = 0

    @property
    def units(self) -> int:
        """Return the text units that were looked at; policies look at the same text."""
        return max(self.content_units, self.topic_units, self.sensitive_units, self.grounding_units)

    def __add__(self, other: "GuardUse") -> "GuardUse":
        """Return the sum of two uses."""
        return GuardUse(
            **{name: getattr(self, name) + getattr(other, name) for name in GuardUse.model_fields}
        )


class ModelUse(Record):
    """Which model a role used, why that one, under which prompt, and what each of its calls took."""

    role: str
    model_id: str
    prompt_sha256: str
    calls: int = 0
    tier: str = ""
    why: str = ""
    steps: tuple[CallUse, ...] = ()
