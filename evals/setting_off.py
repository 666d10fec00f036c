"""Sets off an alarm by hand, which the copilot itself may not do."""

import json
from pathlib import Path

from tools.aws.access import AwsAccess


def set_off(access: AwsAccess, state_dir: Path, alarm: str) -> None:
    """Put an alarm of the account on this machine into ALARM, as the account's root."""
    facts = json.loads((state_dir / "local.json").read_text(encoding="utf-8"))
    keys = facts["root_access_key_id"], facts["root_secret_access_key"]
    root = AwsAccess(access.region, access.endpoint_url, *keys)
    root.client("cloudwatch").set_alarm_state(
        AlarmName=alarm, StateValue="ALARM", StateReason="set off by hand"
    )
