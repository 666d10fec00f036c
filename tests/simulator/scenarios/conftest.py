from collections.abc import Iterator

import pytest

from tests.simulator.scenarios.headless import Stage, stage


@pytest.fixture(scope="session")
def headless() -> Iterator[Stage]:
    """A stage for accounts in this process."""
    with stage() as opened:
        yield opened
