"""What can go wrong when a model is asked, by code, said once.

ChatBedrockConverse raises botocore's errors as they come, mid-stream ones with their codes in lower camel case. A
caller sees one `ModelFailure` and goes on without the model.
"""

from enum import StrEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)
from langchain.agents.structured_output import StructuredOutputError
from langchain_core.exceptions import ContextOverflowError, OutputParserException
from langgraph.errors import GraphRecursionError
from pydantic import ValidationError

from memory.records.base import Record
from tools.errors import CopilotError, error_code, is_denied, is_throttled


class BudgetSpent(CopilotError):
    """A limit on steps, tokens, dollars or seconds was reached; the message says which."""


class AnswerUnusable(CopilotError):
    """The model answered, and not with what was asked for."""


class GuardrailStopped(CopilotError):
    """A guardrail put words of its own in the place of a request or an answer."""


class WentInCircles(CopilotError):
    """A model asked for the same again and again, or for what it may not read, after it was told."""


class Fault(StrEnum):
    """Why there is no answer, named by who can react."""

    BUSY = "busy"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CUT_OFF = "cut_off"
    DENIED = "denied"
    MISCONFIGURED = "misconfigured"
    TOO_LONG = "too_long"
    UNUSABLE = "unusable"
    BLOCKED = "blocked"
    BUDGET = "budget"
    CIRCLES = "circles"


class ModelFailure(Record):
    """One failed attempt to get an answer."""

    fault: Fault
    detail: str

    @property
    def is_blocked(self) -> bool:
        """Say whether a guardrail stopped it."""
        return self.fault is Fault.BLOCKED

    @property
    def sentence(self) -> str:
        """Say it so that a reader of the incident knows what is missing."""
        return f"{_WORDS[self.fault]} ({self.detail})"


# What may be raised between asking a model and holding its parsed answer.
MODEL_ERRORS = (
    ClientError,
    BotoCoreError,
    ConnectionError,
    TimeoutError,
    ContextOverflowError,
    StructuredOutputError,
    OutputParserException,
    ValidationError,
    GraphRecursionError,
    BudgetSpent,
    AnswerUnusable,
    GuardrailStopped,
    WentInCircles,
)

_WORDS = {
    Fault.BUSY: "the model service was too busy",
    Fault.UNREACHABLE: "the model could not be reached",
    Fault.TIMED_OUT: "the model did not answer in time",
    Fault.CUT_OFF: "the model's answer broke off",
    Fault.DENIED: "the model may not be used with these credentials",
    Fault.MISCONFIGURED: "the model is not set up as configured",
    Fault.TOO_LONG: "the facts were too long for the model",
    Fault.UNUSABLE: "the model's answer could not be used",
    Fault.BLOCKED: "a guardrail stopped the model's answer",
    Fault.BUDGET: "the limit on model work was reached",
    Fault.CIRCLES: "the model went in circles",
}
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
# Compared without case: in a stream a code comes in lower camel case. Botocore's own errors go by their class.
_BY_CODE = {
    "throttlingexception": Fault.BUSY,
    "modelnotreadyexception": Fault.BUSY,
    "servicequotaexceededexception": Fault.BUSY,
    "serviceunavailableexception": Fault.UNREACHABLE,
    "internalserverexception": Fault.UNREACHABLE,
    "modeltimeoutexception": Fault.TIMED_OUT,
    "readtimeouterror": Fault.TIMED_OUT,
    "modelstreamerrorexception": Fault.CUT_OFF,
    "modelerrorexception": Fault.UNUSABLE,
    "responsestreamingerror": Fault.CUT_OFF,
    # What the client raises for a stream that ends without its last message.
    "connectionerror": Fault.CUT_OFF,
    "validationexception": Fault.MISCONFIGURED,
    "resourcenotfoundexception": Fault.MISCONFIGURED,
    "accountsuspended": Fault.MISCONFIGURED,
}
# What may be different a moment later. Not a read timeout: the answer that was not waited for is paid all the same,
# and asking again takes as long again.
_PASSING = frozenset({Fault.BUSY, Fault.UNREACHABLE, Fault.CUT_OFF})
_ANSWERED = frozenset({Fault.TIMED_OUT, Fault.CUT_OFF})
_DETAIL_CHARS = 300


def failure_of(error: Exception) -> ModelFailure:
    """Classify an error of `MODEL_ERRORS` by its code."""
    return ModelFailure(fault=_fault(error), detail=_detail(error))


def passes(error: Exception) -> bool:
    """Say whether to ask again may help. This is the only place that says so: the model's client sends once."""
    return isinstance(error, MODEL_ERRORS) and _fault(error) in _PASSING


def may_be_paid(error: BaseException) -> bool:
    """Say whether a call that failed may have been answered in part, and so be paid for; what AWS refuses is not."""
    if not isinstance(error, MODEL_ERRORS) or isinstance(
        error, EndpointConnectionError | ConnectTimeoutError
    ):
        return False
    fault = _fault(error)
    return fault in _ANSWERED or (fault is Fault.UNREACHABLE and isinstance(error, BotoCoreError))


def _fault(error: Exception) -> Fault:
    if isinstance(error, BudgetSpent | GraphRecursionError):
        return Fault.BUDGET
    if isinstance(error, WentInCircles):
        return Fault.CIRCLES
    if isinstance(error, GuardrailStopped):
        return Fault.BLOCKED
    if isinstance(error, ContextOverflowError):
        return Fault.TOO_LONG
    if isinstance(error, StructuredOutputError | OutputParserException | ValidationError | AnswerUnusable):
        return Fault.UNUSABLE
    if isinstance(error, NoCredentialsError | PartialCredentialsError) or is_denied(error):
        return Fault.DENIED
    named = _BY_CODE.get(error_code(error).lower())
    return named or (Fault.BUSY if is_throttled(error) else Fault.UNREACHABLE)


def _detail(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error_code(error)}: {error.response.get('Error', {}).get('Message', '')}"[:_DETAIL_CHARS]
    return (str(error) or type(error).__name__).splitlines()[0][:_DETAIL_CHARS]
