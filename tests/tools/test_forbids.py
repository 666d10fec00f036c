"""Each `forbid` of the policies refuses what it is there for, and is named for it. Fast: the mutation check runs it."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from memory.records.config import Autonomy
from memory.records.incident import Severity
from memory.records.plan import Risk, Ruling
from tests.tools.dials import POLICY, around
from tests.tools.test_policy import inspection
from tools.ahead import Ahead
from tools.crowd import Crowd
from tools.policy import FOLDER

REFUSE, ASK = Ruling.REFUSE, Ruling.ASK
# The policy, what is planned, the circumstances, and the ruling; without the policy it would be milder.
CASES: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any], Ruling], ...] = (
    ("kill-switch", {}, {"kill_switch": True}, REFUSE),
    ("freeze-needs-a-person", {}, {"freeze": True}, ASK),
    ("observe-only", {}, {"autonomy": Autonomy.OBSERVE}, REFUSE),
    ("problem-found", {"problems": 1}, {}, REFUSE),
    ("wide-needs-a-person", {"share": 0.51}, {}, ASK),
    ("no-way-back-needs-a-person", {"reversible": False}, {}, ASK),
    ("high-risk-needs-a-way-back", {"risk": Risk.HIGH, "reversible": False}, {}, REFUSE),
    ("one-at-a-time", {"crowd": Crowd(1, "another is called")}, {}, REFUSE),
    ("too-often-needs-a-person", {"crowd": Crowd(4)}, {}, ASK),
    ("permission-missing", {"ahead": Ahead(denied=("ecs:UpdateService",))}, {}, REFUSE),
    ("unanswered-needs-a-person", {"ahead": Ahead(unanswered=("IAM",))}, {}, ASK),
)


def _forbids() -> set[str]:
    text = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.cedar")))
    return set(re.findall(r'@id\("([\w-]+)"\)\s*@says\("[^"]*"\)\s*forbid', text))


def test_every_forbid_has_a_case() -> None:
    assert {name for name, _, _, _ in CASES} >= _forbids()


@pytest.mark.parametrize(
    ("name", "planned", "circumstances", "ruling"), CASES, ids=[case[0] for case in CASES]
)
def test_each_forbid_refuses_what_it_is_there_for(
    name: str, planned: Mapping[str, Any], circumstances: Mapping[str, Any], ruling: Ruling
) -> None:
    review = POLICY.rule(inspection(**planned), around(Severity.LOW, **circumstances))

    assert review.ruling is ruling
    assert name in review.policy_ids


def test_what_no_forbid_is_about_is_permitted() -> None:
    assert POLICY.rule(inspection(), around(Severity.LOW)).ruling is Ruling.PERMIT
