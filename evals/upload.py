"""Results go to LangSmith when it is configured. When it is not, its client is not even made."""

import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

PROJECT = "cloudops-evals"
YES = frozenset({"1", "true", "yes"})


def is_configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether there is a key and tracing is switched on; a key alone sends nothing."""
    tracing = environment.get("LANGSMITH_TRACING", "").lower() in YES
    return tracing and bool(environment.get("LANGSMITH_API_KEY"))


def send(summary: dict[str, Any]) -> None:
    """Upload one run for each score, with its marks as feedback."""
    from langsmith import Client

    client = Client()
    project = os.environ.get("LANGSMITH_PROJECT", PROJECT)
    for one in summary["scores"]:
        run_id, now = uuid.uuid4(), datetime.now(UTC)
        inputs = {"scenario": one["scenario"], "seed": one["seed"], "models": one["models"]}
        client.create_run(
            name=f"eval {one['scenario']}",
            inputs=inputs,
            run_type="chain",
            id=run_id,
            project_name=project,
            start_time=now,
            end_time=now,
            outputs=one,
        )
        for key, value in (("score", one["share"]), ("first_look", one["first_look"]["share"])):
            client.create_feedback(run_id=run_id, key=key, score=value)
    client.flush()
