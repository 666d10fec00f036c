"""What may pass by itself: the account, or the host of the runs, does not answer as needed just now."""

from botocore.exceptions import BotoCoreError, ClientError

from memory.stores.leases import IncidentBusyError
from tools.errors import CopilotError

PASSING = (CopilotError, ClientError, BotoCoreError, IncidentBusyError)
