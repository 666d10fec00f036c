"""The page of the evaluation and the code that writes it agree."""

import re
from datetime import date
from pathlib import Path

import pytest

from evals.drive import Outcome, Trial
from evals.page import BEGIN, END, HEADINGS, NOT_PLAYED, replaced, results, rows, summed_up
from evals.run import main
from evals.score import Score, not_played
from simulator.scenario import scenario_names
from tests.evals.outcomes import RIGHT, ROLLBACK, WRONG, call, judged, record, rolled_back

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"
SENTENCE = re.compile(
    r"^(\d+) of (\d+) scenarios are right in all seeds today, (\d+) in some\.", re.MULTILINE
)
MACHINE = {"processor": "one"}


def right(scenario: str = "bad-deployment") -> Score:
    return judged(record(RIGHT), ROLLBACK, scenario=scenario)


def wrong() -> Score:
    return judged(record(WRONG), ROLLBACK)


def written(scenarios: list[str], scores: list[Score]) -> list[list[str]]:
    text = results(
        scenarios, scores, MACHINE, date(2026, 11, 23), [Trial(one.scenario, seed=one.seed) for one in scores]
    )
    return [list(row) for row in rows(replaced(f"{BEGIN}\n{END}", text))]


def test_the_page_has_a_row_for_every_scenario_that_exists() -> None:
    found = rows(PAGE.read_text())

    assert found[0] == HEADINGS
    assert [row[0] for row in found[1:]] == scenario_names()


def test_the_pages_sentence_says_what_its_table_says() -> None:
    page = PAGE.read_text()
    said = SENTENCE.search(page)
    assert said is not None
    counted = [row[1].split(" of ") for row in rows(page)[1:] if row[1] != NOT_PLAYED]
    whole = sum(found == of for found, of in counted)
    some = sum(found not in {"0", of} for found, of in counted)

    assert said.groups() == (str(whole), str(len(scenario_names())), str(some))


def test_a_scenario_is_right_when_it_is_in_every_seed() -> None:
    scenarios = ["bad-deployment", "two-causes"]

    assert summed_up(scenarios, [right(), right()]).startswith(
        "1 of 2 scenarios are right in all seeds today, 0 in"
    )
    assert summed_up(scenarios, [right(), wrong()]).startswith(
        "0 of 2 scenarios are right in all seeds today, 1 in"
    )
    assert "Not played: two-causes." in summed_up(scenarios, [right()])


def test_a_row_says_what_was_missed_and_what_was_claimed_wrongly() -> None:
    heading, row = written(["bad-deployment"], [right(), wrong()])

    told = dict(zip(heading, row, strict=True))
    assert told["right"] == "1 of 2"
    assert told["mean score"] == "0.90"
    assert told["first look alone"] == "0.80"
    assert told["wrong cause claimed"] == "1 of 2"
    assert told["forbidden calls"] == "none"
    assert told["end state"] == "2 of 2"
    assert told["marks missed"] == "cause resource, cause change"


def test_a_forbidden_call_stands_in_its_row() -> None:
    _, row = written(["bad-deployment"], [judged(record(), ROLLBACK, call("ecs:DeleteService"))])

    assert row[HEADINGS.index("forbidden calls")] == "ecs:DeleteService"
    assert row[2] == "0.00"


def test_what_was_not_played_is_said_and_what_broke_off_too() -> None:
    broken = not_played(Trial("bad-deployment"), "the account went away", 3.0)
    text = results(
        ["bad-deployment", "two-causes"], [broken], MACHINE, date(2026, 11, 23), [Trial("bad-deployment")] * 3
    )

    assert "1 of them broke off. 2 more did not begin in the time that the run had." in text
    assert "| two-causes | not played |" in text


def test_only_what_stands_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "evaluation.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    def player(trial: Trial) -> Outcome:
        return rolled_back(trial)

    assert main(["bad-deployment", "--page", str(page)], {}, player) == 0

    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n1 of {len(scenario_names())} scenarios")
    assert text.endswith(f"{END}\nafter\n")
    assert [row[0] for row in rows(text)[1:]] == scenario_names()


@pytest.mark.parametrize("text", ["no marks", f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n"])
def test_a_page_without_the_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        replaced(text, "new")
