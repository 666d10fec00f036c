r"""What secrets look like in text: patterns, each with the kind that its placeholder tells.

A pattern's group `keep` stays, and the rest of its match is taken out. What stands behind a secret's name is one unless
it is an ARN, a placeholder, or an ordinary word: `password: incorrect` and `(using password: YES)` tell of a secret
and hold none. All repeats are bounded, so that the time is linear on long lines.
"""

import re
from collections.abc import Iterator
from functools import cache

PLACEHOLDER = r"\[[a-z-]+(?:#[0-9a-f]{4})?\]"
_NAMES = (
    r"pass(?:word|wd|phrase)|pwd(?!\s{0,4}[=:]\s{0,4}\\*[\"']?[/~])|secret(?:[_-]?(?:access[_-]?)?key(?:[_-]?base)?)?"
    r"|client[_-]?secret|(?:api|access|private|signing|account|encryption|shared[_-]?access)[_-]?key"
    r"|(?:access|auth|refresh|session|bearer|id|security|csrf)[_-]?token"
)
# Within a name in camel case, and bound to another word as in PGPASSWORD.
_CAPITAL_NAMES = (
    r"Pass(?:word|wd|phrase)|Secret|(?:Api|Access|Private|Secret)Key|(?:Access|Auth|Session)Token"
)
_BOUND_NAMES = r"pass(?:word|wd|phrase)|(?-i:PWD(?!=[/~])|SECRET|APIKEY)"
_NAMED = (
    rf"(?:(?<![A-Za-z:])(?:{_NAMES})|(?<=[a-z])(?-i:{_CAPITAL_NAMES})|(?<=[A-Za-z])(?:{_BOUND_NAMES}))\d{{0,2}}"
    r"\\*[\"']?\s{0,4}"
)
_ORDINARY = (
    r"yes|no|true|false|null|none|nil|undefined|on|off|ok|required|optional|denied|granted|allowed|refused|missing"
    r"|empty|invalid|valid|expired|wrong|incorrect|mismatch|failed|failure|error|rejected|changed|rotated|reset|set"
    r"|unset|not|is|are|has|was|must|to|or|and|for|with|flag|option|enabled|disabled|unauthorized|forbidden|unknown"
)
ORDINARY = re.compile(rf"(?i)(?:{_ORDINARY})")
_END = r"(?=[\s,;:)}\]\"'\\<&`|!?]|\.?(?:\s|\Z))"
_STAYS = rf"(?!\\*[\"']?(?:arn:|{PLACEHOLDER})|(?:{_ORDINARY}){_END}|\\*[\"'](?:{_ORDINARY})\\*[\"'])"
_IS = r"(?:=>|:=|==?)(?![=>])\s{0,4}"
_COLON = r":(?![=:])\s{0,4}"
# What goes by turns: `first pass: step2b` tells of no password.
_NO_TURN = "".join(
    f"(?<!{turn} )" for turn in ("first", "second", "third", "next", "last", "one", "this", "each", "final")
)
# A value in quotes, also in JSON within JSON, else up to what ends a word.
_QUOTED = r"\"(?:[^\"\\]|\\.)+|\\+\"[^\"\\]+|'[^']+"
_VALUE = rf"(?:{_QUOTED}|[^\s\"',;&<>\\}}\]]{{4,}})"
_SHORT = rf"(?:{_QUOTED}|(?![^\w\s]{{1,2}}(?:[\s\"',;&<>\\}}\]]|\Z))[^\s\"',;&<>\\}}\]]+)"
_COUNT = r"(?!\\*[\"']?\d+(?:[.,/]\d+)*[a-z%]{0,5}(?:[\s,;)\]}\"'\\]|\Z))"
_FLAG_END = r"(?:\s{1,4}|\\*[\"']\s?,\s?\\*[\"'])(?!-)"
# RFC 9110 §11.6.2 and what services have added.
_SCHEMES = r"(?:bearer|basic|token|digest|api-?key|negotiate|key|aws4-hmac-sha256)(?![\w-])"
_PAIR = r"[^\s=;,\"'\\]{1,128}=[^\s;,\"'\\]{1,4096}"
_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "private-key",
        r"(?s)-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    ("aws-access-key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    # RFC 6265 §4: pairs of a name and a value.
    (
        "secret",
        rf"(?i)(?P<keep>\b(?:set-)?cookie\\*[\"']?\s{{0,4}}[:=]\s{{0,4}}\\*[\"']?)(?!{PLACEHOLDER}){_PAIR}"
        r"(?:;\s{0,2}[^\s=;,\"'\\]{1,128}(?:=[^\s;,\"'\\]{0,4096})?){0,50}",
    ),
    ("token", r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    (
        "token",
        r"(?<![\w-])(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|xapp-|sk-|[sr]k_(?:live|test)_|whsec_|npm_|pypi-|hf_"
        r"|AIza|SG\.|ya29\.|GOCSPX-|shp(?:at|ca|pa|ss)_|dop_v1_|glsa_|hv[sbr]\.)[A-Za-z0-9_.-]{16,}",
    ),
    ("token", r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    ("secret", r"(?i)(?<=basic )[A-Za-z0-9+/]{8,}={0,2}(?![\w+/])"),
    (
        "token",
        rf"(?i)(?P<keep>authorization\\*[\"']?\s{{0,4}}[=:]\s{{0,4}}\\*[\"']?(?:{_SCHEMES}\s{{1,4}})?)"
        rf"(?!arn:|\$[({{]|{PLACEHOLDER}|{_SCHEMES})(?=[^\s\"',;\\=]*\d|[^\s\"',;\\=]{{20,}})"
        r"[^\s\"',;\\=]{8,}={0,2}(?![^\s\"',;\\])",
    ),
    ("token", r"(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}"),
    ("secret", r"(?i)(?P<keep>x-amz-(?:signature|security-token|credential)=)[^\s&\"'<>]+"),
    # RFC 3986 §3.2.1; the user may be missing, as in redis://:secret@host, and people leave an @ as it is.
    ("secret", r"(?<=://)[^\s/:@\"']{0,128}:[^\s/@\"']{1,256}(?:@[^\s/@\"'?#,;]{0,128}){0,4}(?=@)"),
    ("secret", rf"(?i)(?P<keep>{_NAMED}{_IS}){_STAYS}{_SHORT}"),
    ("secret", rf"(?i)(?P<keep>{_NAMED}{_COLON}){_STAYS}{_VALUE}"),
    # A pass is a password where it is set to something, and no count of tests that passed.
    ("secret", rf"(?i)(?P<keep>(?<![A-Za-z])(?:db|pg)?pass\\*[\"']?\s{{0,4}}{_IS}){_COUNT}{_STAYS}{_SHORT}"),
    ("secret", rf"(?i)(?P<keep>(?<![A-Za-z])pass\\*[\"']\s{{0,4}}{_COLON}){_COUNT}{_STAYS}(?:{_QUOTED})"),
    (
        "secret",
        rf"(?i)(?P<keep>{_NO_TURN}(?<![\w-])pass{_COLON})(?=[a-z]*\d)(?=\d*[a-z]){_STAYS}{_COUNT}[^\s\"',;&<>\\}}\]]{{6,}}{_END}",
    ),
    # A name and a value that are members of their own, in JSON within a text.
    (
        "secret",
        rf"(?i)(?P<keep>(?<=\")(?:parameter|option)?_?(?:name|key|field|k)\\*\"\s{{0,4}}:\s{{0,4}}\\*\""
        rf"(?:[\w./-]{{0,64}}?(?:{_NAMES})\d{{0,2}}|token)\\*\"\s{{0,4}},\s{{0,4}}"
        rf"\\*\"(?:(?:parameter|option)?_?value|v)\\*\"\s{{0,4}}:\s{{0,4}}){_STAYS}(?:{_QUOTED})",
    ),
    # A user and a password; not a path, a time or an address behind the colon.
    (
        "secret",
        rf"(?i)(?P<keep>(?<![a-z])credentials?\\*[\"']?\s{{0,4}}(?:{_IS}|{_COLON})\\*[\"']?)"
        rf"(?!\d{{1,2}}:\d|arn:|{PLACEHOLDER})[^\s:\"',;\\/]{{1,64}}:(?![\s/\\:])[^\s\"',;\\&<>}}\]]+",
    ),
    # https://redis.io/docs/latest/develop/tools/cli/, and what registries and proxies call the same.
    (
        "secret",
        rf"(?P<keep>(?<![A-Za-z0-9])(?:REDISCLI|REDIS|PROXY|NPM)_AUTH\s{{0,4}}{_IS}\\*[\"']?)"
        rf"(?!(?:basic|digest|plain|login|ntlm|iam){_END}){_STAYS}{_SHORT}",
    ),
    # https://learn.microsoft.com/azure/storage/common/storage-sas-overview: the signature in a URL.
    ("secret", r"(?i)(?P<keep>(?:[?&;]|\\u0026)sig=)[a-z0-9%+/=_-]{10,}"),
    # https://discord.com/developers/docs/resources/webhook: whoever has the URL may write.
    ("token", r"(?i)(?P<keep>discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/\d{1,25}/)[\w-]{6,}"),
    # Options of commands.
    (
        "secret",
        rf"(?i)(?P<keep>(?<![\w-])--?(?:[a-z][a-z0-9]{{0,30}}-){{0,3}}(?:{_NAMES}|pass){_FLAG_END}){_STAYS}{_SHORT}",
    ),
    (
        "token",
        rf"(?i)(?P<keep>(?<![\w-])--(?:[a-z][a-z0-9]{{0,30}}-){{0,3}}token{_FLAG_END}){_STAYS}[^\s\"',;\\]{{6,}}",
    ),
    (
        "secret",
        r"(?P<keep>\b(?:mysql\w{0,12}|mariadb(?:-\w{1,10})?|sshpass)\b(?:(?!\s-p)[^\n|;]){0,200}\s-p)(?=\S)"
        rf"(?!{PLACEHOLDER}|[\"']{PLACEHOLDER})(?:\\*\"[^\"\\]+|'[^']+|[^\s\"'\\]+)",
    ),
    (
        "secret",
        r"(?P<keep>\bcurl\b(?:(?!\s(?:-u|--user)[ =])[^\n|;]){0,200}\s(?:-u|--user)[ =]\\*[\"']?[^\s:\"'/]{1,64}:)"
        rf"(?!//|{PLACEHOLDER})[^\s\"'\\]+",
    ),
    (
        "token",
        r"(?i)(?P<keep>(?<![\w-])token\\*[\"']?\s{0,4}[=:]\s{0,4}\\*[\"']?)(?=[\w.-]*\d)[\w.~+/=-]{12,}",
    ),
    (
        "token",
        r"(?i)(?P<keep>(?<![\w-])token\\*[\"']?\s{0,4}=\s{0,4}\\*[\"']?)"
        r"(?!(?:un)?(?:authenti|authori|recogni|speci|initi)[a-z]+)[a-z]{12,}(?![\w.-])",
    ),
    (
        "token",
        r"(?P<keep>(?<![A-Za-z0-9_])(?!(?:NEXT|MAX|MIN|PAGE|CLIENT|CONTINUATION|IDEMPOTENCY|START)_)"
        r"[A-Z][A-Z0-9]{0,30}(?:_[A-Z0-9]{1,30}){0,5}_TOKEN\\*[\"']?\s{0,4}[=:]\s{0,4}\\*[\"']?)"
        r"(?!\d+(?![\w.~+/=-]))[\w.~+/=-]{8,}",
    ),
    # Bounded lengths (RFC 5321 §4.5.3.1).
    ("email", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"),
    # In a URL (RFC 3986 §2.1).
    ("email", r"(?<![\w.+%-])[\w.+%-]{1,64}%40[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b"),
    # https://www.ssa.gov/employer/randomization.html: which numbers are not given.
    (
        "ssn",
        r"(?i)(?P<keep>(?<![a-z])(?:ssn|social[_ -]?security(?:[_ -]?(?:number|no))?)\\*[\"']?"
        r"\s{0,4}[=:#]?\s{0,4}\\*[\"']?)"
        r"(?!000|666|9)\d{3}[- ]?(?!00)\d{2}[- ]?(?!0000)\d{4}(?!\d)",
    ),
    ("ssn", r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
)


@cache
def rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the patterns, each with its kind. They are made when a text is first looked through: that takes long."""
    return tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)


# An option whose value is the next of a command's words.
SECRET_OPTION = re.compile(rf"(?i)--?(?:[a-z][a-z0-9]{{0,30}}-){{0,3}}(?:{_NAMES}|pass|token)")

# https://www.swift.com/standards/data-standards/iban-international-bank-account-number: how long each country's are.
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
}


def _ibans() -> Iterator[str]:
    for length, countries in _IBAN_LENGTHS.items():
        fours, more = divmod(length - 4, 4)
        apart = rf"(?: [A-Z0-9]{{4}}){{{fours}}}" + (rf" [A-Z0-9]{{{more}}}" if more else "")
        yield rf"(?:{countries.replace(' ', '|')})\d\d(?:[A-Z0-9]{{{length - 4}}}|{apart})"


@cache
def ibans() -> re.Pattern[str]:
    """Return the pattern of what is as long as an IBAN of its country."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_ibans())})(?![A-Za-z0-9])")


def is_iban(text: str) -> bool:
    """Apply the check of ISO 13616-1, §5.4 (ISO/IEC 7064, MOD 97-10)."""
    letters = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in letters[4:] + letters[:4])) % 97 == 1
