"""Errors named by who must react.

CopilotError
├── ToolProblem      the model, which can ask differently
├── Transient        the retry
├── OverAllowance    nobody: what it would have read is named as not checked
└── Misconfigured    the people who run the copilot
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)


class CopilotError(Exception):
    """The root of the copilot's own errors."""


class ToolProblem(CopilotError):
    """A read that failed for a reason the asker can mend: it says what was asked and what AWS answered."""

    def __init__(self, asked: str, answer: str, code: str = "") -> None:
        super().__init__(f"asked: {asked}; AWS answered: {answer}")
        self.asked = asked
        self.answer = answer
        self.code = code


class Transient(CopilotError):
    """A failure that may pass by itself: throttling, a timeout, a broken connection."""


class OverAllowance(CopilotError):
    """A call that one collector may not make any more; `calls` and `metrics` are what it has asked before."""

    def __init__(self, told: str, calls: int, metrics: int) -> None:
        super().__init__(told)
        self.calls = calls
        self.metrics = metrics


class Misconfigured(CopilotError):
    """A setting, credential or permission that is missing; the message says the remedy."""


def not_set_up(error: Exception) -> Misconfigured:
    """Say that something of the copilot's own is missing in the account, and what makes it."""
    return Misconfigured(f"the copilot is not set up in this account: run `cloudops setup` ({error})")


# Compared without case: an error inside an event stream comes in lower camel case.
_TRANSIENT = {
    "throttling",
    "throttlingexception",
    "throttledexception",
    "requestlimitexceeded",
    "provisionedthroughputexceededexception",
    "toomanyrequestsexception",
    "limitexceededexception",
    "internalservererror",
    "internalserverexception",
    "internalfailure",
    "serviceunavailable",
    "serviceunavailableexception",
    "modeltimeoutexception",
    "modelnotreadyexception",
    "modelstreamerrorexception",
    "requesttimeout",
    "transactioncanceledexception",
}
_DENIED = {
    "accessdenied",
    "accessdeniedexception",
    "authorizationerror",
    "unauthorizedoperation",
    "unrecognizedclientexception",
    "invalidclienttokenid",
    "expiredtoken",
    "expiredtokenexception",
    "signaturedoesnotmatch",
}


def error_code(error: Exception) -> str:
    """Return AWS's code of an error, or the class name of one that AWS did not make."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def is_throttled(error: Exception) -> bool:
    """Say whether AWS refused because of rate."""
    code = error_code(error).lower()
    return "throttl" in code or "limitexceeded" in code or "toomanyrequests" in code


def is_denied(error: Exception) -> bool:
    """Say whether AWS refused because of permission or credentials."""
    return error_code(error).lower() in _DENIED


def is_timeout(error: Exception) -> bool:
    """Say whether AWS gave no answer in the time that a call may take."""
    return isinstance(error, ConnectTimeoutError | ReadTimeoutError) or error_code(error) == "RequestTimeout"


def classify(error: ClientError | BotoCoreError, asked: str) -> CopilotError:
    """Turn a botocore error into the copilot's own, by its code."""
    code = error_code(error)
    if code.lower() in _TRANSIENT or isinstance(error, BotoConnectionError | HTTPClientError):
        return Transient(f"asked: {asked}; AWS answered: {error}")
    if isinstance(error, NoCredentialsError):
        return Misconfigured(f"no AWS credentials for: {asked}")
    if is_denied(error):
        return Misconfigured(f"not permitted: {asked}; AWS answered: {error}")
    return ToolProblem(asked, str(error), code)
