"""Messages of a queue that were given up since an onset are told in the first note."""

import json
from datetime import timedelta
from typing import Any

from agents.notes import facts_of
from memory.records.assessment import FirstLook, Verdict
from memory.records.evidence import Gap
from memory.records.incident import Severity
from tests.tools.dials import incident
from tests.tools.stand_ins import NOW, SCOPE, sources
from tools.analysis.given_up import told_given_up
from tools.collectors.dead_letters import given_up_in, look_at_dead_letters
from tools.collectors.reads import COLLECTED
from tools.observe.sources import Sources
from tools.replay import Outcome, replay

ONSET = NOW - timedelta(minutes=10)
DEAD = "arn:aws:sqs:us-east-1:123456789012:mails-dead"


class _Account:
    """A queue that gives up to another, whose depth is as told, a value a minute up to now."""

    def __init__(self, *depth: float, dead: str | None = DEAD) -> None:
        self.depth, self.dead = depth, dead
        self.asked: list[str] = []

    def get_queue_url(self, QueueName: str) -> dict[str, Any]:
        return {"QueueUrl": f"http://127.0.0.1/{QueueName}"}

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> dict[str, Any]:
        if self.dead is None:
            return {}
        policy = {"deadLetterTargetArn": self.dead, "maxReceiveCount": 3}
        return {"Attributes": {"RedrivePolicy": json.dumps(policy)}}

    def get_metric_data(self, MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:
        (query,) = MetricDataQueries
        self.asked += [one["Value"] for one in query["MetricStat"]["Metric"]["Dimensions"]]
        times = [NOW - timedelta(minutes=n) for n in range(len(self.depth) - 1, -1, -1)]
        return {"MetricDataResults": [{"Id": query["Id"], "Timestamps": times, "Values": list(self.depth)}]}


def _at(account: _Account) -> Sources:
    return sources({"sqs": account, "cloudwatch": account})


def test_messages_that_were_given_up_since_the_onset_are_told() -> None:
    account = _Account(*[2.0] * 15, 4.0, 5.0)

    seen = look_at_dead_letters(_at(account), "mails")

    assert account.asked == ["mails-dead"]
    assert given_up_in(seen, ONSET) == "3 of mails since 11:50 UTC: mails-dead holds 5, before 2"
    assert (seen.calls, seen.tool) == (3, "collected_dead_letters")
    assert [value for _, value in seen.result["depth"]] == [2.0, 4.0, 5.0]
    assert replay(_at(account), seen, seen.result, COLLECTED).outcome is Outcome.SAME


def test_a_depth_that_did_not_grow_is_not_told() -> None:
    for depth in ((), (7.0,) * 20, (*[9.0] * 15, 3.0)):
        seen = look_at_dead_letters(_at(_Account(*depth)), "mails")
        assert given_up_in(seen, ONSET) is None
    assert look_at_dead_letters(_at(_Account()), "mails").gaps == (Gap.NO_DATA,)


def test_a_queue_that_gives_nothing_up_is_no_gap_and_no_metric_is_asked_for() -> None:
    account = _Account(dead=None)
    seen = look_at_dead_letters(_at(account), "mails")
    assert (seen.gaps, seen.calls, account.asked) == ((), 2, [])
    assert given_up_in(seen, ONSET) is None


def test_what_an_idle_queue_held_before_it_was_used_again_is_not_counted() -> None:
    depth = [(ONSET + timedelta(minutes=2 + n), value) for n, value in enumerate((40.0, 40.0, 41.0))]
    told = told_given_up("mails", "mails-dead", depth, ONSET)
    assert told == "1 of mails since 11:50 UTC: mails-dead holds 41, before 40"


def test_the_first_note_has_the_sentence() -> None:
    told = "3 of mails since 11:50 UTC"
    quiet = FirstLook(severity=Severity.LOW, severity_reason="s", verdict=Verdict.UNRESOLVED)
    look = quiet.model_copy(update={"given_up": (told,)})
    about = incident(SCOPE, "i-1")
    assert facts_of(about, first_look=look)["messages_given_up"] == told
    assert "messages_given_up" not in facts_of(about, first_look=quiet)
