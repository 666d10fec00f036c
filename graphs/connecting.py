"""The way to the account and to its time, for those who only read: nothing of what runs a graph is loaded."""

from graphs.settings import Settings
from memory.clock import Clock
from tools.aws.access import AwsAccess
from tools.aws.clock import AccountClock, SystemClock


def open_access(settings: Settings, read_timeout_seconds: float = 20.0) -> AwsAccess:
    """Return the way to the account that settings name."""
    connection = settings.connection
    return AwsAccess(
        region=connection.region,
        endpoint_url=connection.endpoint_url,
        access_key_id=connection.access_key_id,
        secret_access_key=connection.secret_access_key,
        read_timeout_seconds=read_timeout_seconds,
    )


def open_clock(settings: Settings) -> Clock:
    """Return the account's clock: its own where it has one, else wall time."""
    url = settings.connection.clock_url
    return AccountClock(url) if url else SystemClock()
