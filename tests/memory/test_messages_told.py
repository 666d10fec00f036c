"""The public record tells of its messages as they stand when it is read."""

from memory.records.incident import Status
from memory.records.incident_record import IncidentRecord
from memory.records.message import CHANNEL, Audience, Message, MessageState
from memory.stores.incidents import IncidentStore
from memory.stores.outbox import OutboxStore
from tests.tools.dials import incident
from tests.tools.memory_table import MemoryTable
from tests.tools.stand_ins import NOW, SCOPE

ABOUT = incident()


def _page(key: str) -> Message:
    return Message(
        incident_id=ABOUT.incident_id,
        send_key=key,
        audience=Audience.ON_CALL,
        channel=CHANNEL,
        subject="Break-glass approval",
        body="ada approved it",
        queued_at=NOW,
    )


def test_a_message_that_was_sent_after_the_record_was_written_is_told_as_sent() -> None:
    table = MemoryTable()
    incidents, outbox = IncidentStore(table, SCOPE.tenant), OutboxStore(table, SCOPE.tenant)
    incidents.claim(ABOUT)
    page, stays, gone = (outbox.queue(SCOPE, _page(key)) for key in ("page", "stays", "gone"))
    kept = IncidentRecord(
        incident=ABOUT, status=Status.RESOLVED, updated_at=NOW, messages=(page, stays, gone)
    )
    incidents.save_record(kept)
    outbox.settle(SCOPE, page.model_copy(update={"state": MessageState.SENT, "sent_at": NOW}))
    table.items = {key: item for key, item in table.items.items() if "gone" not in key.sk}

    told = incidents.record(ABOUT.incident_id)

    assert told is not None
    assert [one.state.value for one in told.messages] == ["sent", "queued", "queued"]
    assert told.messages[0].sent_at == NOW and told.model_copy(update={"messages": kept.messages}) == kept
