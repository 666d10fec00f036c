"""Who the credentials in use belong to."""

from tools.aws.access import AwsAccess


def caller(access: AwsAccess) -> tuple[str, str]:
    """Return the account and the ARN of the caller, as STS sees it."""
    answer = access.client("sts").get_caller_identity()
    return str(answer["Account"]), str(answer["Arn"])
