"""What is too large for an item of the table: objects in an S3 bucket, each under its incident.

An object's key is `<class>/<tenant>/<account>/<region>/<incident>/<sha256>.gz`, and its content is compressed with
gzip. The digest is that of the content, so that whoever keeps it has both its address and the proof of what stands
there. Storing the same content twice leaves one object.

An object is durable before anything names it, so one that is named and not there was lost. What nobody came to name
goes with the incident, or by the bucket's lifecycle, which counts days from the day an object was written.
"""

import gzip
import hashlib
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from memory.records.scope import Scope
from memory.retention import DAY_SECONDS

# What an identity needs to keep objects; without `s3:ListBucket`, S3 calls an object that is missing a denied one.
ACTIONS = (
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutObject",
)

SUFFIX = ".gz"
_DIGEST = re.compile("[0-9a-f]{64}")


class ObjectClass(StrEnum):
    """What objects are of; each is kept for as many days as the class of that name in `Retention`."""

    EVIDENCE = "evidence"


class ObjectStoreError(Exception):
    """An object could not be stored or read."""


class ObjectMissingError(ObjectStoreError):
    """An object is not there, or its time is over."""


class ObjectDamagedError(ObjectStoreError):
    """An object stands, and it is not what was stored."""


@dataclass(frozen=True)
class StoredObject:
    """An object with its content: `sha256` is the digest of it, `of` its class."""

    of: ObjectClass
    sha256: str
    content: bytes


class ObjectStore:
    """Keeps objects of incidents in a bucket.

    `client` gives the S3 client when one is first needed. `owner` is the account that the bucket must belong to, so
    that nothing is ever handed to somebody else's bucket of the same name. `days` says how long a class is kept, 0
    for good; that is wall time, as S3's is.
    """

    def __init__(
        self,
        client: Callable[[], Any],
        bucket: str,
        owner: str,
        days: Callable[[ObjectClass], int] = lambda _: 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._at = {"Bucket": bucket, "ExpectedBucketOwner": owner}
        self._days = days
        self._now = now

    def put(self, scope: Scope, incident_id: str, of: ObjectClass, content: bytes) -> str:
        """Store content and return its sha256, as 64 hex digits; it is durable then."""
        sha256 = hashlib.sha256(content).hexdigest()
        # Without a time in its head, the same content gives the same bytes.
        packed = gzip.compress(content, 6, mtime=0)
        client = self._client()
        key = _key(of, scope, incident_id, sha256)
        with self._understood(key):
            client.put_object(
                **self._at,
                Key=key,
                Body=packed,
                ContentType="application/gzip",
                ChecksumAlgorithm="SHA256",
            )
        return sha256

    def get(self, scope: Scope, incident_id: str, of: ObjectClass, sha256: str) -> bytes:
        """Read content by its digest, or raise `ObjectMissingError` or `ObjectDamagedError`."""
        if not _DIGEST.fullmatch(sha256):
            raise ObjectMissingError(f"{sha256!r} is no digest of an object")
        return self._read(_key(of, scope, incident_id, sha256), of, sha256)

    def all(self, scope: Scope, incident_id: str) -> Iterator[StoredObject]:
        """Yield what is stored of an incident, class by class, in the order of the digests."""
        for of in ObjectClass:
            for key in self._keys(_prefix(of, scope, incident_id)):
                sha256 = key.rpartition("/")[2].removesuffix(SUFFIX)
                try:
                    yield StoredObject(of, sha256, self._read(key, of, sha256))
                except ObjectMissingError:
                    # Its time is over, or it was erased while this was reading.
                    continue

    def erase(self, scope: Scope, incident_id: str) -> int:
        """Erase what is stored of an incident, in every version; return how many objects that were."""
        client = self._client()
        gone: set[str] = set()
        for of in ObjectClass:
            for key, version in self._versions(_prefix(of, scope, incident_id)):
                client.delete_object(**self._at, Key=key, VersionId=version)
                gone.add(key)
        return len(gone)

    def _read(self, key: str, of: ObjectClass, sha256: str) -> bytes:
        client = self._client()
        with self._understood(key):
            answer = client.get_object(**self._at, Key=key)
        packed = answer["Body"].read()
        days = self._days(of)
        if days and answer["LastModified"].timestamp() + days * DAY_SECONDS <= self._now():
            raise ObjectMissingError(f"the time of {key} is over")
        try:
            content = gzip.decompress(packed)
        except (OSError, EOFError, zlib.error) as error:
            raise ObjectDamagedError(f"{key} is not what was stored: {error}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ObjectDamagedError(f"{key} is not what was stored: its digest is another")
        return content

    def _keys(self, prefix: str) -> list[str]:
        client, asked, found = self._client(), {**self._at, "Prefix": prefix}, []
        while True:
            with self._understood(prefix):
                page = client.list_objects_v2(**asked)
            found += [str(one["Key"]) for one in page.get("Contents", [])]
            if not page.get("IsTruncated"):
                return found
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _versions(self, prefix: str) -> list[tuple[str, str]]:
        """Return every version and delete marker: also of a bucket that somebody has made keep old versions."""
        client, asked, found = self._client(), {**self._at, "Prefix": prefix}, []
        while True:
            with self._understood(prefix):
                page = client.list_object_versions(**asked)
            every = (*page.get("Versions", []), *page.get("DeleteMarkers", []))
            found += [(str(one["Key"]), str(one["VersionId"])) for one in every]
            if not page.get("IsTruncated"):
                return found
            asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}

    @contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Tell a bucket or an object that is not there from a call that failed."""
        try:
            yield
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "NoSuchBucket":
                    bucket = self._at["Bucket"]
                    raise ObjectStoreError(
                        f"the bucket {bucket} is not there: run `cloudops setup`"
                    ) from error
                case "NoSuchKey":
                    raise ObjectMissingError(f"{what} is not there") from error
                case _:
                    raise


def _prefix(of: ObjectClass, scope: Scope, incident_id: str) -> str:
    """Return what the keys of an incident's objects begin with; no part can reach into another's."""
    parts = (scope.tenant, scope.account, scope.region, incident_id)
    return "/".join((of.value, *(quote(part, safe="") for part in parts))) + "/"


def _key(of: ObjectClass, scope: Scope, incident_id: str, sha256: str) -> str:
    return _prefix(of, scope, incident_id) + sha256 + SUFFIX
