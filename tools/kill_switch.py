"""Ask the kill switch before every write: on by settings, on by the stored record, or unreadable, which is on too."""

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from memory.stores.kill_switch import KillSwitchStore


def why_stopped(setting: bool, store: KillSwitchStore) -> str | None:
    """Return why nothing may be written now, or None. The record is read anew each time, strongly consistent."""
    if setting:
        return "the kill switch is on in the settings: nothing is changed"
    try:
        switch = store.read()
    except (ClientError, BotoCoreError, ValidationError, ValueError) as error:
        return f"the kill switch cannot be read, so it counts as on: {type(error).__name__}"
    if switch.on:
        return f"the kill switch is on ({switch.by}: {switch.reason}): nothing is changed"
    return None
