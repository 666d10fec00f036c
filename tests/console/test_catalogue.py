"""The catalogue as people read it: in the terminal, as JSON, and on the page that is made from it."""

import io
import json
from contextlib import redirect_stdout

from console.catalogue import PAGE, described, page, show_catalogue
from tools.actions.registry import ACTIONS


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


def test_as_json_each_entry_says_all_of_itself() -> None:
    told = json.loads(printed(as_json=True))
    assert told == [described(action) for action in ACTIONS]
    for one in told:
        assert one["permissions"] and one["preconditions"] and one["blast_radius"] and one["way_back"]
