"""Which model each role uses, and how it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_aws import ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, Field

from memory.records.base import Record
from memory.records.config import LargerRule, Limits, PriceList
from memory.records.incident import Severity

SMALL, LARGE = "small", "large"


class Clients(Protocol):
    """Whatever makes AWS clients; they come with their configuration."""

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        ...


class ModelSettings(Record):
    """Model ids by tier, tiers by role, and the guardrail that watches them.

    An application inference profile's ARN does not say what is behind it: `provider` and `base_model_id` do.
    """

    region: str
    tiers: dict[str, str]
    roles: dict[str, str] = Field(default_factory=dict)
    guardrail_id: str = ""
    guardrail_version: str = ""
    provider: str = ""
    base_model_id: str = ""
    larger: LargerRule = LargerRule()
    # Parts of model ids that take cache points; any other would refuse the request.
    prompt_cache: tuple[str, ...] = ()
    # Current models think before they answer, and that counts.
    max_tokens: int = 8192

    def tier_of(self, role: str) -> str:
        """Return a role's tier: the smallest unless settings say otherwise."""
        return self.roles.get(role, SMALL)

    def model_id(self, role: str, tier: str | None = None) -> str:
        """Return the model id that a role uses."""
        return self.tiers[tier or self.tier_of(role)]

    def takes_cache_points(self, model_id: str) -> bool:
        """Say whether a model's prompts may be cached: by its id, or by what is behind its profile."""
        named = self.base_model_id or model_id
        return any(part in named for part in self.prompt_cache)


@dataclass(frozen=True)
class Patience:
    """How often a call is made at most, and the seconds before the second one; each further wait is twice as long."""

    attempts: int = 3
    first_wait: float = 0.5


@dataclass(frozen=True)
class RoleModel:
    """A model in a role: what to ask and why this one, what it costs, and how long it may work."""

    role: str
    model_id: str
    chat: BaseChatModel
    prices: PriceList
    limits: Limits
    tier: str = SMALL
    why: str = "the tier that settings name for the role"
    cache_points: bool = False
    # The most that one answer may take, and whether a guardrail looks at what is sent and said.
    max_tokens: int = 8192
    guarded: bool = False
    patience: Patience = field(default_factory=Patience)
    larger: "RoleModel | None" = None
    rule: LargerRule = field(default_factory=LargerRule)

    def fit_for(self, severity: Severity, confidences: Sequence[float] = ()) -> "RoleModel":
        """Return this model, or the larger one where the rule asks for it, with the reason on it.

        `confidences` are those of the competing explanations, the best first.
        """
        if self.larger is None or self.role not in self.rule.roles:
            return self
        if severity in self.rule.severities:
            return replace(self.larger, why=f"the severity is {severity.value}")
        if len(confidences) > 1 and confidences[0] - confidences[1] < self.rule.margin:
            margin = confidences[0] - confidences[1]
            return replace(self.larger, why=f"two explanations are {margin:.2f} apart")
        return self


def chat_model(
    access: Clients, settings: ModelSettings, role: str, tier: str | None = None
) -> ChatBedrockConverse:
    """Return the chat model of a role.

    Both clients are handed in with one complete botocore configuration. The class's own `timeout` and
    `max_retries` are not used: they overwrite what they do not set with None, which means to wait for ever.
    """
    model_id = settings.model_id(role, tier)
    options: dict[str, Any] = {}
    if settings.guardrail_id:
        options["guardrail_config"] = {
            "guardrailIdentifier": settings.guardrail_id,
            "guardrailVersion": settings.guardrail_version or "DRAFT",
            "trace": "disabled",
        }
    if settings.base_model_id:
        options["base_model_id"] = settings.base_model_id
    if settings.provider:
        options["provider"] = settings.provider
    return ChatBedrockConverse(
        model_id=model_id,
        client=access.client("bedrock-runtime"),
        bedrock_client=access.client("bedrock"),
        region_name=settings.region,
        max_tokens=settings.max_tokens,
        disable_streaming=False,
        request_metadata={"application": "cloudops-copilot", "role": role},
        **options,
    )


def role_model(
    access: Clients, settings: ModelSettings, role: str, prices: PriceList, limits: Limits
) -> RoleModel:
    """Return the model of a role with its price list and limits, and the larger one that the rule may choose."""

    def of_tier(tier: str) -> RoleModel:
        chat, model_id = chat_model(access, settings, role, tier), settings.model_id(role, tier)
        caches = settings.takes_cache_points(model_id)
        return RoleModel(
            role,
            model_id,
            chat,
            prices,
            limits,
            tier=tier,
            cache_points=caches,
            max_tokens=settings.max_tokens,
            guarded=bool(settings.guardrail_id),
        )

    tier = settings.tier_of(role)
    grows = tier == SMALL and LARGE in settings.tiers and role in settings.larger.roles
    larger = of_tier(LARGE) if grows else None
    return replace(of_tier(tier), larger=larger, rule=settings.larger)


def answer_form(chat: BaseChatModel, form: type[BaseModel]) -> ProviderStrategy[Any] | ToolStrategy[Any]:
    """Return how a model is made to fill a form.

    The service's own structured output, except where the model is known not to have it. Forcing a tool instead
    fails on the newest Claude models, which refuse to be forced.
    """
    profile = chat.profile or {}
    if profile.get("structured_output") is False:
        return ToolStrategy(form)
    return ProviderStrategy(form)
