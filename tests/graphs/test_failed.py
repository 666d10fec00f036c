"""What a step that failed leaves in the record."""

from typing import cast

from langgraph.errors import NodeError

from graphs.nodes.escalate import on_failure
from memory.records.failure import Failure
from memory.state import IncidentState
from tests.tools.dials import incident


def test_the_words_of_an_error_are_redacted_before_they_are_kept() -> None:
    said = "the request was refused: password=correct-horse-battery-staple"

    command = on_failure(
        cast(IncidentState, {"incident": incident()}), NodeError(node="triage", error=ValueError(said))
    )

    assert isinstance(command.update, dict)
    (failure,) = cast(list[Failure], command.update["failures"])
    assert (failure.step, failure.error) == ("triage", "ValueError")
    assert "correct" not in failure.detail and failure.detail.startswith("the request was refused")
