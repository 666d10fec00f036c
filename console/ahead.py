"""Work that is begun before it is asked for, while its caller waits for somebody."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field


@dataclass
class Ahead:
    """Does one piece of work once: in a thread of its own from `begin` on, or when it is asked for.

    A process that ends meanwhile lets it come to its end.
    """

    work: Callable[[], None]
    _begun: Future[None] | None = field(default=None)

    def begin(self) -> None:
        """Begin the work, unless it is begun already."""
        if self._begun is None:
            threads = ThreadPoolExecutor(1, "ahead")
            self._begun = threads.submit(self.work)
            threads.shutdown(wait=False)

    def done(self) -> None:
        """Return once the work is done; raise what it raised."""
        if self._begun is None:
            self.work()
            self._begun = Future()
            self._begun.set_result(None)
        self._begun.result()
