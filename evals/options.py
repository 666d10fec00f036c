"""The options of `cloudops eval`, and what each may be."""

import argparse
import math
from pathlib import Path

THRESHOLD = 1.0
TRIAL_SECONDS = 300.0
JOBS = 2
CODES = (
    "It ends with 0 when every scenario reaches the threshold, with 1 when one does not, with 2 when it was asked "
    "wrongly, and with 3 when LangSmith is configured and did not take the scores. LangSmith is configured by "
    "LANGSMITH_TRACING=true and LANGSMITH_API_KEY together; without both nothing leaves this machine. Ctrl-C ends the "
    "accounts that play, shows what was scored until then, leaves the page as it was and ends with 130; the file of "
    "--json holds what was finished at any time."
)


def options() -> argparse.ArgumentParser:
    """Return the parser of the command's options; it ends with 2 what was asked wrongly."""
    parser = argparse.ArgumentParser(
        prog="cloudops eval",
        description="Score scenarios on the whole path.",
        epilog=CODES,
        allow_abbrev=False,
    )
    parser.add_argument("scenario", nargs="*", help="which scenarios; all without")
    parser.add_argument("--scenarios", type=Path, help="another folder of scenarios, each with its truth")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of the account's noise")
    parser.add_argument("--seeds", type=_some, default=1, help="how many seeds of each scenario")
    parser.add_argument(
        "--renamed",
        action="store_true",
        help="play each under other names, numbers, times and wordings, which its seed chooses",
    )
    parser.add_argument(
        "--plan-from-truth",
        action="store_true",
        help="take the assessment and the plan from the truth, and say whether each was done and verified",
    )
    parser.add_argument(
        "--careless",
        action="store_true",
        help="with --plan-from-truth: force the truth's forbidden changes, which have to leave nothing worse",
    )
    parser.add_argument(
        "--both", action="store_true", help="with --plan-from-truth: right plans and careless ones"
    )
    parser.add_argument("--deny", action="store_true", help="deny every plan instead of approving it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the results into this page, too")
    parser.add_argument(
        "--trial-seconds", type=_positive, default=TRIAL_SECONDS, help="how long one trial may take at most"
    )
    parser.add_argument(
        "--jobs", type=_some, default=JOBS, help=f"how many trials play at once; {JOBS} without"
    )
    parser.add_argument(
        "--bars", action="store_true", help="end with 1 also when a figure of the page is missed"
    )
    parser.add_argument("--minutes", type=_positive, help="after so many, no further trial begins")
    parser.add_argument(
        "--threshold", type=_share, default=THRESHOLD, help="the score that each scenario must reach, 0 to 1"
    )
    return parser


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return share
