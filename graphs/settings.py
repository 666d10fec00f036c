"""Settings: the one reader of the environment and of the settings files.

Where the copilot runs is decided once: `CLOUDOPS_WORLD` names it, else a running simulated account that left
its address in `.cloudops/local.json` is used, else nothing is assumed and the remedy is said.
"""

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from agents.prompting import roles
from graphs.autonomy import AccountAutonomy, AutonomySettings, unknown_action
from graphs.outward import Outward
from graphs.people import Person, checked_patterns, checked_people
from graphs.settings_file import M, checked, read_toml, told
from memory.records.base import Record
from memory.records.config import Autonomy, LargerRule, Limits, PriceList, RedactionSettings, Rubric, Topology
from memory.retention import Retention
from tools.errors import Misconfigured

# What switches the tracing of LangChain's libraries on, and where it goes when nothing is said.
TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
LANGSMITH = "https://api.smith.langchain.com"


class World(StrEnum):
    """Where the account is: on AWS, or on this machine."""

    AWS = "aws"
    SIMULATED = "simulated"


class Connection(Record):
    """How the account is reached; nothing else differs between the worlds."""

    world: World
    region: str
    endpoint_url: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    clock_url: str | None = None


class ModelChoice(Record):
    """Model ids by tier, the tier of each role, and the guardrail."""

    tiers: dict[str, str]
    roles: dict[str, str] = Field(default_factory=dict)
    provider: str = ""
    guardrail_id: str = ""
    guardrail_version: str = ""
    larger: LargerRule = LargerRule()
    prompt_cache: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _every_tier_stands(self) -> Self:
        for role, tier in self.roles.items():
            if tier not in self.tiers:
                raise ValueError(
                    f"the role {role} has the tier {tier}, which is none of {', '.join(self.tiers)}"
                )
        return self


class Issuer(Record):
    """A signer of tokens whose roles are believed; `tenant` is whose its tokens are that name none."""

    issuer: str
    audience: str
    jwks_url: str
    tenant: str = ""


class AccessSettings(Record):
    """Which callers hold which roles, and who of them is who; `graphs/people.py` says what proves a person."""

    iam: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    iam_simulated: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    issuers: tuple[Issuer, ...] = ()
    signing_key: str = ""
    named_sessions: Annotated[tuple[str, ...], AfterValidator(checked_patterns)] = ()
    people: tuple[Person, ...] = ()

    @model_validator(mode="after")
    def _each_identity_is_one_persons(self) -> Self:
        checked_people(self.people, self.named_sessions)
        return self


class Settings(Record):
    """Everything the composition root needs."""

    connection: Connection
    tenant: str = "default"
    prefix: str = "cloudops"
    state_dir: Path
    out_dir: Path
    runs_url: str | None = None
    consumes_queue: bool = True
    rubric: Rubric
    prices: PriceList
    autonomy: AutonomySettings
    models: ModelChoice
    access: AccessSettings
    outward: Outward = Outward()
    limits: Limits = Limits()
    redaction: RedactionSettings = RedactionSettings()
    retention: Retention = Retention()
    topology: Topology = Topology()
    topology_parameter: str | None = None

    def autonomy_of(self, account: str) -> Autonomy:
        """Return how far the copilot may go in an account; observe unless it is named."""
        return self.autonomy_in(account).level

    def autonomy_in(self, account: str) -> AccountAutonomy:
        """Return what the settings say of an account; observe unless it is named."""
        return self.autonomy.in_account(account, simulated=self.connection.world is World.SIMULATED)

    def outward_url(self, name: str, url: str = "") -> str:
        """Return the URL of a service outside AWS's endpoints; raise `Misconfigured` unless its list allows it."""
        return self.outward.url_of(name, url, simulated=self.connection.world is World.SIMULATED)


def from_environment(world: World | None = None, state_dir: Path | None = None) -> Settings:
    """Read settings for this process: its environment, its directory and the files in `settings/`.

    A state directory that is given wins over the environment's.
    """
    given = {"CLOUDOPS_STATE_DIR": str(state_dir)} if state_dir else {}
    return load({**os.environ, **given}, Path.cwd(), world)


def state_dir_here() -> Path:
    """Return where this process keeps its local state, also when there is no account yet."""
    return Path(os.environ.get("CLOUDOPS_STATE_DIR", Path.cwd() / ".cloudops"))


def load(env: Mapping[str, str], cwd: Path, world: World | None = None) -> Settings:
    """Read settings from a given environment and directory; raise `Misconfigured` with the remedy."""
    state_dir = Path(env.get("CLOUDOPS_STATE_DIR", cwd / ".cloudops"))
    folder = Path(env.get("CLOUDOPS_SETTINGS", _default_folder(cwd)))
    connection = _connection(env, state_dir, world)
    topology = read_toml(folder / "topology.toml")
    outward = read_outward(folder)
    autonomy = read_toml(folder / "autonomy.toml")
    if env.get("CLOUDOPS_KILL_SWITCH", "").lower() in {"1", "true", "yes", "on"}:
        autonomy["kill_switch"] = True
    try:
        settings = Settings(
            connection=connection,
            tenant=env.get("CLOUDOPS_TENANT", "default"),
            prefix=env.get("CLOUDOPS_PREFIX", "cloudops"),
            state_dir=state_dir,
            out_dir=Path(env.get("CLOUDOPS_OUT", cwd / "out")),
            runs_url=env.get("CLOUDOPS_RUNS_URL") or outward.langgraph_server.base_url or None,
            outward=outward,
            consumes_queue=_is_on(env, "CLOUDOPS_QUEUE"),
            limits=_of_file(Limits, folder / "limits.toml"),
            redaction=_of_file(RedactionSettings, folder / "redaction.toml"),
            rubric=_of_file(Rubric, folder / "severity.toml"),
            prices=_of_file(PriceList, folder / "prices.toml"),
            autonomy=_autonomy(autonomy, folder / "autonomy.toml"),
            models=_models(env, folder, connection.world),
            access=_of_file(AccessSettings, folder / "access.toml"),
            retention=_of_file(Retention, folder / "retention.toml"),
            topology_parameter=env.get("CLOUDOPS_TOPOLOGY_PARAMETER") or topology.pop("parameter", None),
            topology=checked(Topology, topology, folder / "topology.toml"),
        )
    except ValidationError as error:
        raise Misconfigured(f"the settings are wrong: {told(error, Settings)}") from error
    _check_outward(settings, env)
    return settings


def read_outward(folder: Path) -> Outward:
    """Read which services outside AWS's endpoints may be called; raise `Misconfigured` when that is not said."""
    return _of_file(Outward, folder / "outward.toml")


def outward_here() -> Outward:
    """Read the same for this process, also when there is no account yet."""
    return read_outward(Path(os.environ.get("CLOUDOPS_SETTINGS", _default_folder(Path.cwd()))))


def _check_outward(settings: Settings, env: Mapping[str, str]) -> None:
    """Refuse, before anything is called, a URL that its service's list does not allow."""
    urls = [("token_issuers", issuer.jwks_url) for issuer in settings.access.issuers]
    if settings.runs_url:
        urls.append(("langgraph_server", settings.runs_url))
    if any(env.get(name, "").strip().lower() in {"1", "true", "yes"} for name in TRACING):
        # LangChain's libraries trace by the environment alone, and to this host when it names none.
        there = env.get("LANGSMITH_ENDPOINT") or env.get("LANGCHAIN_ENDPOINT") or LANGSMITH
        urls.append(("langsmith", there))
    for name, url in urls:
        settings.outward_url(name, url)


def _is_on(env: Mapping[str, str], name: str) -> bool:
    said = (env.get(name) or "on").lower()
    if said not in {"on", "off"}:
        raise Misconfigured(f"{name} is {said!r}; it is either 'on' or 'off'")
    return said == "on"


def _default_folder(cwd: Path) -> Path:
    own = cwd / "settings"
    return own if own.is_dir() else Path(__file__).resolve().parent.parent / "settings"


def _models(env: Mapping[str, str], folder: Path, world: World) -> ModelChoice:
    file = read_toml(folder / "models.toml")
    chosen = dict(file.get(world.value, {}))
    named = {tier: env.get(f"CLOUDOPS_MODEL_{tier.upper()}") for tier in ("small", "large")}
    chosen["tiers"] = {**chosen.get("tiers", {}), **{tier: name for tier, name in named.items() if name}}
    said = {**chosen, "roles": file.get("roles", {}), "larger": file.get("larger", {})}
    choice = checked(ModelChoice, said, folder / "models.toml")
    known = roles()
    for role in (*choice.roles, *choice.larger.roles):
        if role not in known:
            raise Misconfigured(
                f"{folder / 'models.toml'} is wrong: no model plays the role {role}; it is one of {', '.join(known)}"
            )
    return choice


def _autonomy(said: dict[str, Any], path: Path) -> AutonomySettings:
    found = checked(AutonomySettings, said, path)
    wrong = unknown_action(found)
    if wrong is not None:
        raise Misconfigured(f"{path} is wrong: {wrong}")
    return found


def _of_file(model: type[M], path: Path) -> M:
    return checked(model, read_toml(path), path)


def _connection(env: Mapping[str, str], state_dir: Path, world: World | None) -> Connection:
    named = world.value if world else env.get("CLOUDOPS_WORLD", "")
    local = state_dir / "local.json"
    if named == World.AWS.value:
        return _aws(env)
    if named not in {"", World.SIMULATED.value}:
        raise Misconfigured(f"CLOUDOPS_WORLD is {named!r}; it is either 'aws' or 'simulated'")
    account = _simulated(local)
    if account is None:
        raise Misconfigured(
            "no account to work in: start a simulated one with `cloudops sim up`, "
            "or set CLOUDOPS_WORLD=aws to use the AWS credentials of this shell"
        )
    return account


def _aws(env: Mapping[str, str]) -> Connection:
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not region:
        raise Misconfigured("no region: set AWS_REGION")
    return Connection(
        world=World.AWS,
        region=region,
        endpoint_url=env.get("AWS_ENDPOINT_URL"),
        clock_url=env.get("CLOUDOPS_CLOCK"),
    )


def _simulated(local: Path) -> Connection | None:
    """Return the simulated account that runs now, or None; a file left by a dead process does not count."""
    try:
        facts: dict[str, Any] = json.loads(local.read_text())
        os.kill(int(facts["pid"]), 0)
        return Connection(
            world=World.SIMULATED,
            region=facts["region"],
            endpoint_url=facts["endpoint"],
            access_key_id=facts["access_key_id"],
            secret_access_key=facts["secret_access_key"],
            clock_url=facts["clock"],
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{local} is not what a simulated account writes; remove it") from error
