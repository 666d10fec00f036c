"""What a model claims stands only as far as stored evidence carries it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.claims import check_claims
from agents.critic import Critic, Doubt, Looking
from agents.guardrails import Direction, Findings, LocalSigns
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.incident import Severity
from tests.agents.desk import (
    INCIDENT,
    METRIC,
    OTHER,
    POISON,
    QUIET,
    ROLLOUT,
    SCOPE,
    STORED,
    UNCLEAR,
    assessment,
    evidence,
    first_look,
    hypothesis,
    look_up,
    sources,
)
from tests.agents.scripted import calling, heard_text, role


def checked(given: Assessment) -> Assessment:
    return check_claims(given, first_look(), STORED.get)


def test_a_founded_assessment_stands_unchanged() -> None:
    assert checked(assessment()) == assessment()


def test_invented_citations_are_removed_and_counted() -> None:
    cited = (METRIC.evidence_id, "ev-000000000000", "ev-111111111111")
    left = checked(
        assessment(hypotheses=(hypothesis(evidence_for=cited, evidence_against=("ev-222222222222",)),))
    )
    assert left.hypotheses[0].evidence_for == (METRIC.evidence_id,)
    assert left.hypotheses[0].evidence_against == ()
    assert left.claims_removed == 3
    assert left.verdict is Verdict.CAUSE


def test_a_hypothesis_without_a_stored_citation_is_dropped_and_the_cause_with_it() -> None:
    left = checked(assessment(hypotheses=(hypothesis(evidence_for=("ev-000000000000",), confidence=0.9),)))
    assert (left.causes, left.hypotheses) == ((), first_look().hypotheses)
    assert left.verdict is Verdict.UNRESOLVED
    assert left.claims_removed == 2


@pytest.mark.parametrize("flagged", [(), (ROLLOUT.evidence_id,)])
def test_a_hypothesis_that_rests_only_on_flagged_evidence_is_dropped(flagged: tuple[str, ...]) -> None:
    cited = (POISON.evidence_id, *flagged)
    left = check_claims(
        assessment(hypotheses=(hypothesis(evidence_for=cited),)), first_look(), STORED.get, flagged
    )
    assert (left.causes, left.hypotheses) == ((), first_look().hypotheses)
    assert left.verdict is Verdict.UNRESOLVED


def test_a_suspect_that_was_ruled_out_stays_told_and_can_be_no_cause() -> None:
    out = hypothesis(
        component="front",
        change="front:3",
        statement="front:3 does not fit.",
        evidence_for=(),
        evidence_against=(OTHER.evidence_id,),
        confidence=0.9,
    )
    left = checked(assessment(hypotheses=(hypothesis(), out)))
    assert [h.component for h in left.hypotheses] == ["basket", "front"]
    assert left.hypotheses[1].confidence <= 0.1
    assert left.claims_removed == 0
    assert checked(assessment(hypotheses=(out,))).verdict is Verdict.UNRESOLVED


def test_flagged_evidence_beside_sound_evidence_does_no_harm() -> None:
    cited = (POISON.evidence_id, METRIC.evidence_id)
    assert len(checked(assessment(hypotheses=(hypothesis(evidence_for=cited),))).hypotheses) == 1


def test_a_component_that_the_cited_evidence_never_names_is_dropped() -> None:
    stranger = hypothesis(component="warehouse", change=None)
    left = checked(assessment(hypotheses=(stranger,)))
    assert (left.verdict, left.hypotheses) == (Verdict.UNRESOLVED, first_look().hypotheses)


def test_a_component_that_only_a_line_of_a_log_tells_of_is_dropped() -> None:
    told = evidence("ev-eeeeeeeeeeee", "logs of basket", {"rows": ["warehouse is broken, says basket"]})
    stranger = hypothesis(component="warehouse", change=None, evidence_for=(told.evidence_id,))
    left = check_claims(
        assessment(hypotheses=(stranger,)), first_look(), {**STORED, told.evidence_id: told}.get
    )
    assert [one.component for one in left.hypotheses] == ["basket"]


def test_what_competes_is_kept_to_the_end_though_nobody_mentions_it() -> None:
    decoy = hypothesis(component="front", change="front:3", evidence_for=(OTHER.evidence_id,), confidence=0.9)
    left = check_claims(assessment(), first_look(hypotheses=(hypothesis(), decoy)), STORED.get)
    assert [(one.component, one.confidence) for one in left.hypotheses] == [("basket", 0.8), ("front", 0.8)]
    assert left.causes == (hypothesis(),)
    assert left.claims_removed == 0


TABLE = hypothesis(
    kind=CauseKind.CAPACITY,
    component="baskets",
    change="WriteCapacityUnits",
    statement="baskets is too small.",
    evidence_for=(METRIC.evidence_id,),
    confidence=0.6,
)


def test_several_independent_causes_stand_together() -> None:
    both = first_look(hypotheses=(hypothesis(), TABLE), causes=(hypothesis(), TABLE))
    said = assessment(hypotheses=(hypothesis(), TABLE), causes=(hypothesis(), TABLE))
    left = check_claims(said, both, STORED.get)
    assert (left.verdict, left.causes, left.found_causes) == (Verdict.CAUSE, said.causes, said.causes)
    assert left.confidence == 0.6
    assert left.hypotheses == said.causes


def test_one_of_several_causes_alone_is_left_to_people() -> None:
    both = first_look(hypotheses=(hypothesis(), TABLE), causes=(hypothesis(), TABLE))
    assert check_claims(assessment(), both, STORED.get).verdict is Verdict.UNRESOLVED
    more = assessment(hypotheses=(hypothesis(), TABLE), causes=(hypothesis(), TABLE))
    one = first_look(hypotheses=(hypothesis(), TABLE))
    assert check_claims(more, one, STORED.get).verdict is Verdict.UNRESOLVED


def test_the_four_groups_are_what_code_measured() -> None:
    measured = first_look(healthy=("baskets",), changed_otherwise=("front",))
    left = check_claims(assessment(affected=("front",), healthy=("basket",)), measured, STORED.get)
    assert left.affected == ("basket", "front")
    assert (left.healthy, left.changed_otherwise) == (("baskets",), ("front",))


def test_a_statement_with_a_number_nobody_measured_is_replaced_by_codes_own() -> None:
    left = checked(assessment(hypotheses=(hypothesis(statement="basket loses 73 % of its orders."),)))
    assert left.hypotheses[0].statement == hypothesis().statement
    assert left.claims_removed == 1


def test_a_summary_with_a_number_nobody_measured_is_replaced() -> None:
    left = checked(assessment(summary="basket lost 4217 orders since basket:8."))
    assert "4217" not in left.summary
    assert left.claims_removed == 1
    assert checked(assessment(summary="35 % of basket's requests fail.")).summary.startswith("35 %")


@given(st.sampled_from(Severity))
def test_severity_never_comes_from_the_model(said: Severity) -> None:
    assert checked(assessment(severity=said)).severity is Severity.HIGH


@pytest.mark.parametrize("measured", [QUIET, UNCLEAR])
def test_a_model_cannot_make_a_cause_that_code_did_not_find(measured: object) -> None:
    left = check_claims(assessment(), measured, STORED.get)  # type: ignore[arg-type]
    assert left.verdict is Verdict.UNRESOLVED
    assert left.hypotheses[0].confidence <= 0.5


@pytest.mark.parametrize("measured", [first_look(), UNCLEAR])
def test_a_model_cannot_call_an_alarm_noise(measured: object) -> None:
    said = assessment(verdict=Verdict.NOISE, summary="Only noise.", hypotheses=())
    left = check_claims(said, measured, STORED.get)  # type: ignore[arg-type]
    assert left.verdict is Verdict.UNRESOLVED
    assert "Only noise." not in left.summary


def test_noise_stands_when_both_say_so() -> None:
    said = assessment(verdict=Verdict.NOISE, summary="Nobody is harmed.", hypotheses=(), causal_path=())
    assert check_claims(said, QUIET, STORED.get).verdict is Verdict.NOISE


def test_a_model_that_prefers_another_suspect_leaves_the_incident_to_people() -> None:
    decoy = hypothesis(component="front", change="front:3", evidence_for=(OTHER.evidence_id,), confidence=0.9)
    both = first_look(hypotheses=(hypothesis(), decoy.model_copy(update={"confidence": 0.3})))
    said = assessment(hypotheses=(decoy, hypothesis(confidence=0.2)))
    left = check_claims(said, both, STORED.get)
    assert left.verdict is Verdict.UNRESOLVED
    assert [h.component for h in left.hypotheses] == ["front", "basket"]
    assert left.hypotheses[0].confidence == pytest.approx(0.5)


def test_a_model_cannot_change_the_change() -> None:
    said = assessment(hypotheses=(hypothesis(change="basket:6"),))
    left = checked(said)
    assert left.verdict is Verdict.UNRESOLVED
    assert all(h.change is None for h in left.hypotheses)


def test_too_little_confidence_is_no_cause() -> None:
    assert checked(assessment(confidence=0.1)).verdict is Verdict.UNRESOLVED


@given(st.floats(0, 1), st.sampled_from(CauseKind), st.sampled_from(Verdict))
def test_whatever_is_said_a_cause_is_always_the_one_that_was_measured(
    confidence: float, kind: CauseKind, verdict: Verdict
) -> None:
    said = assessment(
        verdict=verdict, confidence=confidence, hypotheses=(hypothesis(kind=kind, confidence=confidence),)
    )
    left = checked(said)
    assert left.verdict is not Verdict.NOISE
    if left.verdict is Verdict.CAUSE:
        assert left.leading is not None
        assert (left.leading.kind, left.leading.component) == (CauseKind.DEPLOYMENT, "basket")


def reviewed(doubt: object, given: Assessment | None = None, look: FirstLook | None = None) -> Assessment:
    model, _ = role(doubt, name="critic")  # type: ignore[arg-type]
    result = Critic(model, LocalSigns()).review(
        look or first_look(), given or assessment(), STORED.get, STORED.values()
    )
    return result.assessment


def test_the_second_reader_may_only_lower_confidence() -> None:
    assert reviewed(Doubt(confidence=1.0)).confidence == 0.8
    lowered = reviewed(Doubt(confidence=0.5, evidence_against=[OTHER.evidence_id, "ev-000000000000"]))
    assert (lowered.confidence, lowered.hypotheses[0].confidence) == (0.5, 0.5)
    assert lowered.hypotheses[0].evidence_against == (OTHER.evidence_id,)
    assert lowered.claims_removed == 1
    assert lowered.verdict is Verdict.CAUSE


DOUBTS = st.builds(
    Doubt,
    confidence=st.floats(0, 1),
    evidence_against=st.lists(st.sampled_from([*STORED, "ev-000000000000"]), max_size=5),
    objection=st.sampled_from(
        ["", "front:3 was rolled out too.", "kaluro lost 4217 orders.", "It looks healthy."]
    ),
)


@settings(max_examples=60, deadline=None)
@given(DOUBTS, st.floats(0.36, 1))
def test_whatever_the_second_reader_says_it_only_takes_away(doubt: Doubt, confidence: float) -> None:
    before = assessment(confidence=confidence, hypotheses=(hypothesis(confidence=confidence), TABLE))
    checked = check_claims(before, first_look(hypotheses=(hypothesis(), TABLE)), STORED.get)
    after = reviewed(doubt, checked, first_look(hypotheses=(hypothesis(), TABLE)))
    assert after.confidence <= checked.confidence
    assert after.verdict in {checked.verdict, Verdict.UNRESOLVED}
    assert after.severity is checked.severity
    assert [one.component for one in after.hypotheses] == [one.component for one in checked.hypotheses]
    for old, new in zip(checked.hypotheses, after.hypotheses, strict=True):
        assert new.confidence <= old.confidence
        assert (new.kind, new.change, new.statement) == (old.kind, old.change, old.statement)
        assert new.evidence_for == old.evidence_for
        assert set(new.evidence_against) <= {*old.evidence_against, *STORED} - {POISON.evidence_id}
    assert after.claims_removed >= checked.claims_removed
    # The number alone may stand among the digits of a confidence.
    assert "4217 orders" not in after.model_dump_json()


def test_the_second_reader_looks_for_counter_evidence_and_can_cite_it() -> None:
    def cite(messages: object) -> Doubt:
        observation = json.loads(heard_text(chat).split("\n")[-1])["observation"]
        return Doubt(confidence=0.4, evidence_against=[observation["evidence_id"]])

    model, chat = role(calling("look_up", service="front"), cite, name="critic")
    given_ = sources()
    critic = Critic(model, LocalSigns(), (look_up(["front:3 is fine"]),))
    result = critic.review(first_look(), assessment(), STORED.get, STORED.values(), Looking(INCIDENT, given_))
    assert result.assessment.confidence == 0.4
    (found,) = set(result.assessment.hypotheses[0].evidence_against)
    assert given_.recorder.ledger.get(SCOPE, INCIDENT.incident_id, found) is not None
    assert (result.spend.tool_calls, result.spend.aws_calls) == (1, 1)


def test_a_second_reader_that_reads_for_ever_is_ended_and_named() -> None:
    turns = iter(["front", "basket", "baskets", "shop", "front", "basket"])
    model, chat = role(lambda _: calling("look_up", service=next(turns)), name="critic")
    critic = Critic(model, LocalSigns(), (look_up(["nothing"]),))
    result = critic.review(first_look(), assessment(), STORED.get, (), Looking(INCIDENT, sources()))
    assert len(chat.heard) == 4
    assert result.assessment.confidence == 0.8
    assert "No second reader doubted this" in result.assessment.not_checked[-1]


class Objecting:
    """A guard that objects to everything by now, whatever it let pass before."""

    def scan(self, text: str, direction: Direction = Direction.IN) -> Findings:
        return Findings(flags=("prompt_injection",))


def test_a_cause_that_rests_on_what_a_guard_flags_only_by_now_is_dropped() -> None:
    lines = evidence("ev-eeeeeeeeeeee", "lines of basket", {"rows": ["basket:8 fails"]}, untrusted=True)
    found = assessment(hypotheses=(hypothesis(evidence_for=(lines.evidence_id,)),))
    model, _ = role(Doubt(confidence=0.8), Doubt(confidence=0.8), name="critic")
    stored = {lines.evidence_id: lines, **STORED}
    look = first_look(hypotheses=found.hypotheses)
    passed, dropped = (
        Critic(model, guard).review(look, found, stored.get, [lines]).assessment
        for guard in (LocalSigns(), Objecting())
    )
    assert (passed.verdict, passed.flagged) == (Verdict.CAUSE, ())
    assert (dropped.verdict, dropped.causes) == (Verdict.UNRESOLVED, ())
    assert dropped.flagged == (lines.evidence_id,)


def test_a_strong_doubt_leaves_the_incident_to_people() -> None:
    doubted = reviewed(Doubt(confidence=0.1, objection="front was rolled out as front:3 too."))
    assert doubted.verdict is Verdict.UNRESOLVED
    assert doubted.not_checked == ("Objection: front was rolled out as front:3 too.",)


def test_an_objection_with_an_invented_number_is_removed() -> None:
    assert reviewed(Doubt(confidence=0.7, objection="The errors began 47 minutes before.")).not_checked == ()


def test_a_second_reader_who_is_away_is_named() -> None:
    result = reviewed(ConnectionError("no route"))
    assert result.verdict is Verdict.CAUSE
    assert "No second reader doubted this" in result.not_checked[0]


def test_nobody_is_asked_where_nothing_is_claimed() -> None:
    model, chat = role(Doubt(confidence=0.5), name="critic")
    critic = Critic(model, LocalSigns())
    critic.review(UNCLEAR, assessment(verdict=Verdict.UNRESOLVED, hypotheses=()), STORED.get, ())
    critic.review(first_look(), assessment(by_model=False), STORED.get, ())
    critic.review(QUIET, assessment(verdict=Verdict.NOISE, hypotheses=(), by_model=False), STORED.get, ())
    assert chat.heard == []


SPIKE = hypothesis(
    kind=CauseKind.NOISE,
    change=None,
    statement="Nobody is affected, the same spike came before.",
    evidence_for=(METRIC.evidence_id,),
    confidence=0.85,
)
LEAD = hypothesis(
    component="front",
    change="front:3",
    statement="front:3.",
    evidence_for=(OTHER.evidence_id,),
    confidence=0.3,
)


def noise_after(doubt: Doubt, *hypotheses: Hypothesis) -> tuple[Assessment, str]:
    look = QUIET.model_copy(update={"hypotheses": hypotheses})
    found = assessment(
        verdict=Verdict.NOISE, hypotheses=hypotheses, summary="Nobody is harmed.", confidence=0.85
    )
    model, chat = role(doubt, name="critic")
    left = Critic(model, LocalSigns()).review(look, found, STORED.get, STORED.values()).assessment
    return left, heard_text(chat)


def test_an_alarm_that_is_called_noise_is_doubted_too_since_that_closes_it() -> None:
    doubt = Doubt(confidence=0.2, evidence_against=[OTHER.evidence_id], objection="front:3 was rolled out.")
    left, asked = noise_after(doubt, SPIKE, LEAD)
    assert SPIKE.statement in asked
    assert left.verdict is Verdict.UNRESOLVED
    assert left.summary == "A second reader doubts that this is noise: Nobody is harmed."
    assert left.not_checked[-1] == "Objection: front:3 was rolled out."
    assert (left.hypotheses[0].confidence, left.hypotheses[0].evidence_against) == (0.2, (OTHER.evidence_id,))
    assert left.hypotheses[1] == LEAD


def test_noise_that_holds_stands_with_what_is_said_against_it() -> None:
    left, _ = noise_after(Doubt(confidence=0.6, evidence_against=[OTHER.evidence_id]), SPIKE)
    assert (left.verdict, left.confidence) == (Verdict.NOISE, 0.6)
    assert left.hypotheses[0].evidence_against == (OTHER.evidence_id,)
    assert noise_after(Doubt(confidence=1.0), SPIKE)[0].confidence == 0.85


def test_noise_without_an_explanation_is_doubted_by_its_summary() -> None:
    left, asked = noise_after(Doubt(confidence=0.1))
    assert "The alarm is noise and may be closed: Nobody is harmed." in asked
    assert (left.verdict, left.causes) == (Verdict.UNRESOLVED, ())
