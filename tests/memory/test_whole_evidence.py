"""A result that is too large stands cut in the table and whole in the bucket, and a salt is an incident's own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from memory.records.evidence import Gap
from memory.records.scope import Scope
from memory.stores.evidence import EvidenceLedger
from memory.stores.objects import ObjectDamagedError, ObjectMissingError, ObjectStore
from memory.table import RecordTable
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import SCOPE, StillClock
from tools.evidence import Answer, Recorder

ROWS = {"rows": [{"n": n, "text": "x" * 50 + " by bob@example.com"} for n in range(2000)]}


@dataclass
class Bucket:
    """What an object store asks of S3."""

    objects: dict[str, bytes] = field(default_factory=dict)
    denied: bool = False

    def put_object(self, Key: str, Body: bytes, **_: Any) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no s3:PutObject"}}, "PutObject")
        self.objects[Key] = Body

    def get_object(self, Key: str, **_: Any) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")
        return {"Body": BytesIO(self.objects[Key]), "LastModified": datetime.now(UTC)}


def ledger(bucket: Bucket) -> EvidenceLedger:
    objects = ObjectStore(lambda: bucket, "b", "123456789012")
    return EvidenceLedger(cast(RecordTable, MemoryTable()), objects)


def recorder(at: EvidenceLedger, incident_id: str = "i-1") -> Recorder:
    return Recorder(at, StillClock(), SCOPE, incident_id)


def test_the_whole_of_a_large_result_is_kept_redacted_and_read_back() -> None:
    bucket = Bucket()
    at = ledger(bucket)
    seen = recorder(at).observe("t", "s", "Op", {}, lambda: Answer(ROWS))
    assert seen.whole
    assert seen.gaps == (Gap.TRUNCATED,)
    assert at.get(SCOPE, "i-1", seen.evidence_id) == seen
    whole = at.whole(seen)
    assert len(whole["rows"]) == 2000
    assert "bob@" not in str(whole)
    assert len(seen.result["rows"]) < 2000


def test_a_small_result_needs_no_bucket() -> None:
    bucket = Bucket(denied=True)
    at = ledger(bucket)
    seen = recorder(at).observe("t", "s", "Op", {}, lambda: Answer({"a": 1}))
    assert not seen.whole
    assert at.whole(seen) == {"a": 1}


def test_a_whole_that_cannot_be_kept_leaves_the_excerpt_and_the_reason() -> None:
    at = ledger(Bucket(denied=True))
    seen = recorder(at).observe("t", "s", "Op", {}, lambda: Answer(ROWS))
    assert not seen.whole
    assert "no s3:PutObject" in seen.gap_detail
    assert at.whole(seen) == seen.result


def test_a_whole_that_is_lost_or_changed_is_an_error_and_never_the_excerpt() -> None:
    bucket = Bucket()
    at = ledger(bucket)
    seen = recorder(at).observe("t", "s", "Op", {}, lambda: Answer(ROWS))
    (key,) = bucket.objects
    bucket.objects[key] = b"other"
    with pytest.raises(ObjectDamagedError):
        at.whole(seen)
    del bucket.objects[key]
    with pytest.raises(ObjectMissingError):
        at.whole(seen)


def test_a_salt_is_drawn_once_for_each_incident() -> None:
    at = ledger(Bucket())
    assert at.salt(SCOPE, "i-1") == at.salt(SCOPE, "i-1")
    assert len(at.salt(SCOPE, "i-1")) == 16
    assert at.salt(SCOPE, "i-1") != at.salt(SCOPE, "i-2")
    assert at.salt(Scope(account="1" * 12, region="eu-west-1"), "i-1") != at.salt(SCOPE, "i-1")
