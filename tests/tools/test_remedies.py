"""Remedies are found by what AWS itself calls things."""

import json
from typing import Any

from memory.records.config import Topology
from tests.tools.stand_ins import NOW, ScriptedAccess, StillClock
from tools.remedies.functions import more_concurrency
from tools.remedies.place import Place


class Lambda:
    def get_function_concurrency(self, FunctionName: str) -> Any:
        return {"ReservedConcurrentExecutions": 2}


class Trail:
    """CloudTrail with two changes of one reservation, under the name that AWS gives the event."""

    def lookup_events(self, LookupAttributes: list[Any], **_: Any) -> Any:
        if LookupAttributes[0]["AttributeValue"] != "PutFunctionConcurrency20171031":
            return {"Events": []}
        asked = [{"functionName": "mailer", "reservedConcurrentExecutions": one} for one in (40, 2)]
        return {
            "Events": [
                {
                    "EventTime": NOW.replace(minute=n),
                    "CloudTrailEvent": json.dumps({"requestParameters": one}),
                }
                for n, one in enumerate(asked)
            ]
        }


def test_what_a_reservation_was_is_found_under_the_dated_name_of_its_event() -> None:
    access = ScriptedAccess("us-east-1", clients={"lambda": Lambda(), "cloudtrail": Trail()})

    found = list(more_concurrency(Place(access, Topology(), StillClock()), "mailer"))

    assert found[0].parameters == {"function": "mailer", "reserved": 40}
