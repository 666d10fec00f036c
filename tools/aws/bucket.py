"""The bucket for what is too large for an item of a table: private, and emptied by S3 when its time is over."""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tools.aws.access import AwsAccess
from tools.errors import Misconfigured, error_code

# What the identity that makes it needs, beside what `memory/stores/objects.py` lists for using it.
SETUP_ACTIONS = ("s3:CreateBucket", "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration")

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME = re.compile("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PRIVATE = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def bucket_name(prefix: str, account: str, region: str) -> str:
    """Return the bucket's name, of one account and region; raise `Misconfigured` where S3 would refuse it."""
    name = f"{prefix}-objects-{account}-{region}"
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"CLOUDOPS_PREFIX is {prefix!r}, and S3 would refuse {name!r} as a bucket's name: "
            "use lower-case letters, digits and hyphens, and fewer of them"
        )
    return name


def ensure_bucket(access: AwsAccess, name: str, account: str, days: Mapping[str, int]) -> None:
    """Create the bucket where it is missing, closed to the public, and set how long each prefix is kept (0: for good).

    S3 encrypts what it stores with keys of its own unless the team sets another default.
    """
    s3 = access.client("s3")
    elsewhere: Any = {"CreateBucketConfiguration": {"LocationConstraint": access.region}}
    try:
        s3.create_bucket(Bucket=name, **({} if access.region == "us-east-1" else elsewhere))
    except ClientError as error:
        if error_code(error) == "BucketAlreadyExists":
            raise Misconfigured(
                f"another account has a bucket called {name}: choose another CLOUDOPS_PREFIX"
            ) from error
        if error_code(error) != "BucketAlreadyOwnedByYou":
            raise
    ours: Any = {"Bucket": name, "ExpectedBucketOwner": account}
    s3.put_public_access_block(**ours, PublicAccessBlockConfiguration=_PRIVATE)
    s3.put_bucket_lifecycle_configuration(**ours, LifecycleConfiguration={"Rules": _rules(days)})


def _rules(days: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return S3's rules: each prefix's own, and that nothing lingers which was overwritten or never finished."""
    lingering = {
        "ID": "lingering",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    kept = [
        {
            "ID": prefix,
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/"},
            "Expiration": {"Days": number},
        }
        for prefix, number in sorted(days.items())
        if number
    ]
    return [*kept, lingering]
