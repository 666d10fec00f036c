"""Lists in pages, as ECS pages them."""

from collections.abc import Mapping
from typing import Any

from simulator.wire.paging import UnknownTokenError, page
from simulator.wire.protocol import AwsError, Call


def listed(call: Call, member: str, items: list[Any], default: int, most: int = 100) -> Mapping[str, Any]:
    """One page of a list under `member`, with the token of the next one."""
    size = call.parameters.get("maxResults", default)
    if not 1 <= size <= most:
        raise AwsError("InvalidParameterException", f"maxResults must be between 1 and {most}.")
    try:
        found, token = page(items, call.parameters.get("nextToken"), size)
    except UnknownTokenError as error:
        raise AwsError("InvalidParameterException", "Invalid token.") from error
    return {member: found, "nextToken": token}
