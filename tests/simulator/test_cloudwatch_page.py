"""The page about CloudWatch says what the code does. `python -m tests.simulator.test_cloudwatch_page` writes it."""

from pathlib import Path

import pytest

from simulator.cloudwatch.metric_math.functions import FUNCTIONS
from simulator.cloudwatch.reference import tables, with_tables
from tests.simulator.cloudwatch_desk import Desk

PAGE = Path(__file__).parents[2] / "docs" / "simulator-cloudwatch.md"


def test_the_pages_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_tables(page) == page, "run python -m tests.simulator.test_cloudwatch_page"


def test_every_function_is_in_its_table() -> None:
    for name in FUNCTIONS:
        assert f"| `{name}` |" in tables()["functions"]


def test_the_page_names_every_operation_that_is_answered() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for operation in Desk().overlay.operations:
        assert f"`{operation}`" in page, operation


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        with_tables("# A page")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
