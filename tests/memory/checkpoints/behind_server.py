"""The conformance suite through the LangGraph server's adapter, in a process with the server's environment.

python -m tests.memory.checkpoints.behind_server ENDPOINT KEY SECRET TABLE
"""

import asyncio
import sys

from botocore.config import Config
from langgraph_api._checkpointer._adapter import CheckpointerCapabilities, _CustomCheckpointerAdapter

from memory.checkpoints.saver import DynamoSaver
from tests.memory.checkpoints.suite import failures
from tests.simulated import boto_session


def main(endpoint: str, key: str, secret: str, table: str) -> None:
    client = boto_session().client(
        "dynamodb",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(max_pool_connections=32, inject_host_prefix=False),
    )
    saver = DynamoSaver(client, table)
    able = CheckpointerCapabilities.from_type(DynamoSaver)
    print(asyncio.run(failures(lambda: _CustomCheckpointerAdapter(saver, able))))


if __name__ == "__main__":
    main(*sys.argv[1:])
