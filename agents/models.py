"""Which model each role uses, and how it is reached."""

from dataclasses import dataclass
from typing import Any, Protocol

from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_aws import ChatBedrockConverse
from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, Field

from memory.records.base import Record
from memory.records.config import Limits, PriceList


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
    # Current models think before they answer, and that counts.
    max_tokens: int = 8192

    def tier_of(self, role: str) -> str:
        """Return a role's tier: the smallest unless settings say otherwise."""
        return self.roles.get(role, "small")

    def model_id(self, role: str, tier: str | None = None) -> str:
        """Return the model id that a role uses."""
        return self.tiers[tier or self.tier_of(role)]


@dataclass(frozen=True)
class RoleModel:
    """A model in a role: what to ask, what it costs, and how long it may work."""

    role: str
    model_id: str
    chat: BaseChatModel
    prices: PriceList
    limits: Limits


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
    """Return the model of a role with its price list and limits."""
    chat = chat_model(access, settings, role)
    return RoleModel(role, settings.model_id(role), chat, prices, limits)


def answer_form(chat: BaseChatModel, form: type[BaseModel]) -> ProviderStrategy[Any] | ToolStrategy[Any]:
    """Return how a model is made to fill a form.

    The service's own structured output, except where the model is known not to have it. Forcing a tool instead
    fails on the newest Claude models, which refuse to be forced.
    """
    profile = chat.profile or {}
    if profile.get("structured_output") is False:
        return ToolStrategy(form)
    return ProviderStrategy(form)
