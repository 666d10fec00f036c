"""What the emulator's services hold, as JSON, and back. Sessions of STS are not kept: they end with the process."""

import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

# The objects of buckets, which the emulator keeps apart from what it writes down.
OBJECTS = "s3/objects"
_NOT_KEPT = frozenset({"sts"})


class EmulatedState:
    """Reads and fills the services of the emulator in this process."""

    def __init__(self) -> None:
        self._app: Any = importlib.import_module("ministack.app")
        self._format: Any = importlib.import_module("ministack.core.persistence")

    def kept(self) -> dict[str, Any]:
        """Every loaded service's state, as plain JSON."""
        states: dict[str, Any] = {
            key: read() for key, read in self._app._build_persistence_save_dict().items()
        }
        buckets = importlib.import_module("ministack.services.s3")._buckets
        states[OBJECTS] = {name: bucket["objects"] for name, bucket in _stored(buckets)}
        plain: dict[str, Any] = json.loads(json.dumps(states, default=self._written))
        return plain

    def restore(self, kept: dict[str, Any]) -> None:
        """Let every service hold what was kept and nothing else."""
        for module in self._modules():
            module.reset()
        states = json.loads(json.dumps(kept), object_hook=self._format._json_object_hook)
        objects = states.pop(OBJECTS)
        for key, state in states.items():
            if state:
                self._app._get_module(self._app._state_map[key]).load_persisted_state(state)
        buckets = importlib.import_module("ministack.services.s3")._buckets
        for name, bucket in _stored(buckets):
            bucket["objects"] = objects.get(name, {})

    def _modules(self) -> Iterator[Any]:
        for key in self._app._build_persistence_save_dict():
            if key not in _NOT_KEPT:
                yield self._app._get_module(self._app._state_map[key])

    def _written(self, value: Any) -> Any:
        if isinstance(value, set | frozenset):
            return sorted(value)
        write: Callable[[Any], Any] = self._format._json_default
        return write(value)


def _stored(buckets: Any) -> Iterator[tuple[str, Any]]:
    """Buckets by account and name."""
    for scoped, bucket in buckets._data.items():
        yield "/".join(str(part) for part in scoped), bucket
