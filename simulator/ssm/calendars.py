"""Change calendars: iCalendar documents that say when changes may be made.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html
Events that recur are refused when the document is made: RRULE is not simulated.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator.wire.protocol import AwsError

_TYPES = {"DEFAULT_OPEN": True, "DEFAULT_CLOSED": False}
_RECURRING = ("RRULE", "RDATE", "EXDATE", "EXRULE")


@dataclass(frozen=True)
class Calendar:
    """When a calendar is open by default, and when it is the other way round."""

    is_open_by_default: bool
    events: tuple[tuple[datetime, datetime], ...]

    def is_open(self, at: datetime) -> bool:
        """Whether changes may be made at a time."""
        return self.is_open_by_default is not any(begin <= at < end for begin, end in self.events)


def next_change(calendars: Sequence[Calendar], at: datetime) -> datetime | None:
    """When the state of all calendars together becomes another one; None where it never does."""
    now = is_open(calendars, at)
    moments = {moment for one in calendars for event in one.events for moment in event if moment > at}
    return next((one for one in sorted(moments) if is_open(calendars, one) is not now), None)


def is_open(calendars: Sequence[Calendar], at: datetime) -> bool:
    """Whether every one of the calendars is open."""
    return all(one.is_open(at) for one in calendars)


def parse_calendar(content: str) -> Calendar:
    """The calendar that an iCalendar text holds, or InvalidDocumentContent."""
    lines = re.sub(r"\r?\n[ \t]", "", content).splitlines()
    if not lines or lines[0].strip() != "BEGIN:VCALENDAR" or "END:VCALENDAR" not in lines:
        raise _invalid("Content is not an iCalendar")
    kind = next((one.partition(":")[2].strip() for one in lines if one.startswith("X-CALENDAR-TYPE:")), "")
    if kind not in _TYPES:
        raise _invalid("X-CALENDAR-TYPE must be DEFAULT_OPEN or DEFAULT_CLOSED")
    return Calendar(_TYPES[kind], tuple(_event(one) for one in _events(lines)))


def _events(lines: list[str]) -> Iterator[Mapping[str, tuple[str, str]]]:
    """The properties of each event: parameters and value by name."""
    event: dict[str, tuple[str, str]] | None = None
    for line in lines:
        if line.strip() == "BEGIN:VEVENT":
            event = {}
        elif line.strip() == "END:VEVENT" and event is not None:
            yield event
            event = None
        elif event is not None and ":" in line:
            named, _, value = line.partition(":")
            name, _, parameters = named.partition(";")
            event[name.upper()] = parameters, value.strip()


def _event(properties: Mapping[str, tuple[str, str]]) -> tuple[datetime, datetime]:
    recurring = [name for name in _RECURRING if name in properties]
    if recurring:
        raise _invalid(f"Recurring events are not simulated: {recurring[0]}")
    if "DTSTART" not in properties or "DTEND" not in properties:
        raise _invalid("Each event needs DTSTART and DTEND")
    begin, end = _moment(*properties["DTSTART"]), _moment(*properties["DTEND"])
    if end <= begin:
        raise _invalid("An event must end after it begins")
    return begin, end


def _moment(parameters: str, value: str) -> datetime:
    zone = dict(one.partition("=")[::2] for one in parameters.split(";")).get("TZID", "UTC")
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise _invalid(f"Not a time of iCalendar: {parameters}:{value}") from error


def moment_of(text: str) -> datetime:
    """A time that GetCalendarState is asked about, in ISO 8601."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise AwsError("ValidationException", f"AtTime is not in ISO 8601 format: {text}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def written(moment: datetime) -> str:
    """A time as GetCalendarState writes it."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return whole.isoformat().replace("+00:00", "Z")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidDocumentContent", message)
