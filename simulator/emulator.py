"""The emulator below the overlays: ministack, in this process, with nothing open but its handlers.

Whatever no overlay answers goes to ministack unchanged. Its settings are environment variables that it
reads when it is imported, so nothing else may import it before this module has set them.
"""

import asyncio
import importlib
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from simulator.wire.protocol import ACCOUNT, REGION, AwsError, service_model, service_names

HttpResult = tuple[int, dict[str, str], Any]
ServiceCode = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[HttpResult]]

SETTINGS = {
    "AUTH": "false",
    "BIND_HOST": "127.0.0.1",
    "DOCKER_HOST": "unix:///nonexistent/docker.sock",
    "IOT_MTLS_ENABLED": "0",
    "LOG_LEVEL": "ERROR",
    "MINISTACK_ACCOUNT_ID": ACCOUNT,
    "MINISTACK_REGION": REGION,
    "PERSIST_STATE": "0",
    "SFTP_ENABLED": "0",
}
# Where ministack names a service otherwise than botocore does.
BOTOCORE_NAMES = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
    "elasticfilesystem": "efs",
    "elasticmapreduce": "emr",
}


class _Complete(dict[str, ServiceCode]):
    """Ministack's table of services, in which every service has somebody who answers."""

    def __init__(self, known: Mapping[str, ServiceCode], code_of: Callable[[str], ServiceCode]) -> None:
        super().__init__(known)
        self._code_of = code_of

    def get(self, service: str, default: Any = None) -> Any:
        """The code of a service; of one that the emulator lacks, what refuses it."""
        return super().get(service) or self._code_of(service)


class _SigningNames:
    """The names that AWS's services sign with, in place of Ministack's own list.

    Ministack makes its list at the first request for a service that it lacks, from every model that botocore has: that
    takes seconds, in which nobody is answered. It is made only for a name that neither botocore's folders nor the
    overlays have.
    """

    def __init__(self, router: Any) -> None:
        self._router = router
        self.known: set[object] = set(service_names())
        router._KNOWN_AWS_SERVICE_NAMES = self

    def __contains__(self, name: object) -> bool:
        if name in self.known:
            return True
        self._router._KNOWN_AWS_SERVICE_NAMES = None
        return bool(self._router._is_aws_service_name(name))


class RefusedError(RuntimeError):
    """The emulator refused something that the account itself needs."""

    def __init__(self, asked: str, status: int, body: str) -> None:
        super().__init__(f"{asked}: {body[:300]}")
        self._status = status
        self._body = body

    def as_aws(self) -> AwsError:
        """The refusal under its own code, for whoever asked the account."""
        try:
            given = json.loads(self._body)
        except ValueError:
            return AwsError("InternalServerError", str(self), 500)
        code = str(given.get("__type", "InternalServerError")).rpartition("#")[2]
        return AwsError(code, str(given.get("message") or given.get("Message") or ""), self._status)


class Emulator:
    """Ministack's services by botocore's names, callable from inside."""

    def __init__(self, port: int, state_dir: str) -> None:
        os.environ.update(
            SETTINGS, GATEWAY_PORT=str(port), STATE_DIR=state_dir, S3_DATA_DIR=f"{state_dir}/s3"
        )
        self._app: Any = importlib.import_module("ministack.app")
        self._responses = importlib.import_module("ministack.core.responses")
        self._identities = importlib.import_module("ministack.core.iam_evaluator")
        self._router = importlib.import_module("ministack.core.router")
        self._handlers: dict[str, ServiceCode] = dict(self._app.SERVICE_HANDLERS)
        self._signing = _SigningNames(self._router)
        self.asgi = self._app.app

    def services(self) -> dict[str, ServiceCode]:
        """Ministack's own code for each service, by ministack's name."""
        return dict(self._handlers)

    def replace(self, service: str, code: ServiceCode) -> None:
        """Let `code` answer for a service, for outside calls and for ministack's own."""
        self._app.SERVICE_HANDLERS[service] = code
        self._signing.known.add(service)

    def add(self, service: str, code: ServiceCode) -> None:
        """Let `code` answer for a JSON service that ministack lacks, known by the targets of its requests.

        What ministack's router does not know it looks up in all of botocore's models, which takes it seconds.
        """
        metadata = service_model(service).metadata
        name = str(service_model(service).signing_name)
        self._router.SERVICE_PATTERNS[name] = {"target_prefixes": [f"{metadata['targetPrefix']}."]}
        self.replace(name, code)

    def otherwise(self, code_of: Callable[[str], ServiceCode]) -> None:
        """Let `code_of` say who answers for the services that the emulator lacks, by their signing names."""
        self._app.SERVICE_HANDLERS = _Complete(self._app.SERVICE_HANDLERS, code_of)

    def runs_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell ministack's worker threads which loop serves requests."""
        self._app._MAIN_LOOP = loop

    def caller_arn(self, access_key: str) -> str:
        """The principal behind an access key; the account's root where nobody knows the key."""
        identity = self._identities.resolve_caller_identity(access_key)
        return str(identity["userArn"]) if identity else f"arn:aws:iam::{ACCOUNT}:root"

    def access_key(self, headers: dict[str, str], query: dict[str, list[str]]) -> str:
        """The access key a request was signed with."""
        return str(self._router.extract_access_key_id(headers, query))

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call a JSON service from inside, unrecorded."""
        model = service_model(service)
        headers = {
            "x-amz-target": f"{model.metadata['targetPrefix']}.{operation}",
            "content-type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
        }
        body = json.dumps(parameters).encode()
        result: dict[str, Any] = json.loads(await self._call(service, operation, headers, body) or b"{}")
        return result

    async def call_query(self, service: str, action: str, **parameters: str) -> dict[str, str]:
        """Call a query service from inside, unrecorded; the answer's leaves by their names."""
        form = {"Action": action, "Version": service_model(service).api_version, **parameters}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await self._call(service, action, headers, urlencode(form).encode())
        leaves = ElementTree.fromstring(answer).iter()
        return {re.sub(r"\{.*\}", "", one.tag): one.text for one in leaves if one.text and one.text.strip()}

    async def _call(self, service: str, operation: str, headers: dict[str, str], body: bytes) -> bytes:
        with self._responses.request_scope(ACCOUNT, REGION):
            status, _, answer = await self._handlers[service]("POST", "/", headers, body, {})
        raw = answer if isinstance(answer, bytes) else str(answer).encode()
        if status >= 400:
            raise RefusedError(f"{service}:{operation}", status, raw.decode(errors="replace"))
        return raw

    def forget(self) -> None:
        """Forget everything that any service holds."""
        self._app._reset_all_state()

    def rename_key(self, key: str, other: str, secret: str) -> None:
        """Let a user's access key be known by another id and secret."""
        users = importlib.import_module("ministack.services.iam")
        with self._responses.request_scope(ACCOUNT, REGION):
            record = users._access_keys.pop(key)
            users._access_keys[other] = {**record, "AccessKeyId": other, "SecretAccessKey": secret}

    def put_event(self, event: Mapping[str, Any]) -> None:
        """Put one of AWS's own events on the default bus; rules deliver it to their targets."""
        bus = importlib.import_module("ministack.services.eventbridge")
        with self._responses.request_scope(ACCOUNT, REGION):
            bus._dispatch_event(dict(event))

    def publish(self, topic_arn: str, subject: str, message: str) -> bool:
        """Publish to a topic; False where there is none."""
        topics = importlib.import_module("ministack.services.sns")
        with self._responses.request_scope(ACCOUNT, REGION):
            return topics.publish_internal(topic_arn, message, subject) is not None

    def date_parameter(self, name: str, at: datetime, by: str) -> None:
        """Let the last change of a parameter be of this moment of the account, and by this principal."""
        parameters = importlib.import_module("ministack.services.ssm")
        with self._responses.request_scope(ACCOUNT, REGION):
            for record in (parameters._parameters[name], parameters._parameter_history[name][-1]):
                record |= {"LastModifiedDate": at.timestamp(), "LastModifiedUser": by}

    def parameter_user(self, name: str) -> str:
        """Who changed a parameter last."""
        parameters = importlib.import_module("ministack.services.ssm")
        with self._responses.request_scope(ACCOUNT, REGION):
            return str(parameters._parameters[name].get("LastModifiedUser", ""))

    def parameter_patterns(self, name: str) -> dict[int, str]:
        """The AllowedPattern of each version of a parameter."""
        parameters = importlib.import_module("ministack.services.ssm")
        with self._responses.request_scope(ACCOUNT, REGION):
            kept: list[dict[str, Any]] = parameters._parameter_history.get(name, [])
        return {int(one["Version"]): str(one.get("AllowedPattern", "")) for one in kept}

    def date_table(self, name: str, at: datetime) -> None:
        """Let a table have been made at this moment of the account."""
        tables = importlib.import_module("ministack.services.dynamodb")
        with self._responses.request_scope(ACCOUNT, REGION):
            tables._tables[name]["CreationDateTime"] = int(at.timestamp())

    def queue_messages(self, name: str) -> list[dict[str, Any]]:
        """The messages of a queue as the emulator keeps them; what is changed there is changed."""
        queues = importlib.import_module("ministack.services.sqs")
        with self._responses.request_scope(ACCOUNT, REGION):
            queue = queues._queues.get(queues._queue_name_to_url.get(name))
        messages: list[dict[str, Any]] = queue["messages"] if queue is not None else []
        return messages
