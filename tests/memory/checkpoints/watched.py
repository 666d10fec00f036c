"""A DynamoDB client whose calls a test sees and may end."""

import threading
from collections.abc import Callable
from typing import Any


class Died(Exception):
    """The process ended here."""


class Watched:
    """Passes calls on. `before` and `after` see each call's number and operation, and may raise."""

    def __init__(
        self,
        client: Any,
        before: Callable[[int, str, dict[str, Any]], None] = lambda number, name, request: None,
        after: Callable[[int, str], None] = lambda number, name: None,
    ) -> None:
        self.client = client
        self.meta = client.meta
        self.exceptions = client.exceptions
        self.before, self.after = before, after
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def passed_on(**request: Any) -> Any:
            with self._lock:
                self.calls.append(name)
                number = len(self.calls)
            self.before(number, name, request)
            answer = call(**request)
            self.after(number, name)
            return answer

        return passed_on
