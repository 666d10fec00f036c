"""What this process has read or written last. Only speed rests on it: what is not here is read or written whole."""

import threading
from collections import OrderedDict
from weakref import WeakValueDictionary

from memory.checkpoints.images import Image, KeyImage
from memory.checkpoints.payloads import Whereabouts

LIMIT_BYTES, LIMIT_RUNS = 64_000_000, 10_000


class Recent:
    """The newest images, by partition and sort key, within a number of bytes."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._images: OrderedDict[tuple[str, str], tuple[Image, int]] = OrderedDict()
        # Key images live as long as an image that was written against them.
        self._keys: WeakValueDictionary[tuple[str, str], KeyImage] = WeakValueDictionary()
        # Runs that are listed as having written a partition.
        self._runs: dict[tuple[str, str], None] = {}
        self._lock = threading.Lock()

    def image(self, partition: str, sort_key: str) -> Image | None:
        """Return the image of a checkpoint."""
        with self._lock:
            held = self._images.get((partition, sort_key))
            if held is None:
                return None
            self._images.move_to_end((partition, sort_key))
            return held[0]

    def key(self, partition: str, where: Whereabouts) -> KeyImage | None:
        """Return the key image that is stored there."""
        with self._lock:
            key = self._keys.get((partition, where.sort_key))
        return key if key is not None and key.where == where else None

    def add(self, partition: str, sort_key: str, image: Image, instead_of: str | None = None) -> None:
        """Keep an image that is durable, in place of its parent's."""
        size = _size(image)
        with self._lock:
            if instead_of is not None:
                self._drop((partition, instead_of))
            self._drop((partition, sort_key))
            self._images[partition, sort_key] = (image, size)
            self._keys[partition, image.key.where.sort_key] = image.key
            self._held += size
            while self._held > self._limit:
                self._drop(next(iter(self._images)))

    def knows(self, run: str, partition: str) -> bool:
        """Whether a run is listed as having written a partition."""
        with self._lock:
            return (run, partition) in self._runs

    def add_run(self, run: str, partition: str) -> None:
        """Remember that a run is listed as having written a partition."""
        with self._lock:
            self._runs[run, partition] = None
            while len(self._runs) > LIMIT_RUNS:
                del self._runs[next(iter(self._runs))]

    def forget(self, partition: str) -> None:
        """Forget a thread."""
        with self._lock:
            for known in [known for known in self._runs if known[1] == partition]:
                del self._runs[known]
            for name in [name for name in self._images if name[0] == partition]:
                self._drop(name)

    def _drop(self, name: tuple[str, str]) -> None:
        held = self._images.pop(name, None)
        if held is not None:
            self._held -= held[1]


def _size(image: Image) -> int:
    """Return about how many bytes an image holds, with the key image that it may be the last to hold."""
    own = sum(len(one.typed[1]) for one in image.segments.values())
    return own if image.key.segments is image.segments else own + image.key.size
