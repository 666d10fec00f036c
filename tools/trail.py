"""Find CloudTrail's event of a call by the name of the session that made it.

Management events appear within about five minutes, and LookupEvents takes two calls a second
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html), so one look is one call.
"""

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.aws.access import AwsAccess

LOOKUP_SECONDS = 0.51
"""How long to wait between two look-ups, so that CloudTrail answers both."""
_MARGIN = timedelta(minutes=5)
_NO_CHANGE = frozenset({"sts.amazonaws.com"})


def find_event(access: AwsAccess, session: str, at: datetime) -> str | None:
    """Return the id of the change that a session made, or None while CloudTrail has it not or cannot be asked."""
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": session}],
        "StartTime": at - _MARGIN,
        "MaxResults": 50,
    }
    try:
        events = access.client("cloudtrail").lookup_events(**request)["Events"]
    except (ClientError, BotoCoreError):
        return None
    made = [
        one
        for one in events
        if str(one.get("ReadOnly")).lower() == "false" and one.get("EventSource") not in _NO_CHANGE
    ]
    return str(max(made, key=lambda one: one["EventTime"])["EventId"]) if made else None
