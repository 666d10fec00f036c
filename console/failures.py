"""What a command says when it cannot go on, and the exit code it ends with."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from botocore.exceptions import BotoCoreError, ClientError

from console.text import plain, screen
from memory.stores.incidents import UnknownIncidentError
from memory.stores.leases import IncidentBusyError
from memory.stores.objects import ObjectStoreError
from tools.errors import CopilotError, Misconfigured, not_set_up
from tools.event_body import RefusedEvent

FAILED = 1
MISCONFIGURED = 2
UNREACHABLE = 3
# What the system says where there is no room, or none for us.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
MAKE_ROOM = (
    ". Make room where CLOUDOPS_STATE_DIR and CLOUDOPS_OUT point (.cloudops and out, if nothing is said), or name "
    "others, and run the command again"
)


@contextmanager
def told() -> Iterator[None]:
    """Say in one sentence what went wrong, on stderr, and end with the code that belongs to it."""
    try:
        yield
    except Misconfigured as error:
        raise say(str(error), MISCONFIGURED) from error
    except RefusedEvent as error:
        raise say(f"refused ({error.status}): {error.reason}", FAILED) from error
    except (CopilotError, UnknownIncidentError, IncidentBusyError, ObjectStoreError) as error:
        raise say(str(error), FAILED) from error
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise say(str(not_set_up(error)), MISCONFIGURED) from error
        raise say(f"{error}\n`cloudops doctor` looks for the reason", UNREACHABLE) from error
    except BotoCoreError as error:
        raise say(f"{error}\n`cloudops doctor` looks for the reason", UNREACHABLE) from error
    except OSError as error:
        if error.errno in FULL:
            raise say(f"{error.filename or 'the disk'}: {error.strerror}{MAKE_ROOM}", FAILED) from error
        if error.filename is None:
            raise  # no file that somebody named: a defect, which is to be seen whole
        raise say(f"{error.filename}: {error.strerror}", FAILED) from error


def say(text: str, code: int) -> typer.Exit:
    """Write why a command ends to stderr, and return the exit to raise."""
    screen(err=True).print(plain(text), style="red" if code else "", soft_wrap=True)
    return typer.Exit(code)
