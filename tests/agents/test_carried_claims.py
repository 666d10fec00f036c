"""A claim is carried by what was read of its part, and by nothing else that happens to be stored."""

import pytest

from agents.claims import check_claims
from agents.critic import Doubt, doubted
from agents.guardrails import LocalSigns
from agents.observations import Observations
from memory.records.assessment import Assessment, CauseKind, FirstLook, Hypothesis, Verdict
from memory.records.evidence import UNREAD, Evidence, Gap
from tests.agents.desk import METRIC, OTHER, ROLLOUT, STORED, assessment, evidence, first_look, hypothesis

COUNTED = hypothesis(
    statement="basket:8 broke basket, 35 % of 4711 requests fail.", evidence_for=(METRIC.evidence_id,)
)


def unread(gap: Gap, evidence_id: str = "ev-eeeeeeeeeeee") -> Evidence:
    asked = {"service": "basket", "table": "baskets"}
    return evidence(evidence_id, "ECS service basket", {"error": "AccessDenied"}, gaps=(gap,), asked=asked)


def left_of(
    *claimed: Hypothesis, look: FirstLook | None = None, more: tuple[Evidence, ...] = ()
) -> Assessment:
    stored = {**STORED, **{one.evidence_id: one for one in more}}
    return check_claims(assessment(hypotheses=claimed), look or first_look(), stored.get)


def test_a_cause_that_cites_only_another_service_is_dropped_and_left_to_people() -> None:
    left = left_of(hypothesis(evidence_for=(OTHER.evidence_id,)))
    assert (left.verdict, left.causes, left.claims_removed) == (Verdict.UNRESOLVED, (), 1)
    assert left.hypotheses == first_look().hypotheses


@pytest.mark.parametrize("gap", sorted(UNREAD))
def test_a_cause_that_cites_only_what_could_not_be_read_is_dropped(gap: Gap) -> None:
    one = unread(gap)
    left = left_of(hypothesis(evidence_for=(one.evidence_id,)), more=(one,))
    assert (left.verdict, left.causes, left.claims_removed) == (Verdict.UNRESOLVED, (), 1)


def test_a_new_lead_on_a_read_that_was_denied_is_dropped() -> None:
    one = unread(Gap.DENIED)
    lead = hypothesis(
        kind=CauseKind.CAPACITY,
        component="baskets",
        change=None,
        statement="The table baskets is full.",
        evidence_for=(one.evidence_id,),
        confidence=0.5,
    )
    left = left_of(hypothesis(), lead, more=(one,))
    assert [one.component for one in left.hypotheses] == ["basket"]
    assert (left.verdict, left.claims_removed) == (Verdict.CAUSE, 1)


def test_a_suspect_is_not_ruled_out_by_what_could_not_be_read() -> None:
    one = unread(Gap.TIMED_OUT)
    out = hypothesis(component="front", change=None, evidence_for=(), evidence_against=(one.evidence_id,))
    left = left_of(hypothesis(), out, more=(one,))
    assert [one.component for one in left.hypotheses] == ["basket"]


def test_what_could_not_be_read_does_no_harm_beside_what_was() -> None:
    one = unread(Gap.DENIED)
    left = left_of(hypothesis(evidence_for=(METRIC.evidence_id, one.evidence_id)), more=(one,))
    assert (left.verdict, left.claims_removed) == (Verdict.CAUSE, 0)


def test_no_data_is_an_answer_and_carries_what_it_shows() -> None:
    quiet = evidence("ev-eeeeeeeeeeee", "q", {"rows": []}, gaps=("no_data",), asked={"service": "basket"})
    left = left_of(hypothesis(statement="basket broke.", evidence_for=(quiet.evidence_id,)), more=(quiet,))
    assert left.verdict is Verdict.CAUSE


def test_a_cause_may_rest_on_other_evidence_that_speaks_of_its_part() -> None:
    stops = evidence("ev-eeeeeeeeeeee", "stops", {"tasks": ["basket:8"]}, asked={"service": "basket"})
    claim = hypothesis(statement="basket:8 broke basket.", evidence_for=(stops.evidence_id,))
    left = left_of(claim, more=(stops,))
    assert (left.causes, left.claims_removed) == ((claim,), 0)


def test_a_number_of_the_first_look_passes_only_with_evidence_of_the_first_look() -> None:
    look = first_look(hypotheses=(COUNTED,), causes=(COUNTED,))
    assert left_of(COUNTED, look=look).causes == (COUNTED,)
    stops = evidence("ev-eeeeeeeeeeee", "stops", {"tasks": ["basket:8"]}, asked={"service": "basket"})
    claim = COUNTED.model_copy(update={"evidence_for": (stops.evidence_id,)})
    left = left_of(claim, look=look, more=(stops,))
    # What code says stands on what code had read, and is cited with it.
    assert left.causes[0].statement == COUNTED.statement
    assert left.causes[0].evidence_for == (stops.evidence_id, METRIC.evidence_id)
    assert left.claims_removed == 1


def test_a_second_reader_cannot_cite_what_could_not_be_read() -> None:
    seen, one = Observations(LocalSigns()), unread(Gap.DENIED)
    for each in (METRIC, ROLLOUT, one):
        seen.show(each, 1_000)
    doubt = Doubt(confidence=0.7, evidence_against=[one.evidence_id, METRIC.evidence_id])
    left = doubted(assessment(), doubt, seen, {**STORED, one.evidence_id: one}.get)
    assert left.causes[0].evidence_against == (METRIC.evidence_id,)
    assert left.claims_removed == 1
