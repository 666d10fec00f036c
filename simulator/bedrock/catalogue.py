"""The models this Bedrock has, and what its control plane says of them.

Shapes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetInferenceProfile.html
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from simulator.clock import iso
from simulator.wire.protocol import ACCOUNT, REGION, AwsError

RULES = "local.rules-v1:0"
RULES_LARGE = "local.rules-large-v1:0"
OBEYS = "local.obeys-v1:0"
INVENTS = "local.invents-v1:0"
OPENAI_COMPATIBLE = "local.openai-compatible-v1:0"

_NAMES = {
    RULES: "Rules",
    RULES_LARGE: "Rules Large",
    OBEYS: "Obeys",
    INVENTS: "Invents",
    OPENAI_COMPATIBLE: "OpenAI-compatible",
}
_PROFILE_PREFIXES = ("us.", "global.")


def unknown_model() -> AwsError:
    """What AWS says of a model id that it does not know."""
    return AwsError("ValidationException", "The provided model identifier is invalid.")


def base_id(identifier: str) -> str:
    """The model id behind an ARN or an inference profile id."""
    name = identifier.rsplit("/", 1)[-1] if identifier.startswith("arn:") else identifier
    for prefix in _PROFILE_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def list_models(present: Collection[str], query: Mapping[str, str]) -> dict[str, Any]:
    """ListFoundationModels."""
    provider = query.get("byProvider", "Local").lower()
    fits = (
        provider == "local"
        and query.get("byOutputModality", "TEXT") == "TEXT"
        and query.get("byInferenceType", "ON_DEMAND") == "ON_DEMAND"
        and "byCustomizationType" not in query
    )
    return {"modelSummaries": [_model(model_id) for model_id in present] if fits else []}


def get_model(present: Collection[str], identifier: str) -> dict[str, Any]:
    """GetFoundationModel."""
    name = identifier.rsplit("/", 1)[-1] if identifier.startswith("arn:") else identifier
    if name not in present:
        text = "Could not resolve the foundation model from the model identifier"
        raise AwsError("ResourceNotFoundException", text, 404)
    return {"modelDetails": _model(name)}


def list_profiles(present: Collection[str], query: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """ListInferenceProfiles."""
    if query.get("type", "SYSTEM_DEFINED") != "SYSTEM_DEFINED":
        return {"inferenceProfileSummaries": []}
    return {"inferenceProfileSummaries": [_profile(p, m, now) for m in present for p in _PROFILE_PREFIXES]}


def get_profile(present: Collection[str], identifier: str, now: datetime) -> dict[str, Any]:
    """GetInferenceProfile."""
    name = identifier.rsplit("/", 1)[-1]
    for prefix in _PROFILE_PREFIXES:
        if name.startswith(prefix) and name.removeprefix(prefix) in present:
            return _profile(prefix, name.removeprefix(prefix), now)
    raise AwsError("ResourceNotFoundException", "Could not find the inference profile.", 404)


def _model(model_id: str) -> dict[str, Any]:
    return {
        "modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{model_id}",
        "modelId": model_id,
        "modelName": _NAMES[model_id],
        "providerName": "Local",
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _profile(prefix: str, model_id: str, now: datetime) -> dict[str, Any]:
    profile_id = prefix + model_id
    return {
        "inferenceProfileName": f"{prefix.rstrip('.')} {_NAMES[model_id]}",
        "description": f"Routes requests to {_NAMES[model_id]}",
        "createdAt": iso(now),
        "updatedAt": iso(now),
        "inferenceProfileArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{profile_id}",
        "models": [{"modelArn": f"arn:aws:bedrock:{REGION}::foundation-model/{model_id}"}],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }
