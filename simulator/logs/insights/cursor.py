"""Where the parser stands in a query."""

from simulator.logs.insights.errors import MalformedQuery
from simulator.logs.insights.lexer import Kind, Token, regex_at, token_at, unexpected

_DEEPEST = 60
_MOST_OPERATORS = 400


class Cursor:
    """One token of look-ahead over a query's text, and the limits that keep a parse finite."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.token = token_at(query, 0)
        self.last_end = 0
        self._depth = 0
        self._operators = 0

    def advance(self) -> Token:
        """The current token; the cursor moves past it."""
        token = self.token
        self.last_end = token.end
        self.token = token_at(self.query, token.end)
        return token

    def regex(self) -> Token:
        """The regular expression that opens at the current `/`; the cursor moves past it."""
        token = regex_at(self.query, self.token)
        self.last_end = token.end
        self.token = token_at(self.query, token.end)
        return token

    def back_to(self, token: Token, last_end: int) -> None:
        """Stand where the cursor stood before `token` was read."""
        self.token, self.last_end = token, last_end

    def at(self, *words: str) -> bool:
        """Whether the current token is one of these keywords or symbols."""
        return self.token.word in words

    def take(self, *words: str) -> bool:
        """Move past the current token if it is one of these keywords or symbols."""
        if not self.at(*words):
            return False
        self.advance()
        return True

    def expect(self, word: str) -> Token:
        """Move past this keyword or symbol, which must stand here."""
        if not self.at(word):
            raise self.unexpected()
        return self.advance()

    def expect_kind(self, kind: Kind) -> Token:
        """Move past a token of this kind, which must stand here."""
        if self.token.kind is not kind:
            raise self.unexpected()
        return self.advance()

    def unexpected(self, token: Token | None = None) -> MalformedQuery:
        """The refusal of a token (the current one) where it stands."""
        refused = token or self.token
        return unexpected(self.query, refused.start, refused.end)

    def refusal(self, message: str, token: Token) -> MalformedQuery:
        """A refusal with words of its own, at a token."""
        return MalformedQuery(message, token.start, token.end)

    def deeper(self) -> None:
        """Count one level of nesting."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refusal("The query is nested too deeply", self.token)

    def shallower(self) -> None:
        """Leave one level of nesting."""
        self._depth -= 1

    def operator(self) -> None:
        """Count one operator, so that no tree grows deeper than the evaluator can walk."""
        self._operators += 1
        if self._operators > _MOST_OPERATORS:
            raise self.refusal("The query has too many operators", self.token)
