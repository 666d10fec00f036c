"""Read what an account's team publishes of its services."""

import json

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from memory.records.config import Topology
from tools.aws.access import AwsAccess
from tools.errors import Misconfigured, classify, error_code


def load_topology(access: AwsAccess, parameter: str | None, static: Topology) -> Topology:
    """Return the services of the settings file and of an SSM parameter; the file wins where both name one.

    An account without the parameter has the file's services only. A parameter that is not what it should be is an
    error, since a service left out in silence would look healthy.
    """
    if parameter is None:
        return static
    try:
        text = access.client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    except (ClientError, BotoCoreError) as error:
        if error_code(error) == "ParameterNotFound":
            return static
        raise classify(error, f"GetParameter {parameter}") from error
    try:
        published = Topology.model_validate(json.loads(text))
    except (ValueError, ValidationError) as error:
        raise Misconfigured(f"the topology in the parameter {parameter} is wrong: {error}") from error
    named = {service.name for service in static.services}
    others = tuple(service for service in published.services if service.name not in named)
    return Topology(services=(*static.services, *others))
