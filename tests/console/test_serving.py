"""Where a server may listen, and what it says when it may not or cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from console.serving import address_to_serve, listening, run_server, settings_to_serve
from graphs.bootstrap import set_up
from graphs.settings import AccessSettings, Connection, Issuer, Settings, World, load
from tests.simulated import ROOT, SimulatedAccount
from tests.web.door import settings_of
from tools.errors import Misconfigured

ISSUER = Issuer(issuer="https://idp.example", audience="cloudops", jwks_url="https://idp.example/jwks.json")


def settings(world: World, *issuers: Issuer, **changed: Any) -> Settings:
    read = load({"CLOUDOPS_WORLD": "aws", "AWS_REGION": "us-east-1"}, ROOT)
    connection = Connection(world=world, region="us-east-1")
    update = {"connection": connection, "access": AccessSettings(issuers=issuers), **changed}
    return read.model_copy(update=update)


@pytest.mark.parametrize("world", World)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_others_reach_no_door_that_believes_this_machine_alone(world: World, host: str) -> None:
    with pytest.raises(Misconfigured, match=r"settings/access\.toml"):
        address_to_serve(settings(world), host, 8000)


@pytest.mark.parametrize("world", World)
def test_others_reach_a_door_that_has_an_issuer(world: World) -> None:
    assert address_to_serve(settings(world, ISSUER), "0.0.0.0", 8000) == "0.0.0.0"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", ""])
def test_this_machine_needs_no_issuer(host: str) -> None:
    address = address_to_serve(settings(World.SIMULATED), host, 8000)
    assert address == "::1" or address.startswith("127.")


@pytest.mark.parametrize("host", ["999.1.1.1", "a b", "x" * 300])
def test_a_host_that_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(Misconfigured, match="--host"):
        address_to_serve(settings(World.SIMULATED, ISSUER), host, 8000)


def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(Misconfigured, match=rf"port {port} of 127\.0\.0\.1 is taken.*--port"):
            listening("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Misconfigured, match="--host"):
        listening("192.0.2.1", 0)


def test_a_queue_that_is_gone_is_told_before_anything_is_served(
    shared_accounts: Callable[..., SimulatedAccount],
) -> None:
    account = shared_accounts("false-alarm")
    here = settings_of(account, CLOUDOPS_PREFIX="gone", CLOUDOPS_QUEUE="on")
    set_up(here)
    sqs = account.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="gone-incidents")["QueueUrl"])

    async def nothing(*_: object) -> None:
        raise AssertionError("nothing is served")

    with pytest.raises(Misconfigured, match="run `cloudops setup`"):
        run_server(nothing, here, "127.0.0.1", 0)


def test_what_the_command_says_of_the_queue_wins() -> None:
    off = settings(World.SIMULATED, consumes_queue=False)
    assert settings_to_serve(off, True).consumes_queue
    assert not settings_to_serve(off, None).consumes_queue
    assert not settings_to_serve(settings(World.SIMULATED), False).consumes_queue


def test_a_server_that_runs_the_graph_has_no_other_named_for_it() -> None:
    with pytest.raises(Misconfigured, match="CLOUDOPS_RUNS_URL"):
        settings_to_serve(settings(World.SIMULATED, runs_url="http://127.0.0.1:2024"), None)
