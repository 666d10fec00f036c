"""The refusal of a filter pattern."""


class InvalidPatternError(ValueError):
    """The filter pattern does not parse; FilterLogEvents answers InvalidParameterException."""
