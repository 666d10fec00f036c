from collections.abc import Collection
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.records.config import Autonomy
from memory.records.incident import Severity
from memory.records.plan import PlannedAction, Risk, Ruling
from tests.tools.dials import POLICY, Dials, SetDial, SetDialAction, around, plan
from tools.actions.base import BlastRadius
from tools.actions.registry import ACTIONS, named
from tools.ahead import NOTHING_KNOWN, Ahead
from tools.aws.access import AwsAccess
from tools.crowd import NOBODY_ELSE, Crowd
from tools.errors import Misconfigured
from tools.inspection import Inspection
from tools.policy import FOLDER, Circumstances, Policy

PLANNED = PlannedAction(action="set_dial", parameters={"dial": "main", "value": 9})
STRICTNESS = {Ruling.PERMIT: 0, Ruling.ASK: 1, Ruling.REFUSE: 2}
LEVELS = [Autonomy.OBSERVE, Autonomy.PROPOSE, Autonomy.ACT_ON_LOW, Autonomy.ACT_ON_MEDIUM]


def inspection(
    risk: Risk = Risk.LOW,
    share: float = 0.1,
    *,
    reversible: bool = True,
    problems: int = 0,
    crowd: Crowd = NOBODY_ELSE,
    ahead: Ahead = NOTHING_KNOWN,
) -> Inspection:
    return Inspection(
        planned=PLANNED,
        action=SetDialAction(Dials(), risk=risk),
        params=SetDial(dial="main", value=9),
        state={"found": True},
        problems=("a problem",) * problems,
        fingerprint="f",
        blast=BlastRadius(text="one dial", share=share),
        inverse={"dial": "main", "value": 7} if reversible else None,
        crowd=crowd,
        ahead=ahead,
    )


CROWDS = [
    Crowd(),
    Crowd(recent=3),
    Crowd(recent=4),
    Crowd(recent=1, busy="set_dial of incident 5f0a3ad8 is called"),
]
AHEADS = [
    Ahead(),
    Ahead(denied=("the role may not dial:Set on main",)),
    Ahead(unanswered=("IAM cannot be asked",)),
    Ahead(no_way_back=("it could not be taken back: the role may not dial:Set on main",)),
]


inspections = st.builds(
    inspection,
    st.sampled_from(Risk),
    st.floats(0, 1),
    reversible=st.booleans(),
    problems=st.integers(0, 2),
    crowd=st.sampled_from(CROWDS),
    ahead=st.sampled_from(AHEADS),
)
circumstances = st.builds(
    around,
    st.sampled_from(Severity),
    st.sampled_from(Autonomy),
    kill_switch=st.booleans(),
    freeze=st.booleans(),
)


@pytest.mark.parametrize(
    ("autonomy", "risk", "severity", "ruling"),
    [
        (Autonomy.OBSERVE, Risk.LOW, Severity.LOW, Ruling.REFUSE),
        (Autonomy.PROPOSE, Risk.LOW, Severity.LOW, Ruling.ASK),
        (Autonomy.ACT_ON_LOW, Risk.LOW, Severity.LOW, Ruling.PERMIT),
        (Autonomy.ACT_ON_LOW, Risk.LOW, Severity.MEDIUM, Ruling.PERMIT),
        (Autonomy.ACT_ON_LOW, Risk.MEDIUM, Severity.LOW, Ruling.ASK),
        (Autonomy.ACT_ON_MEDIUM, Risk.LOW, Severity.MEDIUM, Ruling.PERMIT),
        (Autonomy.ACT_ON_MEDIUM, Risk.MEDIUM, Severity.MEDIUM, Ruling.PERMIT),
        (Autonomy.ACT_ON_MEDIUM, Risk.MEDIUM, Severity.HIGH, Ruling.ASK),
        (Autonomy.ACT_ON_MEDIUM, Risk.LOW, Severity.CRITICAL, Ruling.ASK),
        (Autonomy.ACT_ON_MEDIUM, Risk.HIGH, Severity.LOW, Ruling.ASK),
    ],
)
def test_the_rules_for_risk_severity_and_autonomy(
    autonomy: Autonomy, risk: Risk, severity: Severity, ruling: Ruling
) -> None:
    assert POLICY.rule(inspection(risk), around(severity, autonomy)).ruling is ruling


@settings(deadline=None)
@given(inspections, circumstances)
def test_nothing_is_permitted_without_every_reason_to(looked: Inspection, at: Circumstances) -> None:
    review = POLICY.rule(looked, at)

    if review.ruling is Ruling.PERMIT:
        assert looked.action is not None and looked.action.risk in {Risk.LOW, Risk.MEDIUM}
        assert at.severity in {Severity.LOW, Severity.MEDIUM}
        assert at.autonomy in {Autonomy.ACT_ON_LOW, Autonomy.ACT_ON_MEDIUM}
        assert looked.inverse is not None and looked.blast.share <= 0.5 and not at.freeze
        assert looked.crowd.recent < 4 and looked.ahead == Ahead()
    if review.ruling is not Ruling.REFUSE:
        assert not at.kill_switch and not looked.problems and at.autonomy is not Autonomy.OBSERVE
        assert not looked.crowd.busy and not looked.ahead.denied
    assert review.reasons and review.policy_set_sha256 == POLICY.sha256


@settings(deadline=None)
@given(inspections, circumstances)
def test_more_autonomy_never_makes_a_ruling_stricter(looked: Inspection, at: Circumstances) -> None:
    rulings = [POLICY.rule(looked, replace(at, autonomy=level)).ruling for level in LEVELS]

    strictness = [STRICTNESS[ruling] for ruling in rulings]
    assert strictness == sorted(strictness, reverse=True)


@settings(deadline=None)
@given(inspections, circumstances)
def test_the_kill_switch_and_a_problem_stop_an_undo(looked: Inspection, at: Circumstances) -> None:
    allowed = POLICY.ask("revert", looked, at, approved=False).allowed

    assert allowed == (not at.kill_switch and not looked.problems)


def _whole_table() -> list[tuple[Inspection, Circumstances]]:
    looked = [
        inspection(risk, share, reversible=reversible, problems=problems)
        for risk, share, reversible, problems in product(Risk, (0.1, 0.9), (True, False), (0, 1))
    ]
    at = [
        around(severity, autonomy, kill_switch=kill, freeze=freeze)
        for severity, autonomy, kill, freeze in product(
            (Severity.LOW, Severity.HIGH), Autonomy, (True, False), (True, False)
        )
    ]
    crowded = [inspection(crowd=crowd, ahead=ahead) for crowd, ahead in product(CROWDS, AHEADS)]
    calm = around(Severity.LOW)
    return [*product(looked, at), *((one, calm) for one in crowded)]


def _answers(policy: Policy) -> list[tuple[Ruling, bool]]:
    return [
        (policy.rule(looked, at).ruling, policy.ask("revert", looked, at, approved=False).allowed)
        for looked, at in _whole_table()
    ]


def test_every_policy_decides_something() -> None:
    schema = (FOLDER / "schema.cedarschema").read_text()
    text = "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.cedar")))
    policies = [f"@id({part}" for part in text.split("@id(")[1:]]
    whole = _answers(Policy("\n".join(policies), schema))

    for left_out in policies:
        rest = "\n".join(policy for policy in policies if policy is not left_out)
        assert _answers(Policy(rest, schema)) != whole, left_out


def test_a_level_for_a_service_or_an_action_only_narrows() -> None:
    levels = {"set_dial": Autonomy.PROPOSE, "other": Autonomy.ACT_ON_MEDIUM}
    asked: list[set[str]] = []

    def level_of(action: str, services: Collection[str] | None) -> Autonomy:
        asked.append(set(services or ()))
        return levels.get(action, Autonomy.OBSERVE)

    at = replace(
        around(Severity.LOW), level_of=level_of, services=frozenset({"web"}), known=frozenset({"main"})
    )

    assert POLICY.rule(inspection(), at).ruling is Ruling.ASK
    assert POLICY.rule(inspection(), replace(at, autonomy=Autonomy.OBSERVE)).ruling is Ruling.REFUSE
    assert asked[0] == {"web", "main"}
    levels["set_dial"] = Autonomy.ACT_ON_MEDIUM
    assert POLICY.rule(inspection(), replace(at, autonomy=Autonomy.PROPOSE)).ruling is Ruling.ASK


@pytest.mark.parametrize(
    ("looked", "at", "ruling", "said"),
    [
        (inspection(crowd=CROWDS[1]), around(Severity.LOW), Ruling.PERMIT, "low risk"),
        (inspection(crowd=CROWDS[2]), around(Severity.LOW), Ruling.ASK, "as often within the hour"),
        (inspection(crowd=CROWDS[3]), around(Severity.LOW), Ruling.REFUSE, "incident 5f0a3ad8 is called"),
        (inspection(ahead=AHEADS[1]), around(Severity.LOW), Ruling.REFUSE, "may not dial:Set on main"),
        (inspection(ahead=AHEADS[2]), around(Severity.LOW), Ruling.ASK, "IAM cannot be asked"),
        (inspection(ahead=AHEADS[3]), around(Severity.LOW), Ruling.ASK, "could not be taken back: the role"),
        (inspection(Risk.HIGH, ahead=AHEADS[3]), around(), Ruling.REFUSE, "high risk without a way back"),
        (
            inspection(),
            replace(around(Severity.LOW, freeze=True), freeze_reason="the freeze year's end holds"),
            Ruling.ASK,
            "year's end",
        ),
    ],
)
def test_what_stands_in_the_way_is_said_in_particular(
    looked: Inspection, at: Circumstances, ruling: Ruling, said: str
) -> None:
    review = POLICY.rule(looked, at)

    assert review.ruling is ruling
    assert any(said in reason for reason in review.reasons), review.reasons


def test_a_review_names_the_policies_behind_it() -> None:
    asked = POLICY.rule(inspection(Risk.MEDIUM, 0.9), around(Severity.LOW))
    refused = POLICY.rule(inspection(), around(kill_switch=True))

    assert {"approved", "wide-needs-a-person"} <= set(asked.policy_ids)
    assert asked.reasons == ("it needs a person's approval", "it touches more than half of what serves")
    assert refused.policy_ids == ("kill-switch",)
    assert "set_dial" in asked.inverse and asked.blast_radius == "one dial"


@pytest.mark.parametrize(
    ("name", "ruling"),
    [("ecs_force_new_deployment", Ruling.ASK), ("sqs_redrive", Ruling.ASK), ("ecs_stop_task", Ruling.PERMIT)],
)
def test_who_has_no_way_back_asks_a_person_and_says_why(name: str, ruling: Ruling) -> None:
    action = named(ACTIONS, name)
    assert action is not None
    looked = replace(inspection(reversible=False), action=action)

    review = POLICY.rule(looked, around(Severity.LOW))

    assert review.ruling is ruling and review.inverse == action.way_back
    assert ("no-way-back-needs-a-person" in review.policy_ids) is (ruling is Ruling.ASK)
    assert ("there is no way back" in review.reasons) is (ruling is Ruling.ASK)


@settings(deadline=None)
@given(st.text(max_size=30), st.dictionaries(st.text(max_size=5), st.integers(), max_size=3))
def test_what_is_not_in_the_catalogue_is_refused(name: str, parameters: dict[str, int]) -> None:
    planned = plan(action=name).actions[0].model_copy(update={"parameters": parameters})
    one = plan().model_copy(update={"actions": (planned,)})

    (review,) = POLICY.review(AwsAccess("us-east-1"), one, around(Severity.LOW), ACTIONS)

    assert review.ruling is Ruling.REFUSE and review.reasons


def test_an_engine_that_fails_permits_nothing() -> None:
    schema = (FOLDER / "schema.cedarschema").read_text()
    overflow = (
        '@id("all") permit (principal, action, resource);\n'
        '@id("broken") forbid (principal, action, resource) '
        "when { context.blast_percent * 9223372036854775807 > 0 };"
    )
    policy = Policy(overflow, schema)

    assert policy.rule(inspection(share=0.5), around(Severity.LOW)).ruling is Ruling.REFUSE


@pytest.mark.parametrize(
    "text",
    [
        "permit (principal, action, resource);",
        '@id("a") permit (principal, action, resource);\n@id("a") permit (principal, action, resource);',
        '@id("a") permit (principal, action, resource) when { context.severityy == "low" };',
        '@id("a") permit (principal, action == Action::"exekute", resource);',
        "this is no policy",
    ],
)
def test_wrong_policies_are_not_loaded(tmp_path: Path, text: str) -> None:
    (tmp_path / "schema.cedarschema").write_text((FOLDER / "schema.cedarschema").read_text())
    (tmp_path / "one.cedar").write_text(text)

    with pytest.raises(Misconfigured):
        Policy.load(tmp_path)


def test_a_folder_without_policies_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        Policy.load(tmp_path)


def test_other_policies_have_another_digest() -> None:
    schema = (FOLDER / "schema.cedarschema").read_text()

    assert Policy('@id("a") permit (principal, action, resource);', schema).sha256 != POLICY.sha256
