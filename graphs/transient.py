"""What may pass by itself: the account, or the host of the runs, does not answer as needed just now."""

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from langgraph_sdk.errors import LangGraphError

from memory.stores.leases import IncidentBusyError
from tools.errors import CopilotError

PASSING = (CopilotError, ClientError, BotoCoreError, IncidentBusyError, httpx.HTTPError, LangGraphError)
