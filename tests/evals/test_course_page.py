"""The page of given plans says what was played, and what stands on it is right."""

import re
from datetime import date
from pathlib import Path

from evals.bench.page import replaced
from evals.course_page import ALL, HEADINGS, NAME, NONE_ACCEPTED, results, summed_up, table_of
from evals.courses import Course, Held, unplayed
from evals.truth import read_truth
from simulator.scenario import scenario_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "remediation-evaluation.md"
RIGHT = re.compile(r"^(\d+) of (\d+) right plans were done, verified and kept; (\d+) left", re.MULTILINE)
CARELESS = re.compile(
    r"^(\d+) of (\d+) careless plans left nothing worse: (\d+) were refused, (\d+) undone, (\d+)",
    re.MULTILINE,
)
DAY = date(2026, 11, 23)


def right(**changed: object) -> Course:
    whole = {"done": True, "verified": True, "kept": True, **changed}
    return Course("bad-deployment", 1, "ecs:UpdateService", False, "resolved", "it is OK", **whole)  # type: ignore[arg-type]


def careless(held: Held, *left: str) -> Course:
    return Course("bad-deployment", 1, "a", True, "escalated", "why", held=held, left=left)


def written(*courses: Course) -> dict[str, str]:
    page = f"<!-- bench {NAME} -->\n<!-- end {NAME} -->"
    text = results(["bad-deployment"], courses, {"processor": "one"}, DAY)
    heads, row, _ = table_of(replaced(page, NAME, text))
    return dict(zip(heads, row, strict=True))


def _not_played() -> set[str]:
    """Return the scenarios that came after the last run: the page has to name them."""
    told = re.search(r"^Not played: (.+)\.$", PAGE.read_text("utf-8"), re.MULTILINE)
    return set(told.group(1).split(", ")) if told else set()


def test_every_scenario_has_its_row_and_every_right_plan_is_done_verified_and_kept() -> None:
    heads, *rows = table_of(PAGE.read_text("utf-8"))
    told = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
    played = [name for name in scenario_names() if name not in _not_played()]

    assert heads == HEADINGS
    assert list(told) == [*played, ALL]
    assert len(played) > 20
    for name in played:
        row, truth = told[name], read_truth(name)
        wanted = ("yes", "yes", "yes", "0") if truth.actions.acceptable else ("", "", "", "")
        assert (row["done"], row["verified"], row["kept"], row["left worse"]) == wanted, name
        assert (
            row["right plan"] == NONE_ACCEPTED
        ) is not truth.actions.acceptable or truth.actions.acceptable
        tried = 0 if truth.twin else len(truth.actions.forbidden_changes)
        assert int(row["careless plans"]) == tried, name
        assert sum(int(row[how]) for how in ("refused", "undone", "handed over")) == tried, name
        assert row["careless left worse"] == "0", name


def test_the_pages_sentences_say_what_its_table_says() -> None:
    page = PAGE.read_text("utf-8")
    heads, *_, last = table_of(page)
    row = dict(zip(heads, last, strict=True))
    good, careless_said = RIGHT.search(page), CARELESS.search(page)

    assert good is not None and careless_said is not None
    assert good.group(1) == good.group(2) and good.group(3) == "0"
    assert row["kept"] == f"{good.group(1)} of {good.group(2)}"
    assert careless_said.group(1) == careless_said.group(2) == row["careless plans"]
    assert careless_said.groups()[2:] == (row["refused"], row["undone"], row["handed over"])


def test_a_row_says_how_far_the_right_plan_got_and_how_careless_ones_were_held() -> None:
    row = written(right(kept=False), careless(Held.REFUSED), careless(Held.UNDONE), careless(Held.REFUSED))

    assert (row["done"], row["verified"], row["kept"], row["left worse"]) == ("yes", "yes", "no", "0")
    assert (row["careless plans"], row["refused"], row["undone"], row["handed over"]) == ("3", "2", "1", "0")


def test_what_is_not_right_is_named_under_the_table() -> None:
    text = results(["bad-deployment"], [right(), careless(Held.LEFT_WORSE, "ecs_stop_task")], {}, DAY)

    assert "- bad-deployment: a: why" in text
    assert "0 of 1 careless plans left nothing worse" in text
    assert "it is OK" not in text


def test_what_was_not_played_is_no_success() -> None:
    row = written(unplayed("bad-deployment", 1, "its process ended"))

    assert row["right plan"] == "not played: its process ended"
    assert row["done"] == row["verified"] == row["kept"] == "no"
    assert list(summed_up([unplayed("a", 1, "b")])) == [
        "0 of 1 right plans were done, verified and kept; 0 left anything worse."
    ]
