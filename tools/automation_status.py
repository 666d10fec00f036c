"""What the status of an Automation execution says: over and well, over and not well, or still going on.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecution.html
"""

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
