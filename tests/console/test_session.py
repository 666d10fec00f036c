"""What a decision opens, and in which order: who has to be told is told before the run goes on."""

import gc
from collections.abc import Callable, Iterator

import pytest

from console.session import open_to_decide
from graphs.bootstrap import set_up
from memory.records.message import CHANNEL, Audience, Message, MessageState
from tests.simulated import SimulatedAccount
from tests.tools.dials import incident
from tests.tools.stand_ins import NOW
from tests.web.door import settings_of


@pytest.fixture(autouse=True)
def garbage_as_before() -> Iterator[None]:
    """What a command says of garbage holds for its whole process, and this one goes on."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.parametrize(("pages", "state"), [(True, MessageState.SENT), (False, MessageState.QUEUED)])
def test_a_page_goes_out_before_the_run_that_it_tells_of(
    shared_accounts: Callable[..., SimulatedAccount], pages: bool, state: MessageState
) -> None:
    account = shared_accounts("false-alarm")
    settings = settings_of(account, CLOUDOPS_PREFIX=f"pages-{state.value}")
    set_up(settings)
    session = open_to_decide(settings, pages=pages)
    records = session.records
    one = incident().model_copy(update={"scope": records.home})
    records.incidents.claim(one)
    page = Message(
        incident_id=one.incident_id,
        send_key=f"{one.incident_id}:break_glass:1",
        audience=Audience.ON_CALL,
        channel=CHANNEL,
        subject="Break-glass approval",
        body="by ada",
        queued_at=NOW,
    )
    records.outbox.queue(one.scope, page)

    session.runs.wake(one.incident_id)

    (told,) = records.outbox.all(one.scope, one.incident_id)
    assert told.state is state
