"""OpsItems and change calendars.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateOpsItem.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.clock import AccountClock
from simulator.ssm.overlay import AutomationOverlay
from tests.simulator.automation_account import START, Desk, code_of
from tests.simulator.overlay_host import CALLER, Host, hosted

FREEZE = """BEGIN:VCALENDAR
PRODID:-//AWS//Change Calendar 1.0//EN
VERSION:2.0
X-CALENDAR-TYPE:{kind}
BEGIN:VEVENT
SUMMARY:Freeze
 of the season
DTSTART;TZID=Europe/Berlin:20261124T100000
DTEND;TZID=Europe/Berlin:20261124T120000
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    clock = AccountClock(START)
    host = Host(clock)
    automation = AutomationOverlay(clock, host.client)
    with hosted(host, [automation]):
        yield Desk(host, automation)


def item(desk: Desk, **given: Any) -> str:
    asked = {"Title": "Checkout fails", "Source": "copilot", "Description": "5xx of checkout"}
    return str(desk.ssm.create_ops_item(**{**asked, **given})["OpsItemId"])


def found(desk: Desk, key: str, operator: str, *values: str) -> set[str]:
    filters = [{"Key": key, "Operator": operator, "Values": list(values)}]
    answer = desk.ssm.describe_ops_items(OpsItemFilters=filters)
    return {one["OpsItemId"] for one in answer["OpsItemSummaries"]}


def test_an_ops_item_is_made_changed_and_resolved(desk: Desk) -> None:
    data = {"run": {"Value": "inc-7", "Type": "SearchableString"}, "note": {"Value": "x", "Type": "String"}}
    ops_item_id = item(desk, Severity="2", Priority=1, Category="Availability", OperationalData=data)
    desk.advance(minutes=5)

    desk.ssm.update_ops_item(
        OpsItemId=ops_item_id,
        Status="Resolved",
        OperationalData={"fix": {"Value": "rollback", "Type": "String"}},
        OperationalDataToDelete=["note"],
    )
    described = desk.ssm.get_ops_item(OpsItemId=ops_item_id)["OpsItem"]

    assert (described["Status"], described["Severity"], described["Version"]) == ("Resolved", "2", "2")
    assert set(described["OperationalData"]) == {"run", "fix"}
    assert described["CreatedBy"] == CALLER
    assert (described["LastModifiedTime"] - described["CreatedTime"]).total_seconds() == 300
    assert described["OpsItemArn"].endswith(f":opsitem/{ops_item_id}")


def test_ops_items_are_found_by_what_they_say(desk: Desk) -> None:
    data = {"service": {"Value": "payments", "Type": "SearchableString"}}
    first = item(desk, Title="Payments are slow", Severity="3", OperationalData=data)
    second = item(desk, Title="Queue grows", Source="pager", Severity="1")
    desk.ssm.update_ops_item(OpsItemId=second, Status="InProgress")

    assert found(desk, "Title", "Contains", "slow") == {first}
    assert found(desk, "Status", "Equal", "InProgress") == {second}
    assert found(desk, "Source", "Equal", "pager", "nobody") == {second}
    assert found(desk, "OpsItemId", "Equal", first) == {first}
    pair = json.dumps({"key": "service", "value": "payments"})
    assert found(desk, "OperationalData", "Equal", pair) == {first}
    assert {first, second} <= found(desk, "CreatedTime", "GreaterThan", "2026-11-23T08:00:00Z")
    assert found(desk, "CreatedTime", "LessThan", "2026-11-23T08:00:00Z") == set()
    page = desk.ssm.describe_ops_items(MaxResults=1)
    assert page["OpsItemSummaries"][0]["OpsItemId"] == second
    following = desk.ssm.describe_ops_items(MaxResults=1, NextToken=page["NextToken"])
    assert following["OpsItemSummaries"][0]["OpsItemId"] == first
    wrong = [{"Key": "Status", "Operator": "Contains", "Values": ["Open"]}]
    assert code_of(desk.ssm.describe_ops_items, OpsItemFilters=wrong) == "ValidationException"


def test_the_same_thing_is_one_ops_item_until_it_is_resolved(desk: Desk) -> None:
    data = {"/aws/dedup": {"Value": '{"dedupString": "alarm-1"}', "Type": "SearchableString"}}
    first = item(desk, OperationalData=data)

    with pytest.raises(desk.ssm.exceptions.OpsItemAlreadyExistsException) as error:
        item(desk, OperationalData=data)
    assert error.value.response["OpsItemId"] == first
    desk.ssm.update_ops_item(OpsItemId=first, Status="Resolved")
    assert item(desk, OperationalData=data) != first


@pytest.mark.parametrize(
    "given",
    [
        {"Source": "my-aws-tool"},
        {"Severity": "5"},
        {"OpsItemType": "/aws/changerequest"},
        {"OperationalData": {"/aws/automations": {"Value": "x", "Type": "String"}}},
        {"OperationalData": {"/aws/dedup": {"Value": "no json", "Type": "SearchableString"}}},
        {"AccountId": "210987654321"},
    ],
)
def test_an_ops_item_that_cannot_be_is_refused(desk: Desk, given: dict[str, Any]) -> None:
    asked = {"Title": "t", "Source": "copilot", "Description": "d", **given}
    assert code_of(desk.ssm.create_ops_item, **asked) == "OpsItemInvalidParameterException"


def test_what_is_no_ops_item_is_refused(desk: Desk) -> None:
    assert code_of(desk.ssm.get_ops_item, OpsItemId="oi-000000000999") == "OpsItemNotFoundException"
    assert code_of(desk.ssm.update_ops_item, OpsItemId="oi-000000000999") == "OpsItemNotFoundException"
    wrong = {"OpsItemId": item(desk), "Status": "PendingApproval"}
    assert code_of(desk.ssm.update_ops_item, **wrong) == "OpsItemInvalidParameterException"


def calendar(desk: Desk, name: str, kind: str) -> str:
    content = FREEZE.format(kind=kind)
    asked = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
    desk.ssm.create_document(Name=name, Content=content, **asked)
    return name


def test_a_calendar_is_closed_while_its_event_lasts(desk: Desk) -> None:
    name = calendar(desk, "freeze", "DEFAULT_OPEN")

    now = desk.ssm.get_calendar_state(CalendarNames=[name])
    during = desk.ssm.get_calendar_state(CalendarNames=[name], AtTime="2026-11-24T09:30:00Z")
    after = desk.ssm.get_calendar_state(CalendarNames=[name], AtTime="2026-11-24T11:00:00Z")

    assert (now["State"], now["NextTransitionTime"]) == ("OPEN", "2026-11-24T09:00:00Z")
    assert (during["State"], during["NextTransitionTime"]) == ("CLOSED", "2026-11-24T11:00:00Z")
    assert (after["State"], after.get("NextTransitionTime")) == ("OPEN", None)
    assert desk.ssm.describe_document(Name=name)["Document"]["DocumentType"] == "ChangeCalendar"


def test_several_calendars_are_open_where_all_are(desk: Desk) -> None:
    names = [calendar(desk, "closed-then", "DEFAULT_OPEN"), calendar(desk, "open-then", "DEFAULT_CLOSED")]

    for at in ("2026-11-24T08:00:00Z", "2026-11-24T09:30:00Z"):
        answer = desk.ssm.get_calendar_state(CalendarNames=names, AtTime=at)
        assert (answer["State"], answer.get("NextTransitionTime")) == ("CLOSED", None)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("X-CALENDAR-TYPE:{kind}", "X-CALENDAR-TYPE:SOMETIMES"),
        ("SUMMARY:Freeze", "RRULE:FREQ=DAILY"),
        ("20261124T120000", "20261124T090000"),
        ("DTEND;TZID=Europe/Berlin", "DTEND;TZID=Nowhere/Here"),
        ("20261124T120000", "soon"),
        ("END:VCALENDAR", ""),
    ],
)
def test_what_is_no_calendar_is_refused(desk: Desk, line: str, other: str) -> None:
    content = FREEZE.replace(line, other).format(kind="DEFAULT_OPEN")
    asked = {"Name": "broken", "DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT", "Content": content}
    assert code_of(desk.ssm.create_document, **asked) == "InvalidDocumentContent"


def test_only_calendars_have_a_state_and_only_runbooks_run(desk: Desk) -> None:
    runbook = desk.document([{"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT1M"}}])
    name = calendar(desk, "not-a-runbook", "DEFAULT_OPEN")

    assert code_of(desk.ssm.get_calendar_state, CalendarNames=[runbook]) == "InvalidDocumentType"
    assert code_of(desk.ssm.get_calendar_state, CalendarNames=["missing"]) == "InvalidDocument"
    wrong = {"CalendarNames": [name], "AtTime": "soon"}
    assert code_of(desk.ssm.get_calendar_state, **wrong) == "ValidationException"
    started = code_of(desk.ssm.start_automation_execution, DocumentName=name)
    assert started == "AutomationDefinitionNotFoundException"
