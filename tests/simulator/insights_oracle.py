"""A small part of the query language read a second time, as SQL.

It knows `fields`, `filter`, `where` and `limit`, and conditions of fields, numbers and strings. Nothing of it
is shared with the engine: it has a reader of its own, and DuckDB finds the rows.
"""

import re
from collections.abc import Callable

import duckdb

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"[^"\\]*")|(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)"""
    r"""|(?P<sign>!=|<=|>=|=~|[|,()\[\]=<>]))"""
)
_KEYWORDS = {"and", "or", "not", "in", "like", "as", "by", "asc", "desc"}
_COMPARISONS = {
    "=": "eq({0}, {1})",
    "!=": "NOT eq({0}, {1})",
    "<": "before({0}, {1})",
    ">": "before({1}, {0})",
    "<=": "upto({0}, {1})",
    ">=": "upto({1}, {0})",
}
# A value is its text and whether it is a string; a missing one has no text.
_MACROS = (
    "dbl(a) AS TRY_CAST(a['t'] AS DOUBLE)",
    "two_numbers(a, b) AS dbl(a) IS NOT NULL AND dbl(b) IS NOT NULL",
    "two_texts(a, b) AS a['s'] AND b['s']",
    "eq(a, b) AS coalesce(CASE WHEN two_numbers(a, b) THEN dbl(a) = dbl(b) ELSE a['t'] = b['t'] END, false)",
    """before(a, b) AS coalesce(CASE WHEN two_numbers(a, b) THEN dbl(a) < dbl(b)
        WHEN two_texts(a, b) THEN a['t'] < b['t'] END, false)""",
    """upto(a, b) AS coalesce(CASE WHEN two_numbers(a, b) THEN dbl(a) <= dbl(b)
        WHEN two_texts(a, b) THEN a['t'] <= b['t'] END, false)""",
    "truth(a) AS coalesce(CASE WHEN a['s'] THEN a['t'] <> '' ELSE dbl(a) <> 0 END, false)",
    "flag(b) AS {'t': CASE WHEN b THEN '1' ELSE '0' END, 's': false}",
    "has(a, part) AS coalesce(contains(a['t'], part), false)",
)


class NoSentence(Exception):
    """The text is no sentence of the small language."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Give DuckDB the words that the SQL is written in."""
    for macro in _MACROS:
        connection.execute(f"CREATE OR REPLACE MACRO {macro}")


def sql_of(query: str) -> str | None:
    """An SQL query for the places of the rows, newest first, or None where the query is no sentence."""
    try:
        return f"SELECT n FROM {_Reader(query).pipeline()} ORDER BY n DESC"
    except NoSentence:
        return None


class _Reader:
    def __init__(self, query: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(query.rstrip())
        while position < end:
            match = _TOKEN.match(query, position)
            if match is None or match.lastgroup is None:
                raise NoSentence(query[position:])
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def pipeline(self) -> str:
        rows = self._command("requests")
        while self._take("|"):
            rows = self._command(rows)
        if self._tokens:
            raise NoSentence
        return rows

    def _command(self, rows: str) -> str:
        kind, word = self._next()
        if kind == "name" and word in {"filter", "where"}:
            return f"(SELECT * FROM {rows} WHERE {self._holds()})"
        if kind == "name" and word == "fields":
            self._holds()
            while self._take(","):
                self._holds()
            return rows
        if kind == "name" and word == "limit":
            kind, count = self._next()
            if kind != "number" or not count.isdigit() or not 1 <= int(count) <= 100_000:
                raise NoSentence
            return f"(SELECT * FROM {rows} ORDER BY n DESC LIMIT {count})"
        raise NoSentence

    def _holds(self) -> str:
        return f"truth({self._any()})"

    def _any(self) -> str:
        return self._joined("or", "OR", lambda: self._joined("and", "AND", self._not))

    def _joined(self, word: str, sql: str, part: Callable[[], str]) -> str:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        return "flag(" + f" {sql} ".join(f"truth({one})" for one in parts) + ")"

    def _not(self) -> str:
        return f"flag(NOT truth({self._not()}))" if self._take("not") else self._comparison()

    def _comparison(self) -> str:
        left = self._value()
        sign = self._tokens[0][1] if self._tokens and self._tokens[0][0] == "sign" else ""
        if sign in _COMPARISONS:
            self._next()
            return f"flag({_COMPARISONS[sign].format(left, self._value())})"
        if self._take("=~"):
            return f"flag({self._contains(left)})"
        if self._take("not"):
            return f"flag(NOT ({self._membership(left)}))"
        if self._tokens and self._tokens[0] in (("name", "like"), ("name", "in")):
            return f"flag({self._membership(left)})"
        return left

    def _membership(self, left: str) -> str:
        if self._take("like"):
            return self._contains(left)
        if not (self._take("in") and self._take("[")):
            raise NoSentence
        options = [self._value()]
        while self._take(","):
            options.append(self._value())
        if not self._take("]"):
            raise NoSentence
        return " OR ".join(f"eq({left}, {option})" for option in options)

    def _contains(self, left: str) -> str:
        kind, text = self._next()
        if kind != "string":
            raise NoSentence
        return f"has({left}, '{text[1:-1]}')"

    def _value(self) -> str:
        kind, text = self._next()
        if text == "(" and kind == "sign":
            inner = self._any()
            if not self._take(")"):
                raise NoSentence
            return inner
        if kind == "string":
            return f"{{'t': '{text[1:-1]}', 's': true}}"
        if kind == "number":
            return f"{{'t': '{text}', 's': false}}"
        # A name before a parenthesis is a function, and the small language has none.
        if kind != "name" or text in _KEYWORDS or (self._tokens and self._tokens[0] == ("sign", "(")):
            raise NoSentence
        if text in {"true", "false"}:
            return f"flag({text})"
        path = "$" + "".join(f'."{part}"' for part in text.split("."))
        return f"{{'t': say(j, '{path}'), 's': json_type(j, '{path}') = 'VARCHAR'}}"

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise NoSentence
        return self._tokens.pop(0)

    def _take(self, word: str) -> bool:
        if not self._tokens or self._tokens[0][0] == "string" or self._tokens[0][1] != word:
            return False
        self._tokens.pop(0)
        return True
