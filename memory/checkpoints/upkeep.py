"""Deletes, copies and prunes threads, in an order in which a crash leaves no older checkpoint in a newer's place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from memory.checkpoints.history import History
from memory.checkpoints.keys import COMMITS, LIFE, named, partition, run_partition
from memory.checkpoints.lives import EVERYTHING, Lives
from memory.checkpoints.payloads import Whereabouts
from memory.checkpoints.reading import depends_on
from memory.checkpoints.recent import Recent
from memory.checkpoints.table import CheckpointTable, Item, Wish

KEYS = ("sk", "hash", "name", "count", "key", "run", "gone", "at")


@dataclass(frozen=True)
class Upkeep:
    """Looks after whole threads."""

    table: CheckpointTable
    lives: Lives
    recent: Recent

    def delete_thread(self, thread: str) -> None:
        """Delete everything of a thread; the newest checkpoints last, so that no older one is taken for them."""
        place = partition(thread)
        self._forget(place)
        items = self._items(place, KEYS)
        newest = {_key(one) for one in _newest(items)}
        self.table.delete(place, [key for one in items if (key := _key(one)) not in newest])
        self.table.delete(place, newest)
        for run in {one["run"]["S"] for one in items if "run" in one}:
            self.table.delete(run_partition(run), [place])

    def delete_for_runs(self, runs: Sequence[str]) -> None:
        """Delete what some runs made, newest first, so that what remains is whole at any time."""
        threads: dict[str, set[str]] = {}
        for run in runs:
            for marker in self._items(run_partition(run), ("sk",)):
                threads.setdefault(_key(marker), set()).add(run)
        for place, here in threads.items():
            self._forget(place)
            items = self._items(place, KEYS)
            self._remove(place, items, [one for one in items if one.get("run", {}).get("S") in here])
            for run in here:
                self.table.delete(run_partition(run), [place])

    def keep_latest(self, thread: str, history: Callable[[str], History]) -> None:
        """Delete all but the newest checkpoint of each namespace, and the ancestors its delta channels need."""
        place = partition(thread)
        items = self._items(place, KEYS)
        kept = {_key(one) for one in _newest(items)}
        for key in tuple(kept):
            namespace, checkpoint = named(key)
            kept |= history(namespace).needed(checkpoint)
        self._remove(place, items, [one for one in items if _commit(one) and _key(one) not in kept])

    def copy_thread(self, source: str, target: str) -> None:
        """Copy everything; checkpoints last and newest first, so that a part of them is never taken for all."""
        place, copy = partition(source), partition(target)
        self.lives.renew(copy)
        life = self.lives.reader(place)
        alive = [
            {**one, "pk": {"S": copy}, **self.lives.stamp()}
            for one in self._items(place, ())
            if _key(one) != LIFE and life.alive(one)
        ]
        commits = sorted((one for one in alive if _commit(one)), key=lambda one: named(_key(one))[1])
        stamp = self.lives.stamp()
        self.table.put([one for one in alive if not _commit(one)])
        for run in sorted({one["run"]["S"] for one in commits if "run" in one}):
            self.table.put([{"pk": {"S": run_partition(run)}, "sk": {"S": copy}, **stamp}])
        newest = {_key(one) for one in _newest(commits)}
        self.table.put([one for one in commits if _key(one) in newest])
        self.table.put([one for one in reversed(commits) if _key(one) not in newest])

    def _remove(self, place: str, items: Sequence[Item], doomed: Sequence[Item]) -> None:
        """Delete checkpoints with their writes and pieces; what others are written against is only hidden."""
        names = {_key(one) for one in doomed}
        staying = [one for one in items if _commit(one) and _key(one) not in names and "gone" not in one]
        needed = [key for one in staying if (key := depends_on(one)) is not None]
        hidden = {key.sort_key for key in needed if not key.count}
        pieces = {name for key in needed for name in key.piece_keys}
        for one in doomed:
            if _key(one) in hidden and "gone" not in one:
                hide = {
                    "UpdateExpression": "SET gone = :yes",
                    "ExpressionAttributeValues": {":yes": {"BOOL": True}},
                }
                self.table.update(place, _key(one), {**hide, "ConditionExpression": "attribute_exists(pk)"})
        stems = {_key(one)[:-1] for one in doomed}
        writes = [one for one in items if _write(one) and _stem(one) in stems]
        # A commit goes before what it is made of: it is gone, not damaged.
        commits = sorted(names - hidden, key=lambda key: named(key)[1], reverse=True)
        for commit in commits:
            self.table.delete(place, [commit])
        rest = [_key(one) for one in writes]
        rest += [key for one in (*doomed, *writes) for key in _pieces(one) if key not in pieces]
        self.table.delete(place, rest)

    def _items(self, place: str, attributes: tuple[str, ...]) -> list[Item]:
        wish = Wish(place, *EVERYTHING, forward=True, attributes=attributes)
        return [one for page in self.table.pages(wish) for one in page]

    def _forget(self, place: str) -> None:
        self.recent.forget(place)
        self.lives.forget(place)


def _newest(items: Iterable[Item]) -> list[Item]:
    """Return the newest checkpoint of each namespace, of items in key order."""
    latest: dict[str, Item] = {}
    for one in items:
        if _commit(one) and "gone" not in one:
            namespace, checkpoint = named(_key(one))
            if namespace not in latest or named(_key(latest[namespace]))[1] < checkpoint:
                latest[namespace] = one
    return list(latest.values())


def _key(item: Item) -> str:
    return str(item["sk"]["S"])


def _commit(item: Item) -> bool:
    return _key(item).startswith(COMMITS) and _key(item).endswith("!0")


def _write(item: Item) -> bool:
    return _key(item).startswith(COMMITS) and not _key(item).endswith("!0")


def _stem(item: Item) -> str:
    return _key(item).rpartition("!")[0] + "!"


def _pieces(item: Item) -> tuple[str, ...]:
    return Whereabouts.read(_key(item), item).piece_keys
