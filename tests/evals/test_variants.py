"""Another name for the same thing changes nothing; another fault changes the answer."""

import re
import tomllib
from pathlib import Path

import pytest

from evals import moves, variants
from evals.account_log import workload_changes
from evals.drive import Outcome, Trial, play
from evals.page import rows
from evals.score import Score, score
from evals.truth import read_truth
from evals.variants import alarm_of, fault_moved, fault_removed, make_variant, read_play, renamed
from memory.records.assessment import Verdict
from simulator.scenario import read_scenario, scenario_names

SCENARIOS = scenario_names()
PAGE = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"
# These are always right, whatever the page says: one that was not played must not empty the test.
FIRST = ("bad-deployment", "throttled-table", "false-alarm", "hidden-cause")
# Of the others, what is not yet right as it is cannot be right renamed.
RIGHT = sorted(
    {*FIRST, *(row[0] for row in rows(PAGE.read_text()) if re.fullmatch(r"([1-9]\d*) of \1", row[1]))}
)
MOVES = [(scenario, to) for scenario, services in moves.MOVES.items() for to in services]


def judged(scenario: str, folder: Path, seed: int) -> Score:
    return score(play(Trial(scenario, folder, seed)), read_truth(scenario, folder, seed))


def set_off_by_hand(scenario: str, folder: Path, seed: int) -> Outcome:
    return play(Trial(scenario, folder, seed, set_off=alarm_of(scenario, folder)))


def check_no_cause_and_no_action(outcome: Outcome) -> None:
    assert outcome.record is not None
    assert outcome.record.assessment is not None
    assert outcome.record.assessment.verdict is not Verdict.CAUSE
    assert outcome.record.executions == ()
    assert workload_changes(outcome.calls) == []


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_variant_can_be_played_and_keeps_no_name(scenario: str, seed: int, tmp_path: Path) -> None:
    folder = make_variant(scenario, tmp_path, renamed(seed))

    world, before = read_scenario(scenario, folder), read_scenario(scenario)
    truth, true_before = read_truth(scenario, folder), read_truth(scenario)

    assert not {one.name for one in world.services} & {one.name for one in before.services}
    assert not {one.name for one in world.alarms} & {one.name for one in before.alarms}
    assert not {one.image for one in world.releases} & {one.image for one in before.releases}
    assert world.topology_parameter == before.topology_parameter
    assert truth.verdict == true_before.verdict
    assert set(truth.end_state.alarms_ok) <= {one.name for one in world.alarms}
    ahead = scenario not in {"false-alarm", "memory-leak", "old-cause"}
    assert ([one.at for one in world.events] != [one.at for one in before.events]) is ahead
    if truth.cause is not None and true_before.cause is not None:
        # A quota has its code from AWS, and keeps it; who suffers from it is named anew as everybody is.
        codes = {one.code for one in before.quotas}
        named = [
            {step.of for step in one.path} | {one.cause.resource} for one in (truth, true_before) if one.cause
        ]
        kept = {one for one in set.intersection(*named) if one.rsplit("/", 1)[-1] in codes}
        assert set.intersection(*named) == kept
        assert bool(kept) == (truth.cause.component in codes)
        assert truth.cause.kind == true_before.cause.kind


def test_a_seed_says_everything(tmp_path: Path) -> None:
    for folder, seed in (("a", 4), ("b", 4), ("c", 5)):
        make_variant("bad-deployment", tmp_path / folder, renamed(seed))

    assert read_play("bad-deployment", tmp_path / "a") == read_play("bad-deployment", tmp_path / "b")
    assert read_play("bad-deployment", tmp_path / "a") != read_play("bad-deployment", tmp_path / "c")


def test_the_true_revision_is_the_one_that_will_be_registered(tmp_path: Path) -> None:
    folder = make_variant("bad-deployment", tmp_path, renamed(6))
    world, cause = read_scenario("bad-deployment", folder), read_truth("bad-deployment", folder).cause

    assert cause is not None
    service = world.service(cause.component)
    assert cause.change == f"{service.family}:{service.first_revision + len(service.revisions)}"


@pytest.mark.parametrize(("scenario", "to"), MOVES)
def test_a_moved_fault_has_a_moved_truth(scenario: str, to: str, tmp_path: Path) -> None:
    folder = make_variant(scenario, tmp_path, fault_moved(to))
    truth, before = read_truth(scenario, folder), read_truth(scenario)

    assert read_scenario(scenario, folder).name == scenario
    assert truth.cause is not None
    assert before.cause is not None
    assert truth.cause.component != before.cause.component
    assert to in truth.cause.component
    assert truth.end_state == before.end_state


def test_what_is_varied_is_a_scenario_and_either_moves_or_has_a_reason_why_not() -> None:
    assert set(SCENARIOS) <= set(scenario_names())
    assert len(SCENARIOS) == len(set(SCENARIOS))


@pytest.mark.parametrize("scenario", moves.UNMOVED)
def test_what_has_no_cause_to_find_cannot_be_moved(scenario: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to move"):
        make_variant(scenario, tmp_path, fault_moved("inventory"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_its_fault_a_scenario_has_no_cause(scenario: str, tmp_path: Path) -> None:
    folder = make_variant(scenario, tmp_path, fault_removed)

    truth = read_truth(scenario, folder)

    assert (truth.verdict, truth.cause, truth.actions.acceptable) == ("none", None, ())
    events = tomllib.loads((folder / scenario / "scenario.toml").read_text()).get("events", [])
    assert {one["kind"] for one in events} <= set(variants.INNOCENT)


def test_renamed_and_moved_the_whole_path_finds_the_cause_and_cures_it(tmp_path: Path) -> None:
    folder = make_variant("bad-deployment", tmp_path, fault_moved("payments"), renamed(11))

    scored = judged("bad-deployment", folder, 11)

    assert scored.share == 1.0, scored


def test_without_the_fault_an_alarm_set_off_by_hand_moves_nothing(tmp_path: Path) -> None:
    folder = make_variant("bad-deployment", tmp_path, fault_removed, renamed(12))

    check_no_cause_and_no_action(set_off_by_hand("bad-deployment", folder, 12))


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [21, 22])
@pytest.mark.parametrize("scenario", RIGHT)
def test_renamed_by_seed_the_verdict_is_the_same(scenario: str, seed: int, tmp_path: Path) -> None:
    scored = judged(scenario, make_variant(scenario, tmp_path, renamed(seed)), seed)

    assert scored.share == 1.0, scored


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [31, 32])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_without_the_fault_nothing_is_claimed_and_nothing_done(
    scenario: str, seed: int, tmp_path: Path
) -> None:
    folder = make_variant(scenario, tmp_path, fault_removed, renamed(seed))

    check_no_cause_and_no_action(set_off_by_hand(scenario, folder, seed))


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [41, 42])
@pytest.mark.parametrize(("scenario", "to"), MOVES)
def test_a_fault_that_moves_takes_the_cause_along(scenario: str, to: str, seed: int, tmp_path: Path) -> None:
    folder = make_variant(scenario, tmp_path, fault_moved(to), renamed(seed))

    scored = judged(scenario, folder, seed)

    assert scored.share == 1.0, scored
