"""OpsItems: what a team has to look into.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateOpsItem.html
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from simulator.ssm.ops_item_filters import passes
from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import ACCOUNT, REGION, AwsError, Call

_DEDUP = "/aws/dedup"
_RESERVED = ("aws", "amazon", "amzn")
_STATUSES = frozenset({"Open", "InProgress", "Resolved"})
_SEVERITIES = frozenset({"1", "2", "3", "4"})
_KEPT = (
    "Description",
    "Title",
    "Source",
    "Priority",
    "Category",
    "Severity",
    "Notifications",
    "RelatedOpsItems",
)
_UNSIMULATED = ("AccountId", "ActualStartTime", "ActualEndTime", "PlannedStartTime", "PlannedEndTime")
_NOT_IN_SUMMARY = frozenset({"Description", "Notifications", "RelatedOpsItems", "Version", "OpsItemArn"})
_PAGE = 50


class OpsItems:
    """Answers the operations on OpsItems."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Any]] = {}

    def answers(self) -> dict[str, Callable[[Call], Awaitable[Mapping[str, Any]]]]:
        """Each operation with what answers it."""
        return {
            "CreateOpsItem": self._create,
            "GetOpsItem": self._get,
            "UpdateOpsItem": self._update,
            "DescribeOpsItems": self._describe,
        }

    async def _create(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        _check(given)
        if any(one in given["Source"].lower() for one in _RESERVED):
            raise _invalid("Source must not contain aws, amazon or amzn.", ["Source"])
        if given.get("OpsItemType", "/aws/issue") != "/aws/issue":
            raise _invalid("Only OpsItems of type /aws/issue are simulated.", ["OpsItemType"])
        data = given.get("OperationalData", {})
        self._refuse_duplicate(data)
        ops_item_id = f"oi-{len(self._items) + 1:012x}"
        self._items[ops_item_id] = {
            "OpsItemId": ops_item_id,
            "OpsItemArn": f"arn:aws:ssm:{REGION}:{ACCOUNT}:opsitem/{ops_item_id}",
            "OpsItemType": "/aws/issue",
            "Status": "Open",
            "Version": "1",
            "CreatedBy": call.caller_arn,
            "CreatedTime": call.at,
            "OperationalData": dict(data),
            **{name: given[name] for name in _KEPT if name in given},
            **_modified(call),
        }
        return {"OpsItemId": ops_item_id, "OpsItemArn": self._items[ops_item_id]["OpsItemArn"]}

    async def _get(self, call: Call) -> Mapping[str, Any]:
        return {"OpsItem": self._named(call)}

    async def _update(self, call: Call) -> Mapping[str, Any]:
        given, item = call.parameters, self._named(call)
        _check(given)
        if given.get("Status", "Open") not in _STATUSES:
            raise _invalid(f"Status {given['Status']} is not valid for this OpsItem.", ["Status"])
        data = {**item["OperationalData"], **given.get("OperationalData", {})}
        for key in given.get("OperationalDataToDelete", []):
            data.pop(key, None)
        changed = {name: given[name] for name in (*_KEPT, "Status") if name in given}
        version = str(int(item["Version"]) + 1)
        self._items[item["OpsItemId"]] = {
            **item,
            **changed,
            "OperationalData": data,
            "Version": version,
            **_modified(call),
        }
        return {}

    async def _describe(self, call: Call) -> Mapping[str, Any]:
        given = call.parameters
        found = [
            {name: value for name, value in one.items() if name not in _NOT_IN_SUMMARY}
            for one in reversed(self._items.values())
            if all(passes(one, item) for item in given.get("OpsItemFilters", []))
        ]
        try:
            shown, token = page(found, given.get("NextToken"), min(given.get("MaxResults", _PAGE), _PAGE))
        except UnknownTokenError as error:
            raise AwsError("ValidationException", "The specified token isn't valid.") from error
        return {"OpsItemSummaries": shown, "NextToken": token}

    def _named(self, call: Call) -> dict[str, Any]:
        found = self._items.get(call.parameters["OpsItemId"])
        if found is None:
            message = f"OpsItem ID {call.parameters['OpsItemId']} not found."
            raise AwsError("OpsItemNotFoundException", message)
        return found

    def _refuse_duplicate(self, data: Mapping[str, Mapping[str, str]]) -> None:
        """Refuse a second OpsItem with the deduplication string of one that is not resolved."""
        wanted = _dedup_string(data)
        if wanted is None:
            return
        for item in self._items.values():
            if item["Status"] != "Resolved" and _dedup_string(item["OperationalData"]) == wanted:
                message = f"An OpsItem already exists with the deduplication string {wanted}."
                raise AwsError(
                    "OpsItemAlreadyExistsException", message, fields={"OpsItemId": item["OpsItemId"]}
                )


def _check(given: Mapping[str, Any]) -> None:
    unsimulated = [name for name in _UNSIMULATED if name in given]
    if unsimulated:
        raise _invalid(f"Not supported: {', '.join(unsimulated)}", unsimulated)
    if given.get("Severity", "1") not in _SEVERITIES:
        raise _invalid("Severity must be 1, 2, 3 or 4.", ["Severity"])
    for key in given.get("OperationalData", {}):
        if key.startswith(("/amazon", "/aws", "/amzn")) and key not in (_DEDUP, "/aws/resources"):
            raise _invalid(f"The key {key} is reserved.", ["OperationalData"])


def _modified(call: Call) -> dict[str, str | datetime]:
    return {"LastModifiedBy": call.caller_arn, "LastModifiedTime": call.at}


def _dedup_string(data: Mapping[str, Mapping[str, str]]) -> str | None:
    try:
        found = json.loads(data.get(_DEDUP, {}).get("Value", "{}"))
    except ValueError as error:
        raise _invalid(f"{_DEDUP} is not JSON.", ["OperationalData"]) from error
    text = found.get("dedupString") if isinstance(found, dict) else None
    return str(text) if text else None


def _invalid(message: str, names: list[str]) -> AwsError:
    return AwsError("OpsItemInvalidParameterException", message, fields={"ParameterNames": names})
