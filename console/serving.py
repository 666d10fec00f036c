"""Serve the HTTP door alone: one process answers, runs the graph, wakes what is due and consumes the queue."""

import errno
import ipaddress
import socket
import threading

import uvicorn
from starlette.types import ASGIApp

from console import garbage
from console.failures import FAILED
from console.running import ended_by_signal
from console.text import plain, screen
from graphs.bootstrap import open_records
from graphs.settings import Settings
from tools.aws.queue import open_queue
from tools.errors import Misconfigured

# How long open answers, such as followed timelines, may hold up the end.
ANSWERS_SECONDS = 3


def settings_to_serve(settings: Settings, queue: bool | None) -> Settings:
    """Return the settings of a server that runs the graph itself; what the command says of the queue wins."""
    if settings.runs_url:
        raise Misconfigured(
            f"CLOUDOPS_RUNS_URL names {settings.runs_url} to run the graph, and this server runs it itself: "
            "unset the variable, or call that server"
        )
    return settings if queue is None else settings.model_copy(update={"consumes_queue": queue})


def run_server(app: ASGIApp, settings: Settings, host: str, port: int) -> int:
    """Serve until Ctrl-C or SIGTERM; what is under way is finished first."""
    address = address_to_serve(settings, host, port)
    records = open_records(settings)
    if settings.consumes_queue:
        # Looked for here too, where what is missing is told with its remedy.
        open_queue(records.access, records.backend.queue)
    connection = settings.connection
    about = [f"account {records.home.account}, {connection.region} ({connection.world.value})"]
    about.append("consuming the queue" if settings.consumes_queue else "leaving the queue alone")
    garbage.resume()
    with listening(address, port) as listener, ended_by_signal() as over:
        server = Server(app, "; ".join(about), over)
        server.run(sockets=[listener])
    return 0 if server.started else FAILED


class Server(uvicorn.Server):
    """Says when it serves, and when it ends."""

    def __init__(self, app: ASGIApp, about: str, over: threading.Event) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=ANSWERS_SECONDS,
            )
        )
        self._about = about
        self._over = over

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open what is needed, then say where it serves."""
        await super().startup(sockets)
        # A wish to end that came before uvicorn listened to signals.
        self.should_exit = self.should_exit or self._over.is_set()
        for one in sockets or [] if self.started else []:
            screen().print(plain(f"serving {_url(one)}; {self._about}; Ctrl-C ends"))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let what is under way end."""
        screen().print("ending; what is under way is finished first")
        await super().shutdown(sockets)
        screen().print("ended; what waits is kept and goes on with the next server")


def address_to_serve(settings: Settings, host: str, port: int) -> str:
    """Return the address of a host; refuse one that others reach while only this machine's issuer is believed.

    The local issuer is for development: its key is a file, and in the account on this machine whoever reads it
    holds every role. On AWS it lets no person in at all, so such a door would be of no use either.
    """
    try:
        found = socket.getaddrinfo(host or "127.0.0.1", port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Misconfigured(f"--host {host!r} is no address of this machine: {error}") from error
    address = str(found[0][4][0])
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback and not settings.access.issuers:
        raise Misconfigured(
            f"{host} is reached from other machines, and no issuer of tokens is named but this machine's own: "
            "name one under [[issuers]] in settings/access.toml, or serve on 127.0.0.1"
        )
    return address


def listening(address: str, port: int) -> socket.socket:
    """Return a socket that listens there, or raise `Misconfigured` with the remedy."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            said = f"port {port} of {address} is taken: end what serves there, or name another with --port"
        else:
            said = f"cannot serve on port {port} of {address} ({error.strerror}): name others with --host, --port"
        raise Misconfigured(said) from error


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
