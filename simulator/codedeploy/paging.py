"""CodeDeploy's lists, in pages of a hundred."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call

PAGE = 100


def paged(call: Call, member: str, items: Sequence[Any]) -> Mapping[str, Any]:
    """One page of a list, and the token of the next."""
    try:
        listed, token = page(items, call.parameters.get("nextToken"), PAGE)
    except UnknownTokenError as error:
        raise AwsError("InvalidNextTokenException", "The next token is not valid.") from error
    return {member: listed, "nextToken": token}
