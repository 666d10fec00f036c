"""Tell ordinary words from names: by an English dictionary, by the words of the field, and by where a word stands."""

import re
from functools import cache

from spellchecker import SpellChecker

# Words of the field that a dictionary does not hold, and that name nothing of a team's own.
_FIELD_WORDS = """
acm alb alarmed alarming api apis arn asg async autoscale autoscaled autoscaling aws az backend backoff blackhole
cloudtrail cloudwatch codedeploy config configs cpu cron datapoint datapoints deploy dlq dns dynamodb ebs ec2 ecs
efs eks elb eventbridge failover fargate frontend gb http https iam io json kb kms lambda latencies logline logs mb
metadata microservice misconfigured mtta mttr nlb onset oom postmortem preflight ps rds redeploy
redeployed redrive reprovisioned rerun retriable retried rollback rollbacks rolled rollout rollouts runbook
runbooks s3 scaleout slo slos sli slis sns sql sqs ssm subnet sync tcp timestamp timestamps tls tps unhandled
unthrottled uptime url utc vpc waf xray
"""
FIELD = frozenset(_FIELD_WORDS.split())
# What a part of an account is called by, behind its name.
_PARTS_WORDS = """
service services table tables queue queues function functions cluster clusters bucket topic database stream alarm
alarms parameter instance container pod node pipeline role host domain
"""
_PARTS = frozenset(_PARTS_WORDS.split())
_NAMED = frozenset(("called", "named"))
# What may stand before such a word without being a name.
_NO_NAMES_WORDS = """
a an the this that these those its their our your his her my no any each every all some both either neither other
another same one two three first second last next new old whole only single of in on to for by with from and or but
as at is are was were be been has have had does do did which what whose than then so affected healthy slow failing
failed broken busy full empty upstream downstream calling called backend frontend web managed shared suspected
throttled saturated small large own related dependent depended external internal outside inside critical main parent
child target source input output dead letter event log logs metric error latency capacity deployment deployed
changed unchanged stopped running throttling overloaded unhealthy impacted ecs lambda sqs dynamodb aws rds sns ssm
s3 scaled provisioned alarmed alarming composite noisy quiet missing such per between across into behind under over
more less many few several different specific particular public private customer caller
"""
_NO_NAMES = frozenset(_NO_NAMES_WORDS.split())
_JOINERS_WORDS = """
a and as at by co de down end in inter non of off on or out over per post pre re read self so sub the time to un
under up well write
"""
_JOINERS = frozenset(_JOINERS_WORDS.split())
_NUMBERS = {
    "zero": 0.0, "half": 0.5, "quarter": 0.25, "twice": 2.0, "double": 2.0, "doubled": 2.0, "doubles": 2.0,
    "thrice": 3.0, "triple": 3.0, "tripled": 3.0, "triples": 3.0, "quadrupled": 4.0, "quadruple": 4.0, "fivefold": 5.0,
    "tenfold": 10.0, "hundredfold": 100.0, "dozens": 12.0,
    "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
    "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0,
    "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0,
    "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0, "dozen": 12.0,
    "hundred": 100.0, "hundreds": 100.0, "thousand": 1e3, "thousands": 1e3, "million": 1e6, "millions": 1e6,
    "billion": 1e9, "billions": 1e9,
}  # fmt: skip


def number_word(word: str) -> float | None:
    """Return the number that a word says, or None if it says none."""
    return _NUMBERS.get(word.casefold())


def is_english(word: str) -> bool:
    """Say whether a word is an ordinary one: of English or of the field, and not written as names are."""
    plain = word.replace("’", "'").casefold()
    if plain in FIELD or (len(plain) == 1 and plain.isascii()):
        return True
    return re.search(r"[a-z][A-Z]", word) is None and plain in _dictionary()


def is_compound(token: str) -> bool:
    """Say whether words joined by a hyphen or a slash make an ordinary compound, such as `read-only` or `and/or`."""
    parts = re.split(r"[-/]", token)
    if not all(part.isalpha() and is_english(part) for part in parts):
        return False
    return any(part.casefold() in _JOINERS for part in parts)


def is_named_by(word: str, before: str, after: str) -> bool:
    """Say whether a word stands where a part's name stands, whatever else it means: `the X service`, `named X`."""
    plain = word.casefold()
    if before.casefold() in _NAMED and plain not in _NO_NAMES:
        return True
    return after.casefold() in _PARTS and plain not in _NO_NAMES and plain not in _PARTS


def is_written_as_name(match: re.Match[str]) -> bool:
    """Say whether a word has a capital letter where a sentence goes on, and is none of the field's."""
    word, before = match.group(), match.string[: match.start()].rstrip(" \t(")
    goes_on = bool(before) and before[-1] not in '.!?:;\n"*-'
    return goes_on and re.fullmatch(r"[A-Z][a-z]+", word) is not None and word.casefold() not in FIELD


@cache
def _dictionary() -> frozenset[str]:
    """Return the English words of pyspellchecker, which come with the package."""
    return frozenset(SpellChecker(language="en").word_frequency.dictionary)
