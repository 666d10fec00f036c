"""The catalogue as people read it: in the terminal, as JSON, and on the page that is made from it."""

import io
import json
from contextlib import redirect_stdout

from console.catalogue import PAGE, described, page, promised, show_catalogue
from tools.actions.registry import ACTIONS, named


def printed(*, as_json: bool) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        assert show_catalogue(as_json=as_json) == 0
    return out.getvalue()


def test_the_page_of_actions_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make actions`"


def test_the_terminal_lists_every_action_with_its_risk() -> None:
    text = printed(as_json=False)
    assert all(action.name in text for action in ACTIONS) and "medium" in text


def test_an_action_is_listed_with_the_signals_that_it_is_held_to_and_by_when() -> None:
    rollback, alias = named(ACTIONS, "ecs_rollback_service"), named(ACTIONS, "lambda_shift_alias")
    assert rollback is not None and alias is not None

    assert promised(rollback) == (
        "within 10 min: the rollout of basket:7 completes (its rollout becomes COMPLETED)",
    )
    assert promised(alias)[1] == "within 5 min: fewer invocations of mailer fail (AWS/Lambda Errors falls)"
    assert all(promised(action) for action in ACTIONS)
    assert printed(as_json=False).count("- within ") == sum(len(promised(action)) for action in ACTIONS)
    assert all(one in page() for action in ACTIONS for one in promised(action))
    for told in json.loads(printed(as_json=True)):
        assert all(
            one["within_seconds"] and ("metric" in one or "state_key" in one) for one in told["expected"]
        )


def test_as_json_each_entry_says_all_of_itself() -> None:
    told = json.loads(printed(as_json=True))
    assert told == [described(action) for action in ACTIONS]
    for one in told:
        assert one["permissions"] and one["preconditions"] and one["blast_radius"] and one["way_back"]
