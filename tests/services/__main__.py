"""Run the contract suites on real services: `make test-services`.

An endpoint that the environment names is used; otherwise DynamoDB Local is started. Where that cannot be, it is
said how to get what is missing, and under CI it is a failure.
"""

import os
import subprocess
import sys
from contextlib import nullcontext

from tests.services.dynamodb import UnavailableError, started

NAMED = "CLOUDOPS_TEST_DYNAMODB"
SUITES = ("tests/memory", "tests/evals/bench/test_records.py")


def main() -> int:
    named = os.environ.get(NAMED)
    try:
        with nullcontext(named) if named else started() as endpoint:
            # Only what speaks to the named store: the rest is in `make test`.
            command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-k", "[named or -named", *SUITES]
            return subprocess.run(command, env={**os.environ, NAMED: endpoint}, check=False).returncode
    except UnavailableError as error:
        print(error, file=sys.stderr)
        if os.environ.get("CI") == "true":
            print("CI must run these suites: this is a failure.", file=sys.stderr)
            return 1
        print("The suites were not run on a real service.", file=sys.stderr)
        return 0


if __name__ == "__main__":
    sys.exit(main())
