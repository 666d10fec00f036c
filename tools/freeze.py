"""Whether changes are frozen by a Change Calendar of Systems Manager.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCalendarState.html
"""

from botocore.exceptions import BotoCoreError, ClientError

from tools.aws.access import AwsAccess
from tools.errors import error_code


def closed_calendar(access: AwsAccess, calendars: tuple[str, ...]) -> str | None:
    """Return why the calendars forbid changes now, or None. A calendar that cannot be read is closed."""
    if not calendars:
        return None
    named = ", ".join(calendars)
    try:
        state = access.client("ssm").get_calendar_state(CalendarNames=list(calendars))["State"]
    except (ClientError, BotoCoreError) as error:
        return f"the change calendar {named} cannot be read, so it counts as closed: {error_code(error)}"
    return None if state == "OPEN" else f"the change calendar {named} is closed"
