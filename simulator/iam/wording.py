"""How services refuse callers: the code and the status differ by protocol, the sentence hardly does.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://docs.aws.amazon.com/awssupport/latest/user/CommonErrors.html
"""

from enum import StrEnum

from botocore.exceptions import UnknownServiceError

from simulator.wire.protocol import AwsError, service_model
from simulator.wire.requests import Form


class Problem(StrEnum):
    """What is wrong with whoever calls."""

    DENIED = "denied"
    EXPIRED = "expired"
    MISSING = "missing"
    SIGNATURE = "signature"
    TOKEN = "token"
    UNKNOWN = "unknown"


_SENTENCES = {
    Problem.EXPIRED: "The security token included in the request is expired",
    Problem.MISSING: "Request is missing Authentication Token",
    Problem.SIGNATURE: (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details."
    ),
    Problem.TOKEN: "The security token included in the request is invalid.",
    Problem.UNKNOWN: "The security token included in the request is invalid.",
}
_QUERY = {
    Problem.DENIED: "AccessDenied",
    Problem.EXPIRED: "ExpiredToken",
    Problem.MISSING: "MissingAuthenticationToken",
    Problem.SIGNATURE: "SignatureDoesNotMatch",
    Problem.TOKEN: "InvalidClientTokenId",
    Problem.UNKNOWN: "InvalidClientTokenId",
}
_JSON = {
    Problem.DENIED: "AccessDeniedException",
    Problem.EXPIRED: "ExpiredTokenException",
    Problem.MISSING: "MissingAuthenticationTokenException",
    Problem.SIGNATURE: "InvalidSignatureException",
    Problem.TOKEN: "UnrecognizedClientException",
    Problem.UNKNOWN: "UnrecognizedClientException",
}
_S3 = {**_QUERY, Problem.MISSING: "AccessDenied", Problem.UNKNOWN: "InvalidAccessKeyId"}
_OF_SERVICE = {"s3": _S3, "sns": {**_QUERY, Problem.DENIED: "AuthorizationError"}}
# These began on the query protocol and kept its codes.
_FORMER_QUERY = ("cloudwatch", "sqs")


def refusal(service: str, form: Form, problem: Problem, sentence: str = "") -> AwsError:
    """The error of a service for a caller, in the form it was asked in."""
    is_json = form is not Form.QUERY and service not in ("s3", *_FORMER_QUERY)
    codes = _OF_SERVICE.get(service, _JSON if is_json else _QUERY)
    status = 400 if is_json and _is_plain_json(service) else 403
    return AwsError(codes[problem], sentence or _SENTENCES[problem], status)


def _is_plain_json(service: str) -> bool:
    try:
        model = service_model(service)
    except UnknownServiceError:
        return True
    return str(model.metadata.get("protocol")) in ("json", "smithy-rpc-v2-cbor")
