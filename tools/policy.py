"""Rule on actions by Cedar policies: deny by default, and any doubt is a no."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cedarpy

from memory.records.base import canonical_json
from memory.records.config import Autonomy, Topology
from memory.records.incident import Severity
from memory.records.plan import NO_INVERSE, Plan, Review, Risk, Ruling
from tools.actions.base import Reversibility
from tools.actions.registry import ACTIONS, Catalogue
from tools.aws.access import AwsAccess
from tools.errors import Misconfigured
from tools.inspection import Inspection, inspect
from tools.touched import touched

FOLDER = Path(__file__).parent / "policies"
AGENT = "cloudops-copilot"
_BY_DEFAULT = {True: "no policy permits it", False: "no policy permits it by itself"}


LevelOf = Callable[[str, Collection[str] | None], Autonomy]
_LEVELS = tuple(Autonomy)
_ANYBODYS = "which service its target is of is not known, and the lowest level of any service counts"


@dataclass(frozen=True)
class Circumstances:
    """What a ruling rests on beside the action itself; `account` is the one that the access reaches.

    `level_of` narrows the account's autonomy for an action on some services: those that are hit, and those that it may
    be about by the `topology` and the names in `known`. Where that is not known, it is given None, for any service.
    `approvers` says how many people have to approve what touches so many percent.
    """

    account: str
    severity: Severity
    autonomy: Autonomy
    kill_switch: bool = False
    freeze: bool = False
    freeze_reason: str = ""
    changes_an_hour: int = 4
    services: frozenset[str] = frozenset()
    topology: Topology = field(default_factory=Topology)
    known: frozenset[str] = frozenset()
    level_of: LevelOf | None = None
    approvers: Callable[[int], int] = field(kw_only=True)

    def level(self, inspection: Inspection) -> Autonomy:
        """Return how far the copilot may go with one action: never further than the account allows."""
        if self.level_of is None:
            return self.autonomy
        about = self._about(inspection)
        services = None if about is None else self.services | about
        return min(self.level_of(inspection.planned.action, services), self.autonomy, key=_LEVELS.index)

    def why_level(self, inspection: Inspection) -> str:
        """Say why an action has a lower level than the account where its parameters do not show that."""
        narrowed = self.level(inspection) is not self.autonomy and self._about(inspection) is None
        return _ANYBODYS if narrowed else ""

    def _about(self, inspection: Inspection) -> frozenset[str] | None:
        return touched(inspection.planned.parameters, self.topology, self.known)


@dataclass(frozen=True)
class Answer:
    """What the policies say to one question."""

    allowed: bool
    policy_ids: tuple[str, ...]
    reasons: tuple[str, ...]


class Policy:
    """A set of policies that fits its schema, with the digest that goes on every review."""

    def __init__(self, policies: str, schema: str) -> None:
        validation = cedarpy.validate_policies(policies, schema)
        if not validation.validation_passed:
            raise Misconfigured(f"the policies are wrong: {'; '.join(str(e) for e in validation.errors)}")
        self.sha256 = hashlib.sha256(f"{schema}\x00{policies}".encode()).hexdigest()
        self._policies = cedarpy.PolicySet.from_str(policies)
        self._schema = cedarpy.Schema.from_str(schema)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._says = _annotations(policies)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Policy":
        """Read every policy of a folder, in the order of their names, and its schema."""
        paths, schema = sorted(folder.glob("*.cedar")), folder / "schema.cedarschema"
        if not paths or not schema.is_file():
            raise Misconfigured(f"{folder} holds no policies with a schema")
        try:
            return cls("\n".join(path.read_text() for path in paths), schema.read_text())
        except ValueError as error:
            raise Misconfigured(f"the policies in {folder} cannot be read: {error}") from error

    def review(
        self, access: AwsAccess, plan: Plan, around: Circumstances, catalogue: Catalogue = ACTIONS
    ) -> tuple[Review, ...]:
        """Rule on every action of a plan against the account as it is: permit, ask for approval, or refuse."""
        return tuple(self.rule(inspect(access, planned, catalogue), around) for planned in plan.actions)

    def rule(self, inspection: Inspection, around: Circumstances) -> Review:
        """Rule on one action. Permitted without approval: permit; permitted with it: ask; else refuse."""
        if inspection.action is None or inspection.params is None:
            return self._review(inspection, Ruling.REFUSE, Answer(False, (), inspection.problems), around)
        alone = self.ask("execute", inspection, around, approved=False)
        if alone.allowed:
            return self._review(inspection, Ruling.PERMIT, alone, around)
        approved = self.ask("execute", inspection, around, approved=True)
        if approved.allowed:
            reasons = ("it needs a person's approval", *alone.reasons, *_details(inspection, around))
            ids = (*approved.policy_ids, *alone.policy_ids)
            return self._review(inspection, Ruling.ASK, Answer(True, ids, reasons), around)
        reasons = (*approved.reasons, *inspection.problems, *_details(inspection, around))
        return self._review(inspection, Ruling.REFUSE, Answer(False, approved.policy_ids, reasons), around)

    def ask(self, verb: str, inspection: Inspection, around: Circumstances, *, approved: bool) -> Answer:
        """Ask the engine one question. An error, or no decision, is a no."""
        risk = inspection.action.risk if inspection.action is not None else Risk.HIGH
        result = cedarpy.is_authorized(
            {
                "principal": {"type": "Agent", "id": AGENT},
                "action": {"type": "Action", "id": verb},
                "resource": {"type": "Tool", "id": inspection.planned.action},
                "context": _context(inspection, around, risk, approved),
            },
            self._policies,
            self._entities,
            self._schema,
        )
        found = result.diagnostics.id_annotations_by_reason
        ids = tuple(sorted(found.get(reason, reason) for reason in result.diagnostics.reasons))
        says = tuple(self._says.get(one, one) for one in ids)
        if result.diagnostics.errors:
            return Answer(False, ids, ("the policy engine failed", *map(str, result.diagnostics.errors)))
        return Answer(result.decision is cedarpy.Decision.Allow, ids, says or (_BY_DEFAULT[approved],))

    def _review(
        self, inspection: Inspection, ruling: Ruling, answer: Answer, around: Circumstances
    ) -> Review:
        return Review(
            action=inspection.planned.action,
            ruling=ruling,
            reasons=tuple(dict.fromkeys(answer.reasons)),
            policy_ids=tuple(dict.fromkeys(answer.policy_ids)),
            policy_set_sha256=self.sha256,
            risk=inspection.action.risk if inspection.action is not None else Risk.HIGH,
            blast_radius=inspection.blast.text,
            fingerprint=inspection.fingerprint,
            inverse=_inverse_text(inspection),
            freeze=around.freeze_reason if around.freeze else "",
        )


def _context(inspection: Inspection, around: Circumstances, risk: Risk, approved: bool) -> dict[str, Any]:
    return {
        "risk": risk.value,
        "severity": around.severity.value,
        "autonomy": around.level(inspection).value,
        "approved": approved,
        "blast_percent": inspection.blast.percent,
        "reversible": inspection.has_a_way_back,
        "kill_switch": around.kill_switch,
        "freeze": around.freeze,
        "problems": len(inspection.problems),
        "target_busy": bool(inspection.crowd.busy),
        "too_often": inspection.crowd.recent >= around.changes_an_hour,
        "denied": bool(inspection.ahead.denied),
        "unanswered": bool(inspection.ahead.unanswered or inspection.crowd.unsettled),
    }


def _details(inspection: Inspection, around: Circumstances) -> tuple[str, ...]:
    """Return the particulars of what a policy says in general."""
    found = (
        around.freeze_reason,
        around.why_level(inspection),
        inspection.crowd.busy,
        inspection.crowd.unsettled,
        *inspection.ahead.denied,
        *inspection.ahead.no_way_back,
        *inspection.ahead.unanswered,
    )
    return tuple(text for text in found if text)


def _inverse_text(inspection: Inspection) -> str:
    """Say how it would be taken back; where nothing does, why that need not or cannot be."""
    action = inspection.action
    if inspection.inverse is None:
        declared = action is not None and action.reversibility is not Reversibility.INVERSE
        return action.way_back if action is not None and declared else NO_INVERSE
    if inspection.ahead.no_way_back:
        return f"{NO_INVERSE}: {'; '.join(inspection.ahead.no_way_back)}"
    return f"{inspection.planned.action} {canonical_json(inspection.inverse)}"


def _annotations(policies: str) -> Mapping[str, str]:
    """Return what each policy says of itself, by its id; two policies of one id are an error."""
    read: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(policies))["staticPolicies"]
    said: dict[str, str] = {}
    for name, policy in read.items():
        annotations = policy.get("annotations") or {}
        policy_id = annotations.get("id")
        if not policy_id or policy_id in said:
            raise Misconfigured(f"{name} needs an @id of its own, it has {policy_id!r}")
        said[policy_id] = annotations.get("says", policy_id)
    return said
