"""A document on the team's list is offered for the causes it stands there for, and with what the cause gives alone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from memory.records.assessment import CauseKind, Hypothesis
from memory.records.config import Topology
from memory.records.plan import Considered, PlannedAction
from memory.retrieval import FOLDER, parse_runbook
from tests.tools.stand_ins import ScriptedAccess, StillClock
from tools.actions.ssm_document import AllowedDocument, SsmRunDocument, read_allowed
from tools.remedies.documents import listed_documents
from tools.remedies.place import Place


class Ssm:
    """Systems Manager with documents, and what was run of them."""

    def __init__(self, *executions: str) -> None:
        self.executions = executions

    def get_document(self, Name: str, DocumentVersion: str) -> dict[str, Any]:
        if Name == "Gone":
            raise ClientError({"Error": {"Code": "InvalidDocument", "Message": "gone"}}, "GetDocument")
        return {"Status": "Active", "DocumentVersion": DocumentVersion, "Content": "x"}

    def describe_automation_executions(self, Filters: list[Any], MaxResults: int) -> dict[str, Any]:
        (name,) = Filters[0]["Values"]
        told = [
            {"AutomationExecutionId": one, "DocumentName": name, "ExecutionStartTime": number}
            for number, one in enumerate(self.executions)
        ]
        return {"AutomationExecutionMetadataList": told}

    def get_automation_execution(self, AutomationExecutionId: str) -> dict[str, Any]:
        return {"AutomationExecution": {"AutomationExecutionStatus": "Success"}}


OWN = "0f6c2b1a-0000-4000-8000-000000000001"


class Crowded(Ssm):
    """Systems Manager in which a document with a longer name was run more often and later."""

    others = 25

    def describe_automation_executions(
        self, Filters: list[Any], MaxResults: int, NextToken: str = "0"
    ) -> dict[str, Any]:
        (name,) = Filters[0]["Values"]
        told = [
            {
                "AutomationExecutionId": f"other-{n}",
                "DocumentName": f"{name}-All",
                "ExecutionStartTime": 99 - n,
            }
            for n in range(self.others)
        ]
        told.append({"AutomationExecutionId": OWN, "DocumentName": name, "ExecutionStartTime": 1})
        at = int(NextToken)
        more = {"NextToken": str(at + MaxResults)} if at + MaxResults < len(told) else {}
        return {"AutomationExecutionMetadataList": told[at : at + MaxResults], **more}

    def get_automation_execution(self, AutomationExecutionId: str) -> dict[str, Any]:
        return {"AutomationExecution": {"AutomationExecutionStatus": "InProgress"}}


def test_an_execution_under_way_is_seen_behind_those_of_a_longer_name() -> None:
    listed = document(sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    action = SsmRunDocument((listed,))
    params = action.parameters(document="Widen", values={"Table": "t"}, after=OWN)

    state = action.read_state(ScriptedAccess("us-east-1", clients={"ssm": Crowded()}), params)

    assert (state["newest"], action.problems(params, state)) == (OWN, ("an execution of it is under way",))


def test_where_its_executions_cannot_be_reached_a_document_is_not_run() -> None:
    crowded = Crowded()
    crowded.others = 1000
    listed = document(sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    action = SsmRunDocument((listed,))
    params = action.parameters(document="Widen", values={"Table": "t"}, after="")

    state = action.read_state(ScriptedAccess("us-east-1", clients={"ssm": crowded}), params)

    assert action.problems(params, state) == ("it was run since it was looked at",)


def document(name: str = "Widen", **changed: Any) -> AllowedDocument:
    whole: dict[str, Any] = {
        "name": name,
        "version": "1",
        "sha256": "0",
        "purpose": "makes a table wider",
        "seconds": 60,
        "share": 0.0,
        "parameters": {"Table": ".+"},
        "permissions": (),
        "example": {"Table": "t"},
        "answers": ("capacity:WriteCapacityUnits",),
        "from_cause": {"Table": "component"},
    }
    return AllowedDocument.model_validate({**whole, **changed})


def found(*allowed: AllowedDocument, change: str = "WriteCapacityUnits", ssm: Ssm | None = None) -> list[Any]:
    place = Place(ScriptedAccess("us-east-1", clients={"ssm": ssm or Ssm()}), Topology(), StillClock())
    cause = Hypothesis(
        kind=CauseKind.CAPACITY, component="orders", change=change, statement="s", confidence=0.9
    )
    return list(listed_documents(place, cause, "too small", SsmRunDocument(allowed)))


def test_a_document_that_answers_a_cause_is_offered_with_what_the_cause_gives() -> None:
    (offer,) = found(document(), ssm=Ssm("e-1", "e-2"))

    assert isinstance(offer, PlannedAction)
    assert offer.parameters == {"document": "Widen", "values": {"Table": "orders"}, "after": "e-2"}
    assert offer.why == "too small; Widen, which the team lists for that, makes a table wider"


@pytest.mark.parametrize("changed", [{"answers": ()}, {"answers": ("capacity:memory",)}])
def test_a_document_is_not_offered_for_what_it_is_not_listed_for(changed: dict[str, Any]) -> None:
    assert found(document(**changed)) == []
    assert found(document(), change="ReadCapacityUnits") == []


def test_a_parameter_that_the_cause_does_not_give_is_made_up_by_nobody() -> None:
    (left,) = found(document(parameters={"Table": ".+", "Units": "[0-9]+"}))

    assert isinstance(left, Considered)
    assert "nothing that was seen says what Units should be" in left.why_not


def test_what_answers_a_cause_is_named_by_a_runbook() -> None:
    books = [parse_runbook(path.stem, path.read_text("utf-8")) for path in FOLDER.glob("*.md")]
    named = {name for book in books for name in book.names.get("documents", ())}

    for one in read_allowed():
        assert f"{one.name}@{one.version}" in named, one.name
        assert set(one.from_cause) <= set(one.parameters)
