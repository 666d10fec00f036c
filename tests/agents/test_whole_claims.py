"""A claim is held against all that was read, also where the observation keeps an excerpt of it."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from agents.claims import check_claims, in_full
from memory.records.assessment import Verdict
from memory.stores.evidence import EvidenceLedger
from memory.stores.objects import ObjectStore
from memory.table import RecordTable
from tests.agents.desk import INCIDENT, METRIC, ROLLOUT, SCOPE, STORED, assessment, first_look, hypothesis
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import StillClock
from tools.evidence import Answer, Recorder

LONG = {"rows": ["basket: KeyError price", *["basket: retried"] * 3000, "basket: gave up 7913 carts"]}


class Bucket:
    """An S3 client that keeps one object, until it is lost."""

    content = b""

    def put_object(self, Body: bytes, **_: Any) -> None:
        self.content = Body

    def get_object(self, **_: Any) -> dict[str, Any]:
        if not self.content:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")
        return {"Body": BytesIO(self.content), "LastModified": datetime.now(UTC)}


@pytest.mark.parametrize(("is_lost", "removed"), [(False, 0), (True, 1)])
def test_a_fact_that_stands_only_where_the_excerpt_was_cut_is_kept(is_lost: bool, removed: int) -> None:
    bucket = Bucket()
    objects = ObjectStore(lambda: bucket, "b", SCOPE.account)
    ledger = EvidenceLedger(cast(RecordTable, MemoryTable()), objects)
    recorder = Recorder(ledger, StillClock(), SCOPE, INCIDENT.incident_id)
    seen = recorder.observe("logs of basket", "logs", "Read", {}, lambda: Answer(LONG))
    assert "7913" not in str(seen.result)
    stored = {**STORED, seen.evidence_id: seen}
    said = "basket gave up 7913 carts since basket:8."
    cited = (METRIC.evidence_id, ROLLOUT.evidence_id, seen.evidence_id)
    claim = hypothesis(statement=said, evidence_for=cited)
    bucket.content = b"" if is_lost else bucket.content

    left = check_claims(assessment(hypotheses=(claim,)), first_look(), in_full(stored.get, ledger))

    assert left.claims_removed == removed
    assert (left.causes[0].statement == said) is not is_lost
    assert left.verdict is Verdict.CAUSE
