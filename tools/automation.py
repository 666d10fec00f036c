"""What starting an SSM Automation document takes, and what the status of an execution says.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecution.html
"""

from tools.actions.base import IamStatement

_SUCCEEDED = frozenset({"Success", "CompletedWithSuccess"})
_FAILED = frozenset(
    {
        "Failed",
        "TimedOut",
        "Cancelled",
        "Rejected",
        "ChangeCalendarOverrideRejected",
        "CompletedWithFailure",
        "Exited",
    }
)


def succeeded(status: str) -> bool | None:
    """Say whether an execution did what it was to do; None while it goes on, as one does that is being cancelled."""
    return True if status in _SUCCEEDED else False if status in _FAILED else None


def starting(ssm: str, document: str, version: str) -> IamStatement:
    """Return what starting a document takes; `ssm` is how the ARNs of its account begin.

    AWS decides on the document and on the executions together, and did on the document's automation definition before
    (https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup-identity-based-policies.html).
    """
    names = (f"automation-definition/{document}:{version}", f"document/{document}", "automation-execution/*")
    return IamStatement(
        actions=("ssm:StartAutomationExecution",), resources=tuple(f"{ssm}:{name}" for name in names)
    )
