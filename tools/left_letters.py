"""What still lies in dead-letter queues when an incident ends: a repair gives none of it back."""

from collections.abc import Iterable, Iterator

from memory.records.evidence import Evidence
from memory.records.outcome import DeadLetters, Execution
from tools.collectors.dead_letters import NAME
from tools.observe.queue_health import QueueHealth, queue_health
from tools.observe.sources import Sources

MINUTES = 5


def queues_met(stored: Iterable[Evidence], executed: Iterable[Execution]) -> dict[str, str]:
    """Return the dead-letter queue of each queue that an incident has looked at or acted on."""
    return dict([*_looked_at(stored), *_acted_on(executed)])


def letters_left(sources: Sources, queues: dict[str, str]) -> tuple[DeadLetters, ...]:
    """Read how many messages wait in each dead-letter queue now; an empty one is left out, an unread one is not."""
    found = (_left(sources, queue, dead) for queue, dead in sorted(queues.items()))
    return tuple(one for one in found if one.waiting != 0)


def _left(sources: Sources, queue: str, dead: str) -> DeadLetters:
    evidence = queue_health(sources, QueueHealth(queue=dead, minutes=MINUTES))
    facts = evidence.result if isinstance(evidence.result, dict) else {}
    waiting = facts.get("waiting")
    return DeadLetters(
        queue=queue,
        dead_letter_queue=dead,
        waiting=waiting if isinstance(waiting, int) else None,
        evidence_id=evidence.evidence_id,
    )


def _looked_at(stored: Iterable[Evidence]) -> Iterator[tuple[str, str]]:
    for one in stored:
        facts = one.result if one.tool == NAME and isinstance(one.result, dict) else {}
        if facts.get("dead_letters"):
            yield str(facts["queue"]), str(facts["dead_letters"])


def _acted_on(executed: Iterable[Execution]) -> Iterator[tuple[str, str]]:
    for one in executed:
        named = {"queue", "dead_letter_queue"} <= one.parameters.keys()
        if named and one.was_accepted:
            yield str(one.parameters["queue"]), str(one.parameters["dead_letter_queue"])
