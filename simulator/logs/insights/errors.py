"""The refusal of a query."""


class MalformedQuery(ValueError):
    """The query does not parse, or says what is not understood here, at [start, end) of its text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
