"""What an incident's audit tells against doing something: that it was done before, withdrawn, or told otherwise.

A record says of itself that it was not used, or that it waits. Whoever can write the record can write that;
the chain of the audit tells what was, and an entry that is taken out of it is missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from memory.audit_chain import Chain, Checked
from memory.audit_witness import is_told
from memory.records.approval import ApprovalRequest
from memory.records.audit import AuditPayload, Deed
from memory.records.outcome import Execution

_CLOSING = {Deed.WITHDRAWN: "withdrawn", Deed.EXPIRED: "expired"}
_NEEDED = frozenset({Deed.ASKED, Deed.CLAIMED, Deed.SETTLED, *_CLOSING})


@dataclass(frozen=True)
class Told:
    """What an audit tells, entry by entry, or why it cannot be believed."""

    entries: Sequence[tuple[Deed, AuditPayload]] = ()
    fault: str = ""

    @classmethod
    def by(cls, chain: Chain, checked: Checked) -> "Told":
        """Return what a chain tells. One that is broken, or whose words are gone where they count, tells nothing."""
        if checked.broken is not None:
            return cls(fault=f"the audit of the incident is broken at entry {checked.broken}: {checked.why}")
        try:
            links = list(chain.links())
        except ValidationError:
            return cls(fault="the audit of the incident cannot be read")
        if any(link.payload is None and link.entry.deed in _NEEDED for link in links):
            return cls(fault="what the audit told of actions and requests was erased, or its time is over")
        return cls([(link.entry.deed, link.payload) for link in links if link.payload is not None])

    def against(self, action_id: str, stored: Execution | None) -> str | None:
        """Return how the audit contradicts what is stored of an action, or that nothing is; None where it does not."""
        if self.fault:
            return self.fault
        # That CloudTrail's event was found says nothing of how the action stands.
        about = [one for one in self.entries if one[0] is not Deed.TRACED]
        mine = [payload for _, payload in about if payload.execution_id == action_id]
        if stored is None:
            return f"the audit tells of action {action_id}, and nothing is stored of it" if mine else None
        return (
            None if is_told(stored, mine) else f"action {action_id} is stored otherwise than the audit tells"
        )

    def against_request(self, request: ApprovalRequest) -> str | None:
        """Return how the audit contradicts a request that is said to be approved, or None."""
        if self.fault:
            return self.fault
        mine = [deed for deed, payload in self.entries if payload.plan_hash == request.plan_hash]
        if Deed.ASKED not in mine:
            return "the audit does not tell that approval was asked"
        closed = next((_CLOSING[deed] for deed in mine if deed in _CLOSING), None)
        return f"the audit tells that it was {closed}" if closed else None
