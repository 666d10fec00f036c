"""What a guard would mask is masked for the model, and is never taken for somebody's orders."""

import json
import re
from typing import Any

import pytest

from agents.guardrails import SENSITIVE, Direction, Findings
from agents.observations import MASKED, WITHHELD_WHOLE, Observations
from tests.tools.stand_ins import Kept, recorder
from tools.evidence import Answer

SHARE = 0.1732421083716036
DEPLOYMENTS = ("5198637902821572257", "9328009746106332278")
COMPLETED = "(service {}) (deployment ecs-svc/{}) deployment completed."


class Masking:
    """A guard that masks digits together, as many as a card has, wherever they stand in the JSON."""

    signs: tuple[str, ...] = (r"(?<![\w-])(\d{16}|\d{19})(?![\w-])",)

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        found = tuple(match for sign in self.signs for match in re.findall(sign, text))
        return Findings(flags=(SENSITIVE,), matches=found) if found else Findings()


def shown(result: Any, guard: Any = None) -> Any:
    seen = Observations(guard or Masking())
    evidence = recorder(Kept()).observe("logs", "logs", "Q", {}, lambda: Answer(result), untrusted=True)
    view = seen.show(evidence, 6_000)
    assert not seen.flagged
    assert "flags" not in view
    return view["result"]


@pytest.mark.parametrize(
    ("result", "left"),
    [
        ({"share": SHARE, "before": 0.25}, {"share": MASKED, "before": 0.25}),
        ({"order": 1732421083716036}, {"order": MASKED}),
        ({"1732421083716036": "placed"}, {MASKED: "placed"}),
        ({"rows": ["order 1732421083716036 placed"]}, {"rows": [f"order {MASKED} placed"]}),
    ],
)
def test_digits_that_look_like_a_cards_are_masked_wherever_they_stand(result: Any, left: Any) -> None:
    assert shown(result) == left


def test_numbers_of_deployments_that_pass_as_a_cards_are_nobodys_orders() -> None:
    events = [{"message": COMPLETED.format("basket", number)} for number in DEPLOYMENTS]
    masked = [{"message": COMPLETED.format("basket", MASKED)} for _ in DEPLOYMENTS]
    assert shown({"events": events}) == {"events": masked}


class MasksCarts(Masking):
    """Masks the name of a cart up to the next space or quote, which an escaped quote is not."""

    signs = (r"cart=([^\s\"]+)",)


@pytest.mark.parametrize("text", ['{"said":"cart=blue"}', "cart=blue", "cart=bl\\ue x"])
def test_the_mask_itself_is_no_finding_and_an_escape_does_not_hide_a_match(text: str) -> None:
    left = shown({"rows": [text]}, MasksCarts())
    assert MASKED in json.dumps(left["rows"][0])
    assert "blue" not in str(left)


class Stubborn:
    """A guard whose match stands in no text."""

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        return Findings(flags=(SENSITIVE,), matches=("what stands nowhere",))


def test_what_cannot_be_masked_is_shown_to_nobody_and_is_no_order() -> None:
    assert shown({"rows": ["a"]}, Stubborn()) == WITHHELD_WHOLE
