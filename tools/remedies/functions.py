"""What can be done about a Lambda function: an earlier version behind its alias, or more concurrency."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from memory.records.assessment import Hypothesis
from memory.records.plan import Considered, PlannedAction
from tools.actions.lambda_alias import LambdaShiftAlias
from tools.actions.lambda_concurrency import LambdaSetReservedConcurrency
from tools.actions.lambda_function import FUNCTION, found
from tools.remedies.dead_letters import put_back
from tools.remedies.place import Place
from tools.remedies.shifts import stopped_shift
from tools.trail import LOOKUP_SECONDS

RAISED = 10
"""How many times a reservation is raised that nobody can say was different before."""
_PAGES = 10
# CloudTrail dates them, and LookupEvents matches whole names:
# https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
_RESERVING = tuple(
    f"{event}{date}"
    for event in ("PutFunctionConcurrency", "DeleteFunctionConcurrency")
    for date in ("20171031", "")
)
Found = Iterator[PlannedAction | Considered]


def is_function(place: Place, name: str) -> bool:
    """Say whether the account has a function of that name."""
    if not re.match(FUNCTION, name):
        return False
    client = place.access.client("lambda")
    return found(client.get_function_configuration, FunctionName=name) is not None


def earlier_version(place: Place, cause: Hypothesis) -> Found:
    """Offer, for each alias on the version to blame, the newest version below it with other code."""
    client, function = place.access.client("lambda"), cause.component
    blamed = (cause.change or "").rpartition(":")[2]
    aliases = client.list_aliases(FunctionName=function)["Aliases"]
    shared = frozenset(one["Name"] for one in aliases if _weights(one))
    # An alias that sends all to one version is not being moved bit by bit, so nobody has to be asked.
    moving = (yield from stopped_shift(place, function, blamed, shared)) if shared else shared
    on_it = [one for one in aliases if one["Name"] not in moving and _runs(one, blamed)]
    if not on_it and not moving:
        why = f"no alias of {function} names version {blamed}"
        yield Considered(action=LambdaShiftAlias.name, why_not=why)
        yield from put_back(place, function)
    versions = _versions(client, function)
    for alias in on_it:
        now = alias["FunctionVersion"]
        if blamed and now != blamed:
            yield PlannedAction(
                action=LambdaShiftAlias.name,
                parameters={"function": function, "alias": alias["Name"], "version": now},
                why=f"version {blamed} broke {function}, and {alias['Name']} sends it a share beside version {now}",
            )
            continue
        earlier = [
            number
            for number in sorted(versions, reverse=True)
            if now.isdecimal() and number < int(now) and versions[number] != versions.get(int(now))
        ]
        if not earlier:
            why = f"{function} has no version before {now} with other code"
            yield Considered(action=LambdaShiftAlias.name, why_not=why)
            continue
        yield PlannedAction(
            action=LambdaShiftAlias.name,
            parameters={"function": function, "alias": alias["Name"], "version": str(earlier[0])},
            why=f"version {now} broke {function}; version {earlier[0]} was published before it",
        )


def _runs(alias: Mapping[str, Any], blamed: str) -> bool:
    """Say whether an alias sends invocations to the version to blame, all of them or a share."""
    return not blamed or blamed in (alias["FunctionVersion"], *_weights(alias))


def _weights(alias: Mapping[str, Any]) -> dict[str, float]:
    return (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}


def more_concurrency(place: Place, function: str) -> Found:
    """Offer what the function's reservation was before it was changed, as CloudTrail has it; else a higher one."""
    now = place.access.client("lambda").get_function_concurrency(FunctionName=function)
    reserved = now.get("ReservedConcurrentExecutions")
    if reserved is None:
        why = f"{function} has no reservation; what the account may run at once is raised by AWS alone"
        yield Considered(action=LambdaSetReservedConcurrency.name, why_not=why)
        yield from put_back(place, function)
        return
    told = _reservations(place, function)
    if told:
        before = told[1] if len(told) > 1 else None
        what = "none" if before is None else str(before)
        yield _reserve(function, before, f"{function} may run {reserved} at once; its reservation was {what}")
    higher = max(reserved, 1) * RAISED
    yield _reserve(function, higher, f"{function} may run {reserved} at once, and is held back by that")


def _reserve(function: str, reserved: int | None, why: str) -> PlannedAction:
    parameters = {"function": function, "reserved": reserved}
    return PlannedAction(action=LambdaSetReservedConcurrency.name, parameters=parameters, why=why)


def _versions(client: Any, function: str) -> dict[int, str]:
    """Return the code of each published version."""
    request: dict[str, Any] = {"FunctionName": function}
    published: dict[int, str] = {}
    for _ in range(_PAGES):
        page = client.list_versions_by_function(**request)
        for one in page["Versions"]:
            if one["Version"].isdecimal():
                published[int(one["Version"])] = one["CodeSha256"]
        if not page.get("NextMarker"):
            break
        request["Marker"] = page["NextMarker"]
    return published


def _reservations(place: Place, function: str) -> list[int | None]:
    """Return what the reservation was set to, newest first, as far back as CloudTrail looks; None took it away."""
    trail = place.access.client("cloudtrail")
    told: list[tuple[Any, int | None]] = []
    for number, event in enumerate(_RESERVING):
        time.sleep(LOOKUP_SECONDS if number else 0)
        attribute = [{"AttributeKey": "EventName", "AttributeValue": event}]
        for one in trail.lookup_events(LookupAttributes=attribute, MaxResults=50)["Events"]:
            detail = json.loads(one["CloudTrailEvent"])
            asked = detail.get("requestParameters") or {}
            named = str(asked.get("functionName", "")).rpartition(":")[2]
            if named == function and not detail.get("errorCode"):
                told.append((one["EventTime"], asked.get("reservedConcurrentExecutions")))
    return [value for _, value in sorted(told, key=lambda pair: pair[0], reverse=True)]
