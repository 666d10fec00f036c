"""How often a caller may ask: so many times in each second of the wall's time, which is transport's."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """Lets `most` calls through in any second that `seconds` counts."""

    most: int
    seconds: Callable[[], float]
    _passed: deque[float] = field(default_factory=deque)

    def lets_pass(self) -> bool:
        """Whether one more call may be answered now. One that may not is not counted."""
        now = self.seconds()
        # A count that is ahead was taken before the machine began anew.
        while self._passed and not 0 <= now - self._passed[0] < 1:
            self._passed.popleft()
        if len(self._passed) >= self.most:
            return False
        self._passed.append(now)
        return True
