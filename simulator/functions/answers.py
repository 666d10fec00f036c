"""Lambda records in the shapes of the API reference."""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.functions.records import LATEST, Alias, Code, Function, Mapping
from simulator.wire.protocol import ACCOUNT, REGION


def configuration(function: Function, code: Code, qualifier: str | None = None) -> dict[str, Any]:
    """API_FunctionConfiguration. An unqualified question is answered with the unqualified ARN."""
    named = qualifier or (None if code.version == LATEST else code.version)
    return {
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{named}" if named else function.arn,
        "Role": code.role,
        "CodeSize": 0,
        "CodeSha256": code.sha,
        "Description": code.description,
        "Timeout": code.timeout_seconds,
        "MemorySize": code.memory_mb,
        "LastModified": modified(code.modified_at),
        "Version": code.version,
        "Environment": {"Variables": dict(code.environment)} if code.environment else None,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": str(uuid5(NAMESPACE_URL, f"{function.arn}/{code.version}/{code.modified_at}")),
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Image",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }


def code_location(code: Code) -> dict[str, Any]:
    """API_FunctionCodeLocation of an image."""
    repository = code.image.rpartition(":")[0]
    return {
        "RepositoryType": "ECR",
        "ImageUri": code.image,
        "ResolvedImageUri": f"{repository}@sha256:{code.sha}",
    }


def alias_answer(function: Function, alias: Alias) -> dict[str, Any]:
    """API_AliasConfiguration."""
    weights = {"AdditionalVersionWeights": dict(alias.weights)} if alias.weights else None
    return {
        "AliasArn": f"{function.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RoutingConfig": weights,
        "RevisionId": str(uuid5(NAMESPACE_URL, f"{function.arn}/{alias.name}/{alias.revision}")),
    }


def mapping_answer(mapping: Mapping) -> dict[str, Any]:
    """API_EventSourceMappingConfiguration."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{mapping.function}"
    return {
        "UUID": mapping.id,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": mapping.queue_arn,
        "FunctionArn": f"{arn}:{mapping.qualifier}" if mapping.qualifier else arn,
        "LastModified": mapping.modified_at,
        "State": "Enabled" if mapping.is_enabled else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": [],
    }


def modified(at: datetime) -> str:
    """`2026-11-23T09:00:00.000+0000`, as Lambda writes when something was modified."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
