"""Where an incident is killed: in every step of the graph, so that a new one is not left out."""

from tests.graphs.kills import FEWEST, steps
from tests.graphs.plays import DOOR, PLAYS


def test_every_step_of_the_graph_is_cut_off_in_some_play() -> None:
    assert {step for play in PLAYS for step in play.steps} == steps() | {DOOR}


def test_there_are_forty_points_at_the_least() -> None:
    # Each play of a step asserts that it was killed at no fewer.
    assert FEWEST * sum(len(play.steps) for play in PLAYS) >= 40
