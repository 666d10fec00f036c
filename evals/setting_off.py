"""Sets off an alarm by hand, which the copilot itself may not do."""

from pathlib import Path

from evals.account_state import root_of
from tools.aws.access import AwsAccess


def set_off(access: AwsAccess, state_dir: Path, alarm: str) -> None:
    """Put an alarm of the account on this machine into ALARM, as the account's root."""
    root_of(access, state_dir).client("cloudwatch").set_alarm_state(
        AlarmName=alarm, StateValue="ALARM", StateReason="set off by hand"
    )
