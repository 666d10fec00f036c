"""One door for the tests that change nothing in its account."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.door import Door, served


@pytest.fixture(scope="module")
def door(shared_accounts: Any) -> Iterator[Door]:
    with served(shared_accounts("bad-deployment"), CLOUDOPS_PREFIX="web-tests") as one:
        yield one
