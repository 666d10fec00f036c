"""`python -m evals`, the same as `cloudops eval`."""

import sys

from evals.run import main

sys.exit(main())
