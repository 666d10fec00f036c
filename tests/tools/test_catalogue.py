"""The lint of the catalogue: an entry that does not say all that has to be known of it is refused."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memory.records.base import canonical_json
from memory.records.plan import ExpectedSignal, PlannedAction, Risk
from memory.retrieval import NAMING, RunbookIndex
from tests.tools.stand_ins import SCOPE
from tools.actions.base import Action, Parameters, Reversibility, State, differences
from tools.actions.ecs_rollback import EcsRollback, EcsRollbackService
from tools.actions.ecs_service import EXAMPLE_SERVICE
from tools.actions.registry import ACTIONS, named
from tools.inspection import Inspection
from tools.remedies import finders as remedies
from tools.remedies.finders import OFFERED
from tools.runbook_drift import LOOKS

WORDS = ("description", "effect", "blast", "way_back")
IAM_ACTION = re.compile(r"^[a-z0-9-]+:[A-Z][A-Za-z]+$")
READING = ("Describe", "Get", "List", "Lookup")
SAID = {
    Reversibility.INVERSE: r"(?!none)",
    Reversibility.SELF_RESTORING: "none is needed: .",
    Reversibility.NONE: "none: .",
}
NO_STATE: State = {"found": False}

each = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)


def faults(action: Action[Any]) -> list[str]:
    """Everything that an entry of the catalogue lacks."""
    params = action.parameters.model_validate(action.example)
    statements = action.permissions(params, SCOPE)
    allowed = {call for statement in statements for call in statement.actions}
    writes = allowed - set(action.reads)
    found = [
        *(f"{word} is not said" for word in WORDS if len(getattr(action, word).strip()) < 10),
        *(f"it has no {what}" for what in ("reads", "preconditions") if not getattr(action, what)),
        *(f"{name} is not described" for name, one in fields(action).items() if not one.description),
        *(f"{name} takes any text" for name in fields(action) if takes_anything(action.parameters, name)),
        *(f"{call} is no IAM action" for call in (*allowed, *action.reads) if not IAM_ACTION.match(call)),
        *(f"{call} is read and not allowed" for call in action.reads if call not in allowed),
        *(
            f"{call} does not only read"
            for call in action.reads
            if not call.split(":")[1].startswith(READING)
        ),
    ]
    found += unkept(action, params)
    if not isinstance(action.risk, Risk) or not isinstance(action.reversibility, Reversibility):
        found.append("its risk or its reversibility is not said")
    elif not re.match(SAID[action.reversibility], action.way_back):
        found.append(f"its way back does not say that it is {action.reversibility.value}")
    if not any(not call.split(":")[1].startswith(READING) for call in writes):
        found.append("it may change nothing")
    for statement in statements:
        changing = [call for call in statement.actions if call in writes]
        if changing and not all(arn.startswith("arn:aws:") for arn in statement.resources):
            found.append(f"{changing} on {statement.resources}")
    return found


def unkept(action: Action[Any], params: Parameters) -> list[str]:
    """What an entry does not keep of all that it says, held against its own example on a state that fits it."""
    state = action.example_state
    signals, back = action.expected(params, state), action.inverse(params, state)
    found = [f"its example does not fit its state: {one}" for one in action.problems(params, state)]
    found += [f"it reads no {key}" for key in (one.state_key for one in signals) if key and key not in state]
    if not signals:
        found.append("it expects no signal")
    if (back is not None) != (action.reversibility is Reversibility.INVERSE):
        found.append(f"its way back is {action.reversibility}, and its inverse is {back}")
    if back is not None and not action.holds(action.parameters.model_validate(back), state):
        found.append("its inverse does not bring back what was there")
    if action.holds(params, state):
        found.append("its example is done before it began")
    if not action.problems(params, NO_STATE):
        found.append("it has nothing against a target that is gone")
    return found


def fields(action: Action[Any]) -> dict[str, Any]:
    return dict(action.parameters.model_fields)


def takes_anything(parameters: type[Parameters], name: str) -> bool:
    """Say whether a parameter of text has neither a pattern nor a list of values."""
    schema = parameters.model_json_schema()
    offered = [schema["properties"][name], *schema["properties"][name].get("anyOf", [])]
    texts = [one for one in offered if one.get("type") == "string"]
    return any(not one.keys() & {"pattern", "enum", "const"} for one in texts)


@each
def test_an_entry_says_all_that_has_to_be_known_of_it(action: Action[Any]) -> None:
    assert faults(action) == []


@pytest.mark.parametrize(
    "lacking",
    [
        {"description": ""},
        {"effect": " "},
        {"blast": "-"},
        {"way_back": ""},
        {"way_back": "none is needed: it runs again by itself"},
        {"reversibility": Reversibility.NONE},
        {"reads": ()},
        {"reads": ("ecs:StopTask",)},
        {"preconditions": ()},
        {"risk": "low-ish"},
        {"reversibility": None},
    ],
)
def test_an_entry_that_lacks_something_is_refused(lacking: dict[str, Any]) -> None:
    whole = EcsRollbackService()

    assert faults(whole) == [] and faults(replace(whole, **lacking))


class PromisesNothing(EcsRollbackService):
    def expected(self, params: EcsRollback, state: State) -> tuple[ExpectedSignal, ...]:
        return ()


class PromisesWhatItDoesNotRead(EcsRollbackService):
    def expected(self, params: EcsRollback, state: State) -> tuple[ExpectedSignal, ...]:
        (rollout,) = super().expected(params, state)
        return (rollout.model_copy(update={"state_key": "mood"}),)


class HasNoInverse(EcsRollbackService):
    def inverse(self, params: EcsRollback, state: State) -> dict[str, Any] | None:
        return None


class GoesBackToItself(EcsRollbackService):
    def inverse(self, params: EcsRollback, state: State) -> dict[str, Any] | None:
        return params.model_dump()


class MindsNothing(EcsRollbackService):
    def problems(self, params: EcsRollback, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        return ()


class MindsItsExample(EcsRollbackService):
    def problems(self, params: EcsRollback, state: State, *, undoing: bool = False) -> tuple[str, ...]:
        return ("no",)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (PromisesNothing(), "it expects no signal"),
        (PromisesWhatItDoesNotRead(), "it reads no mood"),
        (HasNoInverse(), "its way back is inverse, and its inverse is None"),
        (GoesBackToItself(), "its inverse does not bring back what was there"),
        (MindsNothing(), "it has nothing against a target that is gone"),
        (MindsItsExample(), "its example does not fit its state: no"),
        (
            EcsRollbackService(example_state={**EXAMPLE_SERVICE, "ran_before": [], "wanted": None}),
            "its example does not fit its state: there is no task definition basket:7",
        ),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, EcsRollbackService) else "",
)
def test_an_entry_that_does_not_keep_what_it_says_is_refused(entry: EcsRollbackService, fault: str) -> None:
    assert fault in faults(entry)


@pytest.mark.parametrize("name", ["ecs_force_new_deployment", "sqs_redrive"])
def test_what_does_not_end_where_it_began_has_no_way_back(name: str) -> None:
    action = named(ACTIONS, name)
    assert action is not None and action.reversibility is Reversibility.NONE

    looked = Inspection(PlannedAction(action=name, parameters=action.example), action)
    assert not looked.has_a_way_back


@each
def test_a_target_that_is_gone_is_a_problem_and_promises_nothing(action: Action[Any]) -> None:
    params = action.parameters.model_validate(action.example)

    assert action.problems(params, NO_STATE) and action.problems(params, NO_STATE, undoing=True)
    assert action.inverse(params, NO_STATE) is None
    assert action.expected(params, NO_STATE) == ()
    assert not action.holds(params, NO_STATE)
    assert action.blast_radius(params, NO_STATE).share == 1.0
    assert json.loads(canonical_json(action.bound(NO_STATE)))["found"] is False


def test_names_are_given_once() -> None:
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)


def test_a_difference_names_the_entry_with_what_was_and_what_is() -> None:
    before = {"found": True, "wanted": {"status": "ACTIVE", "sha": "a"}, "desired": 4}
    now = {"found": True, "wanted": {"status": "ACTIVE", "sha": "b"}, "desired": 4, "paused": True}

    assert differences(before, now) == ("paused: null -> true", 'wanted.sha: "a" -> "b"')
    assert differences(before, before) == ()


def test_every_action_has_a_runbook_and_every_name_in_a_runbooks_head_can_be_looked_at() -> None:
    spoken_of = {name for book in RunbookIndex.open().runbooks for name in book.actions}

    assert {action.name for action in ACTIONS} <= spoken_of
    assert LOOKS.keys() == NAMING


def test_what_the_catalogue_says_is_offered_is_what_the_finders_offer() -> None:
    """Each finder makes its offers as `PlannedAction(action=Entry.name, ...)`."""
    entries = {type(action).__name__: action.name for action in ACTIONS}
    calls = [
        node
        for path in Path(remedies.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "PlannedAction"
    ]
    named = [word.value for call in calls for word in call.keywords if word.arg == "action"]
    offered = {ast.unparse(one).removesuffix(".name") for one in named}

    assert len(named) == len(calls) > 5
    assert {entries[name] for name in offered} == OFFERED.keys()
