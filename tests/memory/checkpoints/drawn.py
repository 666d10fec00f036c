"""Checkpoints as a graph would make them, for tests that call a saver themselves."""

from typing import Any

from langgraph.checkpoint.base import empty_checkpoint, uuid6


def config(thread: str, namespace: str = "", checkpoint: str | None = None) -> Any:
    named = {"thread_id": thread, "checkpoint_ns": namespace}
    return {"configurable": named | ({"checkpoint_id": checkpoint} if checkpoint else {})}


def checkpoint(values: dict[str, Any], versions: dict[str, Any] | None = None) -> Any:
    return {
        **empty_checkpoint(),
        "id": str(uuid6(clock_seq=0)),
        "channel_values": values,
        "channel_versions": versions if versions is not None else dict.fromkeys(values, 1),
    }


def steps(saver: Any, thread: str, states: list[dict[str, Any]], **metadata: Any) -> list[Any]:
    """Store states one after the other, every channel written anew, and return their configs."""
    told, stored = config(thread, metadata.pop("namespace", "")), []
    for number, values in enumerate(states, 1):
        versions = dict.fromkeys(values, number)
        made = checkpoint(values, versions)
        told = saver.put(told, made, {"source": "loop", "step": number, "parents": {}, **metadata}, versions)
        stored.append(told)
    return stored


def values(saver: Any, told: Any) -> Any:
    found = saver.get_tuple(told)
    return found.checkpoint["channel_values"] if found else None
