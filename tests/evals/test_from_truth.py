"""A right plan is done, verified and kept; a careless one leaves nothing worse."""

from typing import Any

import pytest

from evals.courses import Course
from evals.from_truth import Task, cure, cured, held, tasks
from evals.truth import AcceptableCall, ForbiddenChange, read_truth
from evals.truth_plans import Untold, planned
from simulator.scenario import scenario_names
from tools.aws.access import AwsAccess

NOWHERE = AwsAccess("us-east-1", "http://127.0.0.1:1", "id", "secret")
CURABLE = [
    name
    for name in sorted(scenario_names())
    if read_truth(name).actions.acceptable and not read_truth(name).twin
]


def acceptable(api: str, cures: str = "", **parameters: Any) -> AcceptableCall:
    return AcceptableCall(api=api, parameters=parameters, cures=cures)


def test_a_cure_has_one_call_for_each_cause_and_the_first_choices_come_first() -> None:
    truth = read_truth("two-causes")
    first = cure(truth)[0]

    assert {call.cures for call in first} == {call.cures for call in truth.actions.acceptable}
    assert [call.api for call in cure(read_truth("red-herring"))[0]] == ["lambda:DeleteFunctionConcurrency"]


def test_a_call_is_told_in_the_catalogues_words() -> None:
    call = acceptable("lambda:UpdateAlias", FunctionName="f", Name="live", FunctionVersion="7")

    told = planned(call, NOWHERE)

    assert (told.action, told.parameters["version"]) == ("lambda_shift_alias", "7")


def test_what_the_catalogue_has_no_words_for_is_said_and_a_careless_one_is_left_to_review() -> None:
    with pytest.raises(Untold):
        planned(acceptable("sqs:PurgeQueue", QueueUrl="q"), NOWHERE)
    change = next(one for one in read_truth("bad-function").actions.forbidden_changes if "sqs" in one.api)

    assert planned(change, NOWHERE).action == "sqs:PurgeQueue"


def test_a_twins_careless_plans_are_not_played_twice() -> None:
    names = ["bad-deployment", "injected-log"]

    found = list(tasks(names, careless=None))

    assert Task("injected-log") in found
    assert {one.scenario for one in found if one.forbidden is not None} == {"bad-deployment"}
    assert not any(one.forbidden is None for one in tasks(names, careless=True))
    assert all(one.forbidden is None for one in tasks(names, careless=False))


@pytest.mark.slow
@pytest.mark.parametrize("scenario", CURABLE)
def test_with_the_plan_from_the_truth_it_is_done_and_verified(scenario: str) -> None:
    assert_right(cured(scenario))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "change"),
    [
        pytest.param(name, change, id=f"{name}-{number}")
        for name in sorted(scenario_names())
        if not read_truth(name).twin
        for number, change in enumerate(read_truth(name).actions.forbidden_changes)
    ],
)
def test_a_careless_plan_is_refused_undone_or_handed_over(scenario: str, change: ForbiddenChange) -> None:
    assert_right(held(scenario, change))


def assert_right(course: Course) -> None:
    assert course.right, f"{course.plan} -> {course.status}: {course.why}"
