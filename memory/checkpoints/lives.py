"""How long a thread lives: a number of seconds after it was last written, all of it together.

Each item carries when it was written, and a `ttl` for DynamoDB that is twice as far away as it may be read. The
thread's life record says until when it lives and since when. While a thread is written, its record is renewed
every tenth of that time, and every half of it all its items are given a new `ttl`. So nothing that a living
thread still uses comes near its end, and what outlived its thread is not read though DynamoDB still has it.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from memory.checkpoints.keys import LIFE, run_partition
from memory.checkpoints.payloads import Attributes
from memory.checkpoints.table import CheckpointTable, Item, Wish

REMEMBERED = 10_000
EVERYTHING = ("\x20", "\x7f")


@dataclass(frozen=True)
class Life:
    """The life of a thread, in milliseconds: read what was written since then, until its end."""

    since: int
    end: int
    swept: int


@dataclass(frozen=True)
class Lives:
    """Renews the lives of threads and tells what has outlived its thread. Without a limit, nothing ends."""

    table: CheckpointTable
    seconds: float | None
    now: Callable[[], float]
    _known: dict[str, Life] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stamp(self) -> Attributes:
        """Return the attributes that every item carries."""
        at = self._ms()
        return {"at": {"N": str(at)}, **self._ttl(at)}

    def renew(self, partition: str) -> None:
        """Let a thread live on from now; call this before it is written."""
        if self.seconds is None:
            return
        now, span = self._ms(), int(self.seconds * 1000)
        with self._lock:
            life = self._known.get(partition)
        while life is None or now + span > life.end:
            stored = self.read(partition)
            life = self._renewed(partition, life, stored, now)
            if not self._replace(partition, stored, life):
                life = None
        if now - life.swept > span // 2:
            self._sweep(partition, life)
            life = Life(life.since, life.end, now)
            self._replace(partition, self.read(partition), life)
        with self._lock:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[partition] = life

    def read(self, partition: str) -> Life | None:
        """Return the life record of a thread."""
        item = self.table.get(partition, [LIFE]).get(LIFE)
        return Life(*(int(item[name]["N"]) for name in ("since", "until", "swept"))) if item else None

    def reader(self, partition: str) -> "LifeReader":
        """Return what tells the living from the dead during one call."""
        return LifeReader(self, partition)

    def forget(self, partition: str) -> None:
        """Forget what is remembered of a thread."""
        with self._lock:
            self._known.pop(partition, None)

    def fresh(self, item: Item) -> bool:
        """Whether an item is alive whatever its thread's record says."""
        return self.seconds is None or int(item["at"]["N"]) + int(self.seconds * 1000) > self._ms()

    def lives(self, item: Item, life: Life | None) -> bool:
        """Whether an item belongs to a thread's present life."""
        return life is not None and life.end > self._ms() and int(item["at"]["N"]) >= life.since

    def _renewed(self, partition: str, known: Life | None, stored: Life | None, now: int) -> Life:
        end = now + int(1100 * (self.seconds or 0))
        if stored is not None and stored.end > now:
            return Life(stored.since, max(end, stored.end), stored.swept)
        if known is not None and known.end > now:
            # Somebody has deleted the thread in the meantime, and everything that was older.
            return Life(known.since, end, known.swept)
        if stored is None and self._begun(partition):
            return Life(0, end, 0)
        return Life(now, end, now)

    def _begun(self, partition: str) -> bool:
        """Whether a thread without a record is alive: it was begun by a saver that let threads live for ever."""
        wish = Wish(partition, *EVERYTHING, attributes=("at",))
        # A record that another worker has written since is no item of an earlier saver, and carries no time.
        return any(self.fresh(item) for page in self.table.pages(wish) for item in page if "at" in item)

    def _replace(self, partition: str, stored: Life | None, life: Life) -> bool:
        numbers = {":since": life.since, ":until": life.end, ":swept": life.swept}
        values = {name: {"N": str(number)} for name, number in numbers.items()}
        condition = "attribute_not_exists(pk)"
        if stored is not None:
            condition = "#until = :seen AND #swept = :swept_then"
            values |= {":seen": {"N": str(stored.end)}, ":swept_then": {"N": str(stored.swept)}}
        ttl = self._ttl(self._ms())["ttl"]
        change = {
            "UpdateExpression": "SET #since = :since, #until = :until, #swept = :swept, #ttl = :ttl",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in ("since", "until", "swept", "ttl")},
            "ExpressionAttributeValues": {**values, ":ttl": ttl},
        }
        return self.table.update(partition, LIFE, change)

    def _sweep(self, partition: str, life: Life) -> None:
        """Give every item of a thread's present life a new `ttl`."""
        stamp, runs = self._ttl(self._ms()), set()
        wish = Wish(partition, *EVERYTHING, attributes=("sk", "at", "run"))
        for page in self.table.pages(wish):
            for item in page:
                if item["sk"]["S"] == LIFE or int(item["at"]["N"]) < life.since:
                    continue
                self._lengthen(partition, item["sk"]["S"], stamp)
                runs |= {item["run"]["S"]} if "run" in item else set()
        self._lengthen_runs(partition, runs, stamp)

    def _lengthen_runs(self, partition: str, runs: Iterable[str], stamp: Attributes) -> None:
        for run in runs:
            self._lengthen(run_partition(run), partition, stamp)

    def _lengthen(self, partition: str, key: str, stamp: Attributes) -> None:
        change = {
            "UpdateExpression": "SET #ttl = :ttl",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {":ttl": stamp["ttl"]},
        }
        self.table.update(partition, key, change)

    def _ttl(self, at: int) -> Attributes:
        if self.seconds is None:
            return {}
        return {"ttl": {"N": str(int(at / 1000 + 2 * self.seconds) + 1)}}

    def _ms(self) -> int:
        return int(self.now() * 1000)


@dataclass
class LifeReader:
    """Tells the living from the dead, reading the thread's record once at most."""

    lives: Lives
    partition: str
    _read: bool = False
    _life: Life | None = None

    def alive(self, item: Any) -> bool:
        """Whether an item may be read."""
        if self.lives.fresh(item):
            return True
        if not self._read:
            self._life, self._read = self.lives.read(self.partition), True
        return self.lives.lives(item, self._life)
