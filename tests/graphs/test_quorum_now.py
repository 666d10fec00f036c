"""The settings' quorum holds for what an action touches when it is done, not for what was asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from graphs.autonomy import QuorumRow
from graphs.bootstrap import open_copilot, open_runs
from graphs.runs import InProcessRuns
from memory.records.incident import Status
from tests.graphs.desk import Desk, desk


@pytest.mark.slow
def test_who_was_enough_when_asked_is_not_where_the_settings_want_more_by_now(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        waiting = at.start()
        assert waiting.approval is not None and waiting.approval.quorum == 1
        stricter = at.records.settings.autonomy.model_copy(
            update={"simulated_approvers": 9, "quorum": (QuorumRow(approvers=2),)}
        )
        records = replace(at.records, settings=at.records.settings.model_copy(update={"autonomy": stricter}))
        copilot = open_copilot(records)
        runs = open_runs(records, copilot)
        assert isinstance(runs, InProcessRuns)

        Desk(at.account, records, copilot, runs).decide(waiting, approved=True)

        ended = at.record(waiting.incident.incident_id)
        assert (ended.status, at.writes()) == (Status.ESCALATED, [])
        assert "2 people have to approve that, and 1 approved it" in ended.reason
        percent = waiting.approval.blast_percents[0]
        assert f"it touches {percent} % now, and {percent} % when approval was asked" in ended.reason
