"""Whatever a model answers, no citation, number or part that it has invented reaches the record or a message."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.claims import check_claims
from agents.guardrails import LocalSigns
from agents.notes import UPDATE, facts_of, listed, opening_of
from agents.triage import Cause, Opinion, Triage, assessment_of
from memory.records.assessment import Assessment, CauseKind, Verdict
from memory.records.incident import Status
from tests.agents.desk import INCIDENT, OTHER, POISON, QUIET, STORED, UNCLEAR, first_look, hypothesis, sources
from tests.agents.scripted import role

# What a liar makes up: each is marked so that it cannot be true by chance.
INVENTED_IDS = st.from_regex(r"ev-9[0-9a-f]{11}", fullmatch=True)
INVENTED_NUMBERS = st.sampled_from(["4217", "73 %", "91.7", "13:37", "2026-11-21T04:13:00Z", "9e9", "ninety"])
INVENTED_PARTS = st.sampled_from(
    [
        "kaluro",
        "order-worker",
        "ledger_v2",
        "billing:14",
        "PayrollTable",
        "/aws/payroll",
        "q-771.fifo",
        "t4g.large",
    ]
)
REAL_IDS = st.sampled_from([*STORED])
REAL_PARTS = st.sampled_from(["basket", "front", "baskets", "basket:8", "front:3"])
WORDS = st.sampled_from(
    [
        "fails",
        "since",
        "the rollout of",
        "broke",
        "because of",
        "is slow",
        "0.35",
        "of all requests",
        "and",
        "12:00",
    ]
)
IDS = st.one_of(REAL_IDS, INVENTED_IDS)
PARTS = st.one_of(REAL_PARTS, INVENTED_PARTS)
TEXTS = st.lists(st.one_of(WORDS, PARTS, INVENTED_NUMBERS, IDS), max_size=8).map(" ".join)
# Of a long fraction some digits could read like a number that was invented.
SHARES = st.integers(0, 100).map(lambda percent: percent / 100)
CAUSES = st.builds(
    Cause,
    kind=st.sampled_from(CauseKind),
    component=PARTS,
    change=st.one_of(st.none(), PARTS, INVENTED_NUMBERS),
    statement=TEXTS,
    evidence_for=st.lists(IDS, max_size=4),
    evidence_against=st.lists(IDS, max_size=2),
    confidence=SHARES,
    independent=st.booleans(),
)
OPINIONS = st.builds(
    Opinion,
    verdict=st.sampled_from(Verdict),
    summary=TEXTS,
    hypotheses=st.lists(CAUSES, max_size=4),
    causal_path=st.lists(PARTS, max_size=4),
    not_checked=st.lists(TEXTS, max_size=2),
    confidence=SHARES,
)
LOOKS = st.sampled_from(
    [
        first_look(),
        QUIET,
        UNCLEAR,
        first_look(
            hypotheses=(
                hypothesis(),
                hypothesis(
                    component="front", change="front:3", evidence_for=(OTHER.evidence_id,), confidence=0.4
                ),
            )
        ),
    ]
)
_INVENTED = re.compile(
    r"ev-9[0-9a-f]{11}|4217|\b73 %|91\.7|13:37|04:13|9e9|ninety|kaluro|order-worker|ledger_v2|billing:14|PayrollTable"
    r"|/aws/payroll|q-771|t4g\.large"
)


FLAGGED = frozenset({POISON.evidence_id})


def _answered(opinion: Opinion, look: Any) -> Assessment:
    return check_claims(assessment_of(opinion, look), look, STORED.get, FLAGGED)


@settings(max_examples=5, deadline=None)
@given(OPINIONS)
def test_what_is_checked_here_is_what_triage_returns(opinion: Opinion) -> None:
    model, _ = role(opinion)
    given_ = Triage(model, (), LocalSigns()).assess(INCIDENT, first_look(), STORED.values(), sources())
    assert given_.assessment == _answered(opinion, first_look())


@settings(max_examples=150, deadline=None)
@given(OPINIONS, LOOKS)
def test_nothing_that_a_liar_invents_reaches_record_or_message(opinion: Opinion, look: Any) -> None:
    left = _answered(opinion, look)
    record = left.model_dump_json()
    assert _INVENTED.search(record) is None, record
    facts = facts_of(INCIDENT, first_look=look, assessment=left, status=Status.ESCALATED)
    assert _INVENTED.search(f"{opening_of(UPDATE, facts)} {listed(facts)}") is None
    cited = {one for h in left.hypotheses for one in (*h.evidence_for, *h.evidence_against)}
    assert cited <= set(STORED)
    if _INVENTED.search(opinion.model_dump_json()):
        assert left.claims_removed > 0


@settings(max_examples=100, deadline=None)
@given(OPINIONS, LOOKS)
def test_a_liar_moves_neither_severity_nor_cause(opinion: Opinion, look: Any) -> None:
    left = _answered(opinion, look)
    assert left.severity is look.severity
    assert left.verdict in {look.verdict, Verdict.UNRESOLVED}
    if left.verdict is Verdict.CAUSE:
        assert [(one.kind, one.component, one.change) for one in left.causes] == [
            (CauseKind.DEPLOYMENT, "basket", "basket:8")
        ]
        assert left.hypotheses[: len(left.causes)] == left.causes
        assert left.confidence <= min(one.confidence for one in left.causes)
    else:
        assert left.causes == ()
