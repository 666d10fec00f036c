"""Who may do what on the LangGraph server's own routes: denied unless named here.

Viewers read. Operators start and wake runs; what is secret in what they send is taken out before it is stored. Nobody
edits a thread's state or sends a command that would: a decision is made at the decision door alone, and the graph
ignores what a resume carries.
"""

from dataclasses import dataclass
from typing import Any

from langgraph_sdk import Auth
from starlette.concurrency import run_in_threadpool

from graphs.principals import UnauthenticatedError
from memory.records.scope import Role
from tools.event_body import RefusedEvent
from tools.event_cleaning import clean_event
from tools.redaction import redact_all
from web.doorkeeper import Doorkeeper

STEERING = ("update", "goto")
FORGED = frozenset({"holder", "checkpoint_id", "checkpoint_map", "checkpoint_ns"})
STRATEGIES = frozenset({"reject", "enqueue"})


def langgraph_auth(doorkeeper: Doorkeeper) -> Auth:
    """Return the checks that langgraph.json names as `auth`."""
    auth, rules = Auth(), Rules(doorkeeper)
    auth.authenticate(rules.authenticate)
    auth.on(rules.nothing_else)
    auth.on(resources=["assistants", "threads"], actions=["read", "search"])(rules.reading)
    auth.on.threads.create(rules.creating)
    auth.on.threads.create_run(rules.running)
    auth.on.threads.update(rules.cancelling)
    return auth


@dataclass(frozen=True)
class Rules:
    """One rule for each kind of call; the names of the arguments are LangGraph's."""

    doorkeeper: Doorkeeper

    async def authenticate(self, authorization: str | None) -> Auth.types.MinimalUserDict:
        """Return the caller, or answer 401 with the reason."""
        try:
            caller = await run_in_threadpool(self.doorkeeper.principal, authorization)
        except UnauthenticatedError as error:
            raise Auth.exceptions.HTTPException(status_code=401, detail=str(error)) from error
        return {"identity": caller.id, "permissions": [role.value for role in caller.roles]}

    async def nothing_else(self, ctx: Any, value: Any) -> bool:
        """Deny what no other rule is about."""
        return False

    async def reading(self, ctx: Any, value: Any) -> None:
        """Let viewers read."""
        await self._needs(ctx, Role.VIEWER)

    async def creating(self, ctx: Any, value: Any) -> None:
        """Let operators make a thread, but no copy of one."""
        await self._needs(ctx, Role.OPERATOR)
        if "if_exists" not in value:
            deny("a thread is an incident's own and is not copied")
        clean_labels(value.get("metadata"))

    async def running(self, ctx: Any, value: Any) -> None:
        """Let operators start and wake runs."""
        await self._needs(ctx, Role.OPERATOR)
        check_run(value)
        clean_run(value)

    async def cancelling(self, ctx: Any, value: Any) -> None:
        """Let operators cancel a run; a thread's state and labels are nobody's to change."""
        await self._needs(ctx, Role.OPERATOR)
        if value.get("action") != "interrupt":
            deny("a thread's state is not edited; decide at POST /incidents/{id}/decision")

    async def _needs(self, ctx: Any, role: Role) -> None:
        if isinstance(ctx.user, Auth.types.StudioUser):
            held = studio_roles(await run_in_threadpool(lambda: self.doorkeeper.simulated))
        else:
            held = tuple(Role(text) for text in ctx.permissions)
        if role not in held:
            deny(f"{ctx.user.identity} does not hold the role {role.value}")


def studio_roles(simulated: bool) -> tuple[Role, ...]:
    """Return what LangGraph Studio may do, which comes without a token: nothing outside the simulated world."""
    return (Role.VIEWER, Role.OPERATOR) if simulated else ()


def check_run(value: dict[str, Any]) -> None:
    """Refuse a run that would steer the graph, go back in time, or cut off the run that works."""
    kwargs = value.get("kwargs") or {}
    command = kwargs.get("command") or {}
    if any(command.get(part) is not None for part in STEERING):
        deny("a command may resume; it may not update the state or choose a node")
    configurable = (kwargs.get("config") or {}).get("configurable") or {}
    forged = sorted(FORGED & configurable.keys())
    if forged:
        deny(f"a run goes on from where it stands; it may not set {', '.join(forged)}")
    if value.get("thread_id") is None or kwargs.get("temporary"):
        deny("a run needs a thread: what it waits for must outlive it")
    if value.get("multitask_strategy") not in STRATEGIES:
        deny("a run may be rejected or queued while another works, not cut it off")


def clean_run(value: dict[str, Any]) -> None:
    """Take out of a run, in place, what is secret in it: the server stores it before the graph's first step."""
    kwargs = value.get("kwargs") or {}
    asked = kwargs.get("input")
    if isinstance(asked, dict) and asked.get("event"):
        kwargs["input"] = {**redact_all({**asked, "event": None}), "event": _cleaned(asked["event"])}
    elif asked is not None:
        kwargs["input"] = redact_all(asked)
    for part in ("command", "context"):
        if kwargs.get(part) is not None:
            kwargs[part] = redact_all(kwargs[part])
    clean_labels(value.get("metadata"))
    clean_labels((kwargs.get("config") or {}).get("metadata"))


def clean_labels(labels: dict[str, Any] | None) -> None:
    """Take out of labels, in place, what is secret in them."""
    if labels:
        kept = redact_all(dict(labels))
        labels.clear()
        labels.update(kept)


def _cleaned(event: Any) -> Any:
    """Return an event as it may be stored; the graph says what is wrong with one that is none."""
    try:
        return clean_event(event) if isinstance(event, dict) else redact_all(event)
    except RefusedEvent:
        return redact_all(event)


def deny(reason: str) -> None:
    """Answer 403 with the reason."""
    raise Auth.exceptions.HTTPException(status_code=403, detail=reason)
