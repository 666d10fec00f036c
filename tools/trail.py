"""Find CloudTrail's event of a call by the name of the session that made it, and note it.

Management events appear within about five minutes and may take longer, and LookupEvents takes two calls a second
(https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html). It shows no data events; the
calls of the catalogue's actions are none.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from memory.records.scope import Scope
from memory.records.trace import Trace, TraceState
from memory.stores.traces import FIRST_LOOK, Owed, TraceStore
from tools.aws.access import AwsAccess
from tools.errors import error_code

LOOKUP_SECONDS = 0.51
"""How long to wait between two look-ups, so that CloudTrail answers both."""
LATEST = timedelta(hours=24)
"""What CloudTrail does not have by then counts as missing."""
MOST_BETWEEN = timedelta(hours=1)
MOST_UNANSWERED = 24
"""So many looks, the last of them after `LATEST`, are made where CloudTrail does not answer."""
_MARGIN = timedelta(minutes=5)
_PAGES = 4
_NO_CHANGE = frozenset({"sts.amazonaws.com"})
Wait = Callable[[float], None]


@dataclass(frozen=True)
class Looked:
    """What a look found: an event's id, nothing, or, in `unasked`, why CloudTrail did not answer."""

    event_id: str | None = None
    unasked: str = ""


def find_event(access: AwsAccess, session: str, since: datetime, wait: Wait = time.sleep) -> Looked:
    """Look for the change that a session made. Of several it is the first that AWS did not refuse.

    An attempt may have been repeated, and what a document's steps do stands under the name of its caller too.
    """
    request: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": session}],
        "StartTime": since - _MARGIN,
        "MaxResults": 50,
    }
    events: list[Mapping[str, Any]] = []
    try:
        for page in range(_PAGES):
            wait(LOOKUP_SECONDS if page else 0)
            answer = access.client("cloudtrail").lookup_events(**request)
            events += answer["Events"]
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
    except (ClientError, BotoCoreError) as error:
        return Looked(unasked=error_code(error))
    made = [
        one
        for one in events
        if str(one.get("ReadOnly")).lower() == "false" and one.get("EventSource") not in _NO_CHANGE
    ]
    # They come newest first, and a second may hold several.
    first = min(reversed(made), key=lambda one: (_was_refused(one), one["EventTime"]), default=None)
    return Looked(str(first["EventId"]) if first else None)


def look_for(
    access: AwsAccess, traces: TraceStore, scope: Scope, owed: Owed, now: datetime, wait: Wait = time.sleep
) -> TraceState:
    """Look once for a call's event, note in the audit what came of it, and return how far the search is."""
    looked = find_event(access, owed.trace.session, owed.trace.since, wait)
    ended = _ended(owed.trace, looked, now)
    if ended is None or not traces.settle(scope, owed, ended, now):
        return TraceState.OWED
    return ended.state


def next_look(trace: Trace, now: datetime) -> datetime:
    """Return when a call is looked for again, should this look not find it: ever later, up to an hour."""
    return now + min(FIRST_LOOK * int(2 ** min(trace.looks, 8)), MOST_BETWEEN)


def _ended(trace: Trace, looked: Looked, now: datetime) -> Trace | None:
    """Return a search with its end, or None while it goes on."""
    if looked.event_id is not None:
        return trace.model_copy(update={"state": TraceState.FOUND, "event_id": looked.event_id})
    age = now - trace.settled_at
    if age < LATEST:
        return None
    hours = f"{age.total_seconds() / 3600:.0f} hours after the call"
    if not looked.unasked:
        detail = f"CloudTrail did not have it {hours}: nothing but this audit shows that the call was made"
        return trace.model_copy(update={"state": TraceState.ABSENT, "detail": detail})
    if trace.looks < MOST_UNANSWERED:
        return None
    detail = f"{trace.looks} looks in {hours} were not answered, the last with {looked.unasked}"
    return trace.model_copy(update={"state": TraceState.UNASKED, "detail": detail})


def _was_refused(event: Mapping[str, Any]) -> bool:
    try:
        told = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return False
    return isinstance(told, Mapping) and "errorCode" in told
