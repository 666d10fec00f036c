"""Policy in code: Cedar, deny by default, every ruling with the ids of the policies behind it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cedarpy
from botocore.exceptions import BotoCoreError, ClientError

from memory.records.base import digest
from memory.records.config import Autonomy
from memory.records.incident import Severity
from memory.records.plan import Plan, PlannedAction, Review, Risk, Ruling
from tools.actions.base import Action
from tools.actions.registry import NotInCatalogueError, read_parameters
from tools.aws.access import AwsAccess
from tools.errors import Misconfigured

FOLDER = Path(__file__).parent / "policies"


@dataclass(frozen=True)
class Circumstances:
    """What holds for every action of a plan."""

    account: str
    severity: Severity
    autonomy: Autonomy
    kill_switch: bool = False
    freeze: bool = False


@dataclass(frozen=True)
class Facts:
    """What one action's ruling rests on."""

    action: str
    risk: Risk
    reversible: bool
    blast_share: float


@dataclass(frozen=True)
class Policy:
    """A validated set of policies."""

    text: str
    schema: str
    ids: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Policy":
        """Read the folder's policies; raise `Misconfigured` when they do not fit their schema."""
        text = "\n".join(path.read_text() for path in sorted(folder.glob("*.cedar")))
        schema = "\n".join(path.read_text() for path in sorted(folder.glob("*.cedarschema")))
        checked = cedarpy.validate_policies(text, schema)
        if not checked.validation_passed:
            raise Misconfigured(f"the policies in {folder} are wrong: {[str(e) for e in checked.errors]}")
        return cls(text, schema, _ids(text))

    @property
    def sha256(self) -> str:
        """Return the digest of the policies and their schema."""
        return digest([self.text, self.schema])

    def review(self, access: AwsAccess, plan: Plan, around: Circumstances) -> tuple[Review, ...]:
        """Rule on every action of a plan, against live state."""
        return tuple(self.review_action(access, planned, around) for planned in plan.actions)

    def review_action(self, access: AwsAccess, planned: PlannedAction, around: Circumstances) -> Review:
        """Rule on one action. What is not in the catalogue or cannot be read is refused."""
        try:
            action, asked = read_parameters(planned)
            state = action.read_state(access, asked)
            problems = action.problems(asked, state)
        except NotInCatalogueError as error:
            return self._refused(planned, str(error))
        except (ClientError, BotoCoreError) as error:
            return self._refused(planned, f"the live state cannot be read: {error}")
        if problems:
            return self._refused(planned, *problems, action=action)
        inverse = action.inverse(asked, state)
        radius = action.blast_radius(state)
        facts = Facts(action.name, action.risk, inverse is not None, radius.share)
        ruling, reasons, ids = self.rule(facts, around)
        return Review(
            action=planned.action,
            ruling=ruling,
            reasons=reasons,
            policy_ids=ids,
            policy_set_sha256=self.sha256,
            risk=action.risk,
            blast_radius=radius.text,
            fingerprint=action.fingerprint(state),
            inverse=json.dumps(inverse) if inverse is not None else "none",
        )

    def rule(self, facts: Facts, around: Circumstances) -> tuple[Ruling, tuple[str, ...], tuple[str, ...]]:
        """Permit what is allowed by itself, ask where an approval would allow it, refuse the rest."""
        allowed, ids = self._decide(facts, around, approved=False)
        if allowed:
            return Ruling.PERMIT, ("policy permits it without a person",), ids
        with_approval, more = self._decide(facts, around, approved=True)
        if with_approval:
            return Ruling.ASK, ("policy permits it with an approval",), more
        return Ruling.REFUSE, ("policy refuses it, approved or not",), more or ids

    def _decide(self, facts: Facts, around: Circumstances, *, approved: bool) -> tuple[bool, tuple[str, ...]]:
        """Ask Cedar once. Anything but a clear Allow without errors is a no."""
        request: dict[str, Any] = {
            "principal": 'Copilot::"copilot"',
            "action": 'Action::"execute"',
            "resource": f"Account::{json.dumps(around.account)}",
            "context": {
                "action": facts.action,
                "risk": facts.risk.value,
                "severity": around.severity.value,
                "autonomy": around.autonomy.value,
                "approved": approved,
                "reversible": facts.reversible,
                "freeze": around.freeze,
                "killSwitch": around.kill_switch,
                "blastPercent": round(facts.blast_share * 100),
            },
        }
        answer = cedarpy.is_authorized(request, self.text, [], schema=self.schema)
        ids = tuple(self._id(reason) for reason in answer.diagnostics.reasons)
        return answer.decision == cedarpy.Decision.Allow and not answer.diagnostics.errors, ids

    def _id(self, reason: str) -> str:
        """Turn Cedar's positional `policyN` into the policy's own id."""
        position = reason.removeprefix("policy")
        return self.ids[int(position)] if position.isdigit() and int(position) < len(self.ids) else reason

    def _refused(self, planned: PlannedAction, *reasons: str, action: Action | None = None) -> Review:
        return Review(
            action=planned.action,
            ruling=Ruling.REFUSE,
            reasons=reasons,
            policy_ids=("precondition",),
            policy_set_sha256=self.sha256,
            risk=action.risk if action else Risk.HIGH,
            blast_radius="unknown",
            fingerprint="",
            inverse="none",
        )


def _ids(text: str) -> tuple[str, ...]:
    """Return the `@id` of every policy in the order Cedar numbers them."""
    policies: dict[str, Any] = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    ordered: Sequence[str] = sorted(policies, key=lambda name: int(name.removeprefix("policy")))
    return tuple(str((policies[name].get("annotations") or {}).get("id", name)) for name in ordered)
