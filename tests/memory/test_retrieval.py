"""Runbooks are found by their words."""

import subprocess
import sys
from pathlib import Path

import pytest

from memory.retrieval import RunbookIndex, parse_runbook

INDEX = RunbookIndex.open()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("5xx errors rose right after a deployment of a new revision", "bad-deployment"),
        ("ProvisionedThroughputExceededException, writes throttled on the table", "table-throttling"),
        ("cpu spike every hour, errors and latency normal", "false-alarm"),
        ("p99 latency is six times as high, no deployment, nothing in the log", "slow-without-change"),
    ],
)
def test_the_runbook_that_fits_comes_first(text: str, name: str) -> None:
    found = INDEX.search(text)
    assert found[0]["runbook"] == name
    assert [book["score"] for book in found] == sorted((book["score"] for book in found), reverse=True)


def test_nothing_is_found_for_words_that_stand_nowhere() -> None:
    assert INDEX.search("zebra quagga") == []
    assert RunbookIndex([]).search("errors") == []


def test_the_folder_is_the_registry(tmp_path: Path) -> None:
    (tmp_path / "disk-full.md").write_text(
        "---\ntitle: A disk is full\nactions: a, b\n---\n# Disk\n\nEmpty it.\n"
    )
    found = RunbookIndex.open(tmp_path).search("the disk is full", k=1)
    assert (found[0]["runbook"], found[0]["title"], found[0]["actions"]) == (
        "disk-full",
        "A disk is full",
        ["a", "b"],
    )
    assert found[0]["text"] == "# Disk\n\nEmpty it."


def test_a_runbook_without_front_matter_is_read_by_its_name() -> None:
    book = parse_runbook("lost-keys", "# Keys\n\nLook under the mat.")
    assert (book.title, book.actions) == ("lost keys", ())


HEAVY = ("pydantic", "langchain_core", "boto3", "yaml", "numpy")


def test_importing_it_is_light() -> None:
    code = f"import sys, memory.retrieval; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
