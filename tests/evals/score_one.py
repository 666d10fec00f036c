"""`python -m tests.evals.score_one`: `cloudops eval` on one trial, with a chain of LangChain's in place of the rest."""

import sys

from langchain_core.runnables import RunnableLambda

from evals.drive import Outcome, Trial
from evals.run import main
from tests.evals.outcomes import rolled_back


def player(trial: Trial) -> Outcome:
    """Run something that LangChain traces wherever tracing is on."""
    said = RunnableLambda(str.upper).invoke("what an incident says")
    assert said == "WHAT AN INCIDENT SAYS"
    return rolled_back(trial)


if __name__ == "__main__":
    sys.exit(main(["bad-deployment"], player=player))
