"""What broke, on which evidence, and what was not checked."""

from enum import StrEnum

from pydantic import Field

from memory.records.base import Record, UtcTime
from memory.records.incident import Severity


class CauseKind(StrEnum):
    """The kinds of cause a hypothesis may name.

    DEPLOYMENT: new code or a new task definition; `change` is the revision or version that went out.
    CONFIGURATION: a setting was changed; `component` is the setting where it has a name, `change` its new value.
    CAPACITY: a part is too small for what is asked of it; `change` is the property that limits it.
    DEPENDENCY: something outside the account fails those that call it; `change` is `outage`.
    TRAFFIC: more is asked than before, and no part of ours is to blame for it.
    MESSAGE: one message that its consumer cannot read holds up a queue; `component` is the queue, `change` the
    message's id where it was seen.
    TASK: one of a service's tasks is ill, and the others of the same revision are well; `change` is the task's id.
    """

    DEPLOYMENT = "deployment"
    CONFIGURATION = "configuration"
    CAPACITY = "capacity"
    DEPENDENCY = "dependency"
    TRAFFIC = "traffic"
    MESSAGE = "message"
    TASK = "task"
    NOISE = "noise"
    UNKNOWN = "unknown"


OUTSIDE = frozenset({CauseKind.DEPENDENCY, CauseKind.TRAFFIC})
"""Causes that no part of the account is to blame for: they may pass as they came."""


class Hypothesis(Record):
    """One possible cause, with the stored evidence for and against it."""

    kind: CauseKind = Field(description="What kind of cause this is.")
    component: str = Field(description="The service, table or other part that is the cause.")
    change: str | None = Field(
        default=None,
        description="The change that caused it, such as a revision, or the property that limits it.",
    )
    statement: str = Field(description="One plain sentence saying what broke and why.")
    evidence_for: tuple[str, ...] = Field(default=(), description="Ids of stored evidence that support it.")
    evidence_against: tuple[str, ...] = Field(default=(), description="Ids of stored evidence against it.")
    confidence: float = Field(ge=0.0, le=1.0, description="0 to 1; 0.5 means as likely as not.")


class Verdict(StrEnum):
    """What an assessment comes to."""

    CAUSE = "cause"
    NOISE = "noise"
    UNRESOLVED = "unresolved"


class Impact(Record):
    """Who is hit, in measured terms; the rubric turns it into a severity."""

    component: str
    error_share: float | None = None
    error_share_before: float | None = None
    latency_ms: float | None = None
    latency_ms_before: float | None = None
    latency_slo_ms: float | None = None
    slo_burn: float | None = None
    tier: int | None = None
    still_happening: bool = True
    requests_per_minute: float | None = None
    requests_per_minute_before: float | None = None
    stopped: bool = Field(
        default=False, description="Whether it had requests all along and has none any more."
    )


class Learned(Record):
    """What the tags of a service say of it where settings say nothing, on which evidence.

    It holds to the incident's end, whatever becomes of the tags, so that every step rests on the same. `depends_on`
    holds `service:`, `table:`, `queue:` or `external:` and a name each; what is not said is none.
    """

    service: str
    tier: int | None = None
    owner: str | None = None
    availability: float | None = None
    latency_ms_p99: float | None = None
    depends_on: tuple[str, ...] | None = None
    evidence_id: str = ""


IN_PART = " (not all of it)"
"""How what was read in part ends where `not_checked` names it."""


class FirstLook(Record):
    """What code alone found in the first seconds: no model has been asked.

    `causes` is the smallest set of independent causes that explains what is affected, the one nearest to the alarm
    first; empty unless the verdict is a cause. `causal_path` goes from the causes to where they are felt, each part
    after those that it suffers from. Every part that was looked for is in one of four groups: `affected`, `healthy`
    (checked, and as before), `changed_otherwise` (changed lately, but not the cause), `not_checked`. `changes` tells
    what was changed around the onset, in sentences, `given_up` how many messages went to a dead-letter queue since,
    `log_shifts` which ordinary log lines of its services no longer come, are new or surge.
    `recovered_at` is set where it was over by itself before anybody looked. `learned` is what tags say of services.
    """

    onset: UtcTime | None = None
    recovered_at: UtcTime | None = None
    impacts: tuple[Impact, ...] = ()
    severity: Severity
    severity_reason: str
    verdict: Verdict
    hypotheses: tuple[Hypothesis, ...] = ()
    evidence_ids: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()
    changed_otherwise: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    causes: tuple[Hypothesis, ...] = ()
    causal_path: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    reason: str = ""
    given_up: tuple[str, ...] = ()
    log_shifts: tuple[str, ...] = ()
    learned: tuple[Learned, ...] = ()


class Assessment(Record):
    """Triage's answer after the critic and the citation check.

    `causes` is the least set of independent causes, empty unless the verdict is a cause; the other hypotheses
    compete with them. What was looked at stands in four groups: `affected`, `healthy` (checked), `changed_otherwise`
    (changed, for another reason) and `not_checked`. `gaps` names what permission or data was missing for. `flagged`
    holds the ids of evidence in which somebody gives orders or that a guardrail objects to, `unscanned` of that which
    no guard could look at, `stops` what code ended: reads asked again or refused.
    """

    verdict: Verdict
    severity: Severity
    summary: str
    hypotheses: tuple[Hypothesis, ...] = ()
    causal_path: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
    confidence: float = Field(ge=0.0, le=1.0)
    claims_removed: int = 0
    by_model: bool = True
    causes: tuple[Hypothesis, ...] = ()
    affected: tuple[str, ...] = ()
    healthy: tuple[str, ...] = ()
    changed_otherwise: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    gaps_unnamed: int = Field(default=0, description="How many gaps there are beside those that are named.")
    flagged: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    unscanned: tuple[str, ...] = ()

    @property
    def leading(self) -> Hypothesis | None:
        """Return the most likely hypothesis, if one stands."""
        return self.hypotheses[0] if self.hypotheses else None

    @property
    def found_causes(self) -> tuple[Hypothesis, ...]:
        """Return the causes to be cured; a record that lists none names the one that leads."""
        if self.verdict is not Verdict.CAUSE:
            return ()
        return self.causes or self.hypotheses[:1]

    @property
    def is_outside(self) -> bool:
        """Say whether a cause was found, and nothing inside the account is one."""
        return bool(self.found_causes) and all(cause.kind in OUTSIDE for cause in self.found_causes)
