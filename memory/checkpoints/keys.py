"""Where everything stands: one partition for each thread, and names of any characters.

A thread's partition holds, in key order:

    c!<namespace>!<checkpoint>!0         a checkpoint's one commit record
    c!<namespace>!<checkpoint>!1<stamp>  writes that belong to it, in the order in which they were made
    p!<payload>!<number>                 a piece of a payload too large to stand beside its record
    t                                    how long the thread lives, where it does not live for ever

Names are escaped so that no two of them share a key, and so that key order is the order of the names.
"""

import re
from dataclasses import dataclass

PK_BYTES, SK_BYTES = 2048, 1024
LIFE = "t"
COMMITS = "c!"
PIECES = "p!"

# "!" ends a name. It and what sorts below it are written as two characters that sort above it.
_BELOW = re.compile('[\x00-"]')
_ESCAPED = re.compile('"(.)')


@dataclass(frozen=True)
class Place:
    """A namespace of a thread."""

    thread: str
    namespace: str = ""

    @property
    def partition(self) -> str:
        """The partition of the thread."""
        return partition(self.thread)

    @property
    def prefix(self) -> str:
        """What every sort key of the namespace begins with."""
        return f"{COMMITS}{escaped(self.namespace)}!"

    def of(self, checkpoint: str) -> str:
        """Return what the sort keys of a checkpoint and of its writes begin with."""
        return _checked(f"{self.prefix}{escaped(checkpoint)}!", SK_BYTES - 64)

    def commit(self, checkpoint: str) -> str:
        """Return the sort key of a checkpoint's commit record."""
        return f"{self.of(checkpoint)}0"

    def writes(self, checkpoint: str, stamp: str) -> str:
        """Return the sort key of writes made at a moment."""
        return f"{self.of(checkpoint)}1{stamp}"


def partition(thread: str) -> str:
    """Return the partition of a thread."""
    return _checked(f"thread!{escaped(thread)}", PK_BYTES)


def run_partition(run: str) -> str:
    """Return the partition that lists the threads of a run."""
    return _checked(f"run!{escaped(run)}", PK_BYTES)


def piece(payload: str, number: int) -> str:
    """Return the sort key of a piece of a payload."""
    return f"{PIECES}{payload}!{number:05d}"


def named(sort_key: str) -> tuple[str, str]:
    """Return the namespace and the checkpoint that a commit's or a write's sort key names."""
    _, namespace, checkpoint, _ = sort_key.split("!")
    return unescaped(namespace), unescaped(checkpoint)


def escaped(name: str) -> str:
    """Return a name without the separator, in the same order among names as before."""
    return _BELOW.sub(lambda found: '"' + chr(0x30 + ord(found[0])), name)


def unescaped(text: str) -> str:
    """Return the name that was escaped."""
    return _ESCAPED.sub(lambda found: chr(ord(found[1]) - 0x30), text)


def _checked(key: str, limit: int) -> str:
    size = len(key.encode())
    if size > limit:
        raise ValueError(f"the ids are too long for a DynamoDB key: {size} bytes, {limit} are possible")
    return key
