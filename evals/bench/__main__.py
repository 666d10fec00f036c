"""`python -m evals.bench`, the same as `make bench`."""

import sys

from evals.bench.run import main

sys.exit(main())
