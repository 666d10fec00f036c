"""What was approved outside of a freeze is not done within one that has begun since."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graphs.autonomy import Freeze
from graphs.bootstrap import open_copilot, open_runs
from graphs.runs import InProcessRuns
from memory.records.incident import Status
from tests.graphs.desk import Desk, desk

CALENDAR = "NoChanges"
CLOSED = "\r\n".join(
    (
        "BEGIN:VCALENDAR",
        "PRODID:-//AWS//Change Calendar 1.0//EN",
        "VERSION:2.0",
        "X-CALENDAR-TYPE:DEFAULT_CLOSED",
        "END:VCALENDAR",
        "",
    )
)


def _with(at: Desk, **autonomy: Any) -> Desk:
    """The same desk under other settings, as a deployment in between would bring them."""
    changed = at.records.settings.autonomy.model_copy(update=autonomy)
    records = replace(at.records, settings=at.records.settings.model_copy(update={"autonomy": changed}))
    copilot = open_copilot(records)
    runs = open_runs(records, copilot)
    assert isinstance(runs, InProcessRuns)
    return Desk(at.account, records, copilot, runs, at.event)


def _year(at: Desk) -> Freeze:
    now = at.records.clock.now()
    return Freeze(name="year", begins=now - timedelta(hours=1), ends=now + timedelta(days=1))


@pytest.mark.slow
def test_a_freeze_that_began_after_people_were_asked_stops_what_they_approved(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        assert waiting.approval is not None and waiting.approval.freeze == ""

        _with(at, freezes=(_year(at),)).decide(waiting, approved=True)

        ended = at.record(waiting.incident.incident_id)
        assert (ended.status, at.writes()) == (Status.ESCALATED, [])
        assert "the freeze year holds; that was not so when approval was asked" in ended.reason


@pytest.mark.slow
def test_what_people_approve_while_a_change_calendar_is_closed_is_done(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        at.account.client("ssm").create_document(
            Name=CALENDAR, Content=CLOSED, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
        )
        frozen = _with(at, change_calendars=(CALENDAR,))
        waiting = frozen.start()
        said = f"the change calendar {CALENDAR} is closed"
        assert waiting.approval is not None and waiting.approval.freeze == said
        assert [one.freeze for one in waiting.reviews] == [said]

        frozen.decide(waiting, approved=True)

        assert frozen.writes() == ["UpdateService"]
