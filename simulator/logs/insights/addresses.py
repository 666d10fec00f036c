"""Functions on IP addresses. They say 1 or 0, and 0 of whatever is no address or no subnet.

Rules: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from simulator.logs.insights.values import Value, text

ANY = (4, 6)


def is_address(*versions: int) -> Callable[[Sequence[Value]], Value]:
    """Whether the argument is an address of one of these versions of IP."""

    def call(arguments: Sequence[Value]) -> Value:
        address = _address(arguments[0])
        return int(address is not None and address.version in versions)

    return call


def is_in_subnet(*versions: int) -> Callable[[Sequence[Value]], Value]:
    """Whether the first argument is an address inside the second, a subnet in CIDR notation."""

    def call(arguments: Sequence[Value]) -> Value:
        address, subnet = _address(arguments[0]), text(arguments[1])
        if address is None or subnet is None or address.version not in versions:
            return 0
        try:
            network = ip_network(subnet, strict=False)
        except ValueError:
            return 0
        return int(network.version == address.version and address in network)

    return call


def _address(value: Value) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text(value) or "")
    except ValueError:
        return None
