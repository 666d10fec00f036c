"""What is too large for a table stands in a bucket, under its incident, and is what was stored or an error."""

import gzip
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memory.records.scope import Scope
from memory.retention import DAY_SECONDS, Retention
from memory.stores.objects import (
    ACTIONS,
    ObjectClass,
    ObjectDamagedError,
    ObjectMissingError,
    ObjectStore,
    ObjectStoreError,
)
from tests.contracts.test_coverage import allowed
from tests.memory.filed import SCOPE, WallTime
from tests.simulated import SimulatedAccount
from tools.aws.bucket import SETUP_ACTIONS, bucket_name
from tools.errors import Misconfigured

EVIDENCE = ObjectClass.EVIDENCE
CONTENT = b'{"rows": ["' + b"a line of a log, " * 50_000 + b'"]}'
BUCKET = "tests-objects-123456789012-us-east-1"


@pytest.fixture(scope="module")
def s3(shared_accounts: Callable[..., SimulatedAccount]) -> Any:
    client = shared_accounts("bad-deployment").client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def store(s3: Any, **more: Any) -> ObjectStore:
    return ObjectStore(lambda: s3, BUCKET, "123456789012", **more)


def keys(s3: Any, incident_id: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return [one["Key"] for one in found if incident_id in one["Key"]]


def test_content_comes_back_by_its_digest_and_stands_once(s3: Any) -> None:
    at = store(s3)
    sha256 = at.put(SCOPE, "once", EVIDENCE, CONTENT)
    assert at.put(SCOPE, "once", EVIDENCE, CONTENT) == sha256
    assert at.get(SCOPE, "once", EVIDENCE, sha256) == CONTENT
    (key,) = keys(s3, "once")
    assert key == f"evidence/default/123456789012/us-east-1/once/{sha256}.gz"
    stored = s3.get_object(Bucket=BUCKET, Key=key)
    assert gzip.decompress(stored["Body"].read()) == CONTENT
    assert stored["ContentLength"] < len(CONTENT) / 10


def test_what_is_missing_or_changed_is_an_error(s3: Any) -> None:
    at = store(s3)
    sha256 = at.put(SCOPE, "damaged", EVIDENCE, CONTENT)
    (key,) = keys(s3, "damaged")
    for body in (gzip.compress(CONTENT + b" "), gzip.compress(CONTENT)[:-9], b"not compressed", b""):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        with pytest.raises(ObjectDamagedError, match="not what was stored"):
            at.get(SCOPE, "damaged", EVIDENCE, sha256)
        with pytest.raises(ObjectDamagedError):
            list(at.all(SCOPE, "damaged"))
    s3.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(ObjectMissingError, match="is not there"):
        at.get(SCOPE, "damaged", EVIDENCE, sha256)
    with pytest.raises(ObjectMissingError, match="no digest"):
        at.get(SCOPE, "damaged", EVIDENCE, "../" + sha256)


def test_without_the_bucket_the_remedy_is_said(s3: Any) -> None:
    at = ObjectStore(lambda: s3, "no-such-objects-bucket", "123456789012")
    for call in (
        lambda: at.put(SCOPE, "i", EVIDENCE, b"x"),
        lambda: at.get(SCOPE, "i", EVIDENCE, "0" * 64),
        lambda: list(at.all(SCOPE, "i")),
        lambda: at.erase(SCOPE, "i"),
    ):
        with pytest.raises(ObjectStoreError, match="run `cloudops setup`"):
            call()


def test_what_is_over_is_not_read_though_it_stands(s3: Any) -> None:
    now = WallTime(0.0)
    at = store(s3, days=lambda _: 2, now=now)
    sha256 = at.put(SCOPE, "over", EVIDENCE, CONTENT)
    written = s3.get_object(Bucket=BUCKET, Key=keys(s3, "over")[0])["LastModified"].timestamp()
    now.seconds = written + 2 * DAY_SECONDS - 1
    assert at.get(SCOPE, "over", EVIDENCE, sha256) == CONTENT
    now.seconds += 1
    with pytest.raises(ObjectMissingError, match="is over"):
        at.get(SCOPE, "over", EVIDENCE, sha256)
    assert list(at.all(SCOPE, "over")) == []
    assert at.erase(SCOPE, "over") == 1


def test_erasing_takes_every_version_of_one_incident_alone(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    try:
        at = store(s3)
        for content in (b"one", b"two", b"two"):
            at.put(SCOPE, "erased", EVIDENCE, content)
        s3.delete_object(Bucket=BUCKET, Key=keys(s3, "erased")[0])
        kept = at.put(SCOPE, "erased-not", EVIDENCE, b"one")
        assert at.erase(SCOPE, "erased") == 2
        assert at.erase(SCOPE, "erased") == 0
        left = s3.list_object_versions(
            Bucket=BUCKET, Prefix="evidence/default/123456789012/us-east-1/erased/"
        )
        assert not left.get("Versions")
        assert not left.get("DeleteMarkers")
        assert at.get(SCOPE, "erased-not", EVIDENCE, kept) == b"one"
    finally:
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


def test_more_than_a_page_is_listed_and_erased(s3: Any) -> None:
    at = ObjectStore(lambda: SmallPages(s3), BUCKET, "123456789012")
    digests = sorted(at.put(SCOPE, "pages", EVIDENCE, os.urandom(9)) for _ in range(5))
    assert [one.sha256 for one in at.all(SCOPE, "pages")] == digests
    assert at.erase(SCOPE, "pages") == 5


class SmallPages:
    """S3 with two objects on each page."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.s3, name)
        return (lambda **asked: call(MaxKeys=2, **asked)) if name.startswith("list_") else call


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=st.text(st.sampled_from("ab/#!% é."), min_size=1, max_size=4),
    other=st.text(st.sampled_from("ab/#!% é."), min_size=1, max_size=4),
)
def test_no_id_reaches_into_another(s3: Any, one: str, other: str) -> None:
    at = store(s3)
    tenant = Scope(tenant=one, account="1", region=other)
    at.put(tenant, one + other, EVIDENCE, b"mine")
    if one != other:
        for theirs in (
            tenant.model_copy(update={"tenant": other}),
            tenant.model_copy(update={"region": one}),
        ):
            assert list(at.all(theirs, one + other)) == []
        assert list(at.all(tenant, one)) == []
    assert [found.content for found in at.all(tenant, one + other)] == [b"mine"]
    assert at.erase(tenant, one + other) == 1


def test_every_class_has_its_days_and_every_action_is_allowed() -> None:
    for of in ObjectClass:
        assert Retention().days_of(of) == getattr(Retention(), of.value)
    assert {*ACTIONS, *SETUP_ACTIONS} == {one for one in allowed("operator") if one.startswith("s3:")}


@pytest.mark.parametrize("prefix", ["Cloud", "cloud_ops", "-cloud", "c" * 40, "cloud.ops", ""])
def test_a_prefix_that_s3_would_refuse_is_refused_with_the_remedy(prefix: str) -> None:
    with pytest.raises(Misconfigured, match="lower-case letters"):
        bucket_name(prefix, "123456789012", "us-east-1")
