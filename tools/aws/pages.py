"""Read an answer that AWS gives in pages to its end."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import PaginationError

Call = Callable[..., Mapping[str, Any]]


def pages(
    call: Call,
    request: Mapping[str, Any],
    most: int,
    of: str,
    *,
    told: str = "NextToken",
    asked: str = "NextToken",
) -> Iterator[Mapping[str, Any]]:
    """Yield every page of a call, an empty one too: another may follow it.

    `told` and `asked` name the token in an answer and in the next request. Raises `PaginationError`, with what the
    pages are `of`, where `most` of them are not all: what is left out would read as what is not there.
    """
    token: Mapping[str, Any] = {}
    for _ in range(most):
        page = call(**request, **token)
        yield page
        if not page.get(told):
            return
        token = {asked: page[told]}
    raise PaginationError(message=f"{of} does not end after {most} pages")
