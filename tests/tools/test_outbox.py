import asyncio
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory import keys
from memory.records.message import Audience, Message, MessageState
from memory.stores.incidents import IncidentStore
from memory.stores.leases import LeaseStore
from memory.stores.outbox import OutboxStore
from tests.tools.dials import INCIDENT_ID, incident
from tests.tools.memory_table import Killed, MemoryTable
from tests.tools.stand_ins import NOW, SCOPE, ScriptedAccess, StillClock
from tools.bulkhead import bulkhead
from tools.channels.sns import SnsChannel
from tools.errors import Transient
from tools.outbox import Flushed, Outbox


@dataclass
class Pager:
    """A channel that can be down for some calls."""

    name: str = "pager"
    down: int = 0
    sent: list[str] = field(default_factory=list)

    def send(self, message: Message) -> str:
        if self.down:
            self.down -= 1
            raise Transient("the pager does not answer")
        self.sent.append(message.send_key)
        return f"id-{len(self.sent)}"


def message(key: str = "first", channel: str = "pager", minutes: int = 0) -> Message:
    return Message(
        incident_id=INCIDENT_ID,
        send_key=key,
        audience=Audience.ON_CALL,
        channel=channel,
        subject="s",
        body="b",
        queued_at=NOW + timedelta(minutes=minutes),
    )


@dataclass
class Choking(Pager):
    """A channel with a defect that one message meets."""

    choked: int = 0

    def send(self, message: Message) -> str:
        if message.send_key == "choking":
            self.choked += 1
            raise UnicodeError("what is this sign?")
        return super().send(message)


@dataclass
class Steady:
    """A steady clock that a test moves."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


def outbox(table: MemoryTable, *pagers: Pager, steady: Steady | None = None) -> Outbox:
    incidents, steady = IncidentStore(table, "default"), steady or Steady()
    return Outbox(
        OutboxStore(table, "default"), incidents, pagers, StillClock(), LeaseStore(table), monotonic=steady
    )


def opened() -> MemoryTable:
    table = MemoryTable()
    IncidentStore(table, "default").claim(incident())
    return table


def test_a_message_goes_out_once_whoever_sends_it() -> None:
    table, pager = opened(), Pager()

    first = outbox(table, pager).send(SCOPE, message())
    second = outbox(table, pager).send(SCOPE, message())
    outbox(table, pager).flush()

    assert (first.state, first.channel_message_id) == (MessageState.SENT, "id-1")
    assert second == first and pager.sent == ["first"]


def test_a_message_that_could_not_be_sent_waits_with_the_reason() -> None:
    table, pager, steady = opened(), Pager(down=2), Steady()
    box = outbox(table, pager, steady=steady)

    waiting = box.send(SCOPE, message())
    sent = []
    for _ in range(4):
        steady.at += 6
        sent.append(box.flush().sent)

    assert (waiting.state, waiting.failure) == (MessageState.QUEUED, "the pager does not answer")
    # It failed twice, so that it was left alone for ten seconds after the second time.
    assert sent == [0, 0, 1, 0] and pager.sent == ["first"]
    assert next(iter(box.store.all(SCOPE, INCIDENT_ID))).failure is None


def test_a_channel_that_gives_no_answer_is_not_asked_for_each_message_that_waits() -> None:
    table, steady = opened(), Steady()
    fax, pager = Pager(name="fax", down=1000), Pager()
    box = outbox(table, fax, pager, steady=steady)

    for number in range(50):
        box.send(SCOPE, message(f"fax-{number}", channel="fax"))
    box.send(SCOPE, message("page"))
    for _ in range(60):
        steady.at += 1
        box.flush()

    assert pager.sent == ["page"]
    # 50 messages, sixty sweeps: asked at once, and 5, 15 and 35 seconds after it.
    assert 1000 - fax.down == 4
    fax.down = 0
    steady.at += 300
    assert box.flush().sent == 50


def test_a_message_that_cannot_be_read_keeps_no_other_from_its_turn() -> None:
    table, pager = opened(), Pager(down=2)
    box = outbox(table, pager)
    for minutes, key in enumerate(["broken", "whole"]):
        box.store.queue(SCOPE, message(key, minutes=minutes))
    item = table.items[keys.message(SCOPE, INCIDENT_ID, "broken")]
    table.items[item.key] = replace(item, body={**item.body, "audience": "nobody that this version knows"})
    pager.down = 0

    flushed = [box.flush() for _ in range(3)]

    assert pager.sent == ["whole"]
    assert [one.sent for one in flushed] == [1, 0, 0] and flushed[-1].waiting == (flushed[0].waiting[0],)


def test_a_message_that_its_channel_chokes_on_keeps_no_other_from_its_turn() -> None:
    table, pager = opened(), Choking()
    box = outbox(table, pager)
    for minutes, key in enumerate(["choking", "whole"]):
        box.store.queue(SCOPE, message(key, minutes=minutes))

    assert [box.flush().sent for _ in range(3)] == [1, 0, 0]
    assert pager.sent == ["whole"] and pager.choked == 1


def test_a_cancellation_and_ctrl_c_pass_through_a_bulkhead() -> None:
    for wish in (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        with pytest.raises(wish), bulkhead("some work"):
            raise wish
    with bulkhead("some work", (ValueError,)) as passing:
        raise ValueError("for now")
    with bulkhead("some work", (ValueError,)) as defect:
        raise KeyError("for good")
    assert (type(passing.error), passing.is_defect) == (ValueError, False)
    assert (type(defect.error), defect.is_defect) == (KeyError, True)


def test_a_message_to_a_channel_that_is_not_there_stays_queued() -> None:
    table, pager = opened(), Pager()

    waiting = outbox(table, pager).send(SCOPE, message(channel="fax"))

    assert waiting.state is MessageState.QUEUED and waiting.failure is not None


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.booleans())
def test_no_message_is_lost_wherever_the_process_dies(dies_at: int, after_writing: bool) -> None:
    table, pager = opened(), Pager()
    table.dies_at, table.after_writing = table.writes + dies_at, after_writing
    stored = False
    try:
        stored = outbox(table, pager).send(SCOPE, message()).state is MessageState.SENT
    except Killed:
        table.bury()
        stored = any(True for _ in OutboxStore(table, "default").all(SCOPE, INCIDENT_ID))

    outbox(table, pager).flush()

    assert 1 <= len(pager.sent) <= 2 if stored else not pager.sent


def test_many_senders_at_once_send_once() -> None:
    table, pager = opened(), Pager()
    threads = [
        threading.Thread(target=lambda: outbox(table, pager).send(SCOPE, message())) for _ in range(30)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert pager.sent == ["first"]


def test_what_waits_goes_out_in_order() -> None:
    table, pager, steady = opened(), Pager(down=1), Steady()
    box = outbox(table, pager, steady=steady)
    for minutes, key in enumerate(["a", "b", "c"]):
        box.send(SCOPE, message(key, minutes=minutes))

    steady.at += 6
    assert box.flush() == Flushed(3)
    assert pager.sent == ["a", "b", "c"]


@dataclass
class Topic:
    published: list[dict[str, object]] = field(default_factory=list)

    def publish(self, **request: object) -> dict[str, str]:
        self.published.append(request)
        return {"MessageId": "m-1"}


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=50))
def test_sns_is_given_what_it_takes(subject: str, body: str) -> None:
    topic = Topic()
    channel = SnsChannel(ScriptedAccess("us-east-1", clients={"sns": topic}), "arn:aws:sns:::t")

    channel.send(message().model_copy(update={"subject": subject, "body": body}))

    (request,) = topic.published
    line = str(request["Subject"])
    assert 0 < len(line) < 100 and line.isascii() and line.isprintable() and line == line.strip()
    assert str(request["Message"])


@pytest.mark.parametrize(("arn", "keys"), [("arn:t", set()), ("arn:t.fifo", {"first"})])
def test_a_fifo_topic_gets_the_send_key_as_its_deduplication_id(arn: str, keys: set[str]) -> None:
    topic = Topic()
    SnsChannel(ScriptedAccess("us-east-1", clients={"sns": topic}), arn).send(message())

    (request,) = topic.published
    assert {request[key] for key in ("MessageDeduplicationId",) if key in request} == keys
    attributes = request["MessageAttributes"]
    assert isinstance(attributes, dict) and attributes["send_key"]["StringValue"] == "first"
