"""One message as the cause: its consumer fails on it whenever it comes, and what stands behind it waits."""

from memory.records.assessment import CauseKind, Hypothesis
from tools.analysis.causes.candidate import Candidate, ids, listed
from tools.analysis.findings import Findings, QueueFinding
from tools.analysis.symptoms import blocking


def of_queue(queue: QueueFinding, findings: Findings) -> Candidate | None:
    """Weigh a queue whose oldest message is never done while others are."""
    stands, message = blocking(queue, findings)
    if not stands or queue.climb is None:
        return None
    consumers = [one for name in queue.consumers if (one := findings.service(name)) is not None]
    who = listed(sorted(one.service.name for one in consumers), "")
    named = f", {message}," if message else ""
    statement = (
        f"One message{named} holds up the queue {queue.queue}: {who} fails on it whenever it comes, and the oldest "
        f"message waits longer and longer since {queue.climb.since:%H:%M:%S} UTC, {queue.climb.now:.0f} s by now."
    )
    logs = [one.log_evidence_id for one in consumers if message]
    hypothesis = Hypothesis(
        kind=CauseKind.MESSAGE,
        component=queue.queue,
        change=message,
        statement=statement,
        evidence_for=ids(queue.evidence_id, *(i for one in consumers for i in one.evidence_ids), *logs),
        confidence=0.9 if message else 0.65,
    )
    return Candidate(queue.queue, hypothesis)
