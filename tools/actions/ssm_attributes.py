"""What a parameter has beside its value, which PutParameter takes anew with each version.

A version that is written without an AllowedPattern has none, and without a DataType is text; an advanced parameter
cannot go back to the standard tier. Policies are the exception: those that stand are kept until others are sent, and an
Expiration of an old version would delete the parameter, so none is sent
(https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html).
"""

from collections.abc import Mapping
from typing import Any

_ADVANCED = "Advanced"
_PLAIN = "text"


def attributes_of(version: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return what PutParameter is sent beside the value, so that a parameter is as it was in a version.

    Both are as GetParameterHistory or DescribeParameters tell them. The tier is the current one: it never goes down.
    """
    found: dict[str, Any] = {
        "Description": str(version.get("Description", "")),
        "AllowedPattern": str(version.get("AllowedPattern", "")),
    }
    if version.get("DataType", _PLAIN) != _PLAIN:
        found["DataType"] = str(version["DataType"])
    if current.get("Tier") == _ADVANCED:
        found["Tier"] = _ADVANCED
    return found
