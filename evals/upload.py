"""Results go to LangSmith when it is configured. When it is not, its client is not even made.

Configured means both `LANGSMITH_TRACING=true` and `LANGSMITH_API_KEY`: a key alone is often left in a shell, and
nobody asked for anything by it. `langsmith.evaluate` is not used, since it sends the runs of its targets also where
it was told to upload nothing.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphs.outward import Outward

PROJECT = "cloudops-evals"
YES = frozenset({"1", "true", "yes"})
TIMEOUT_MS = 20_000


class NotUploaded(Exception):
    """LangSmith did not take the results."""


@dataclass(frozen=True)
class LangSmith:
    """Where results go, as whom, and under which project."""

    endpoint: str
    api_key: str
    project: str


def configured(environment: Mapping[str, str], outward: Outward) -> LangSmith | None:
    """Return where results go; None unless there is a key and tracing is switched on.

    Raises `Misconfigured` when the settings do not allow that host.
    """
    key = environment.get("LANGSMITH_API_KEY", "").strip()
    if not key or environment.get("LANGSMITH_TRACING", "").strip().lower() not in YES:
        return None
    named = environment.get("LANGSMITH_ENDPOINT", "").strip()
    # What is scored here is always a simulated account, so a LangSmith on this machine will do.
    endpoint = outward.url_of("langsmith", named, simulated=True)
    return LangSmith(endpoint, key, environment.get("LANGSMITH_PROJECT", "").strip() or PROJECT)


def keep_on_this_machine() -> None:
    """Switch LangChain's own tracing off in this process, whatever else the environment says of it."""
    from langsmith.run_trees import configure

    configure(enabled=False)


def send(summary: Mapping[str, Any], to: LangSmith) -> None:
    """Upload one run for each score, with its marks as feedback; raise NotUploaded when it is not taken."""
    from langsmith import Client
    from langsmith.utils import LangSmithError

    # Each request is made at once: one that fails in a background queue would be logged and forgotten.
    client = Client(
        api_url=to.endpoint,
        api_key=to.api_key,
        auto_batch_tracing=False,
        omit_traced_runtime_info=True,
        tracing_sampling_rate=1.0,
        timeout_ms=TIMEOUT_MS,
    )
    try:
        project = client.create_project(to.project, upsert=True)
        for one in summary["scores"]:
            _send_one(client, one, project.id)
    # An answer that is not LangSmith's, such as a proxy's page, is a ValueError.
    except (LangSmithError, OSError, ValueError) as error:
        raise NotUploaded(f"LangSmith at {to.endpoint} did not take the scores: {error}") from error


def _send_one(client: Any, one: Mapping[str, Any], project: uuid.UUID) -> None:
    run_id, now = uuid.uuid4(), datetime.now(UTC)
    client.create_run(
        name=f"eval {one['scenario']}",
        inputs={"scenario": one["scenario"], "seed": one["seed"], "models": one["models"]},
        run_type="chain",
        id=run_id,
        session_id=project,
        start_time=now,
        end_time=now,
        outputs=dict(one),
    )
    marks = {"score": one["share"], "model": one["answer"]["share"], "first_look": one["first_look"]["share"]}
    for key, value in marks.items():
        client.create_feedback(run_id=run_id, session_id=project, start_time=now, key=key, score=value)
