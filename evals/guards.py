"""Every guard of a source: where it turns a caller away, and the source without it.

A guard is an `if` or an `except` whose body ends in a return, a raise or a loop's way out, or a returned choice with
None on one side. Of an `or`, each part is a guard: one may be lost while the others stand. What returns None lets
through as a rule, so there it is the condition that is lost: all of it, or one part of an `and`. A part of a returned
`and` is one too, and so is a condition on what a comprehension goes through.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@dataclass(frozen=True)
class Guard:
    """One guard: the function it stands in, its words on one line, its lines, and the source without it."""

    function: str
    words: str
    lines: tuple[int, int]
    without: str

    @property
    def name(self) -> str:
        """Name it, by where it stands and what it says."""
        return f"{self.function}: {self.words}"


@dataclass(frozen=True)
class _Cut:
    """What is replaced in a source to take a guard away."""

    node: ast.expr
    instead: str
    words: str


def guards(text: str) -> tuple[Guard, ...]:
    """Return every guard of a source, in the order of its lines; two of one name in a function are an error."""
    found = tuple(
        Guard(
            function,
            cut.words,
            (cut.node.lineno, cut.node.end_lineno or cut.node.lineno),
            _without(text, cut),
        )
        for function, node in _in_functions(ast.parse(text), "")
        for cut in _cuts(node)
    )
    names = [one.name for one in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"two guards of one name, so that neither can be named: {', '.join(sorted(twice))}")
    return tuple(sorted(found, key=lambda one: one.lines))


def _in_functions(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield each node of a tree with the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else ""
        within = f"{function}.{inner}".strip(".") if inner else function
        yield within, child
        yield from _in_functions(child, within)


def _cuts(node: ast.AST) -> Iterator[_Cut]:
    match node:
        case ast.If(test=test, body=[*_, last]) if isinstance(last, _LEAVES):
            lets_through = isinstance(last, ast.Return) and (last.value is None or _is_none(last.value))
            yield from _conditions(test, lets_through=lets_through)
        case ast.ExceptHandler(type=ast.expr() as kinds, body=[*_, last]) if isinstance(last, _LEAVES):
            yield _Cut(kinds, "()", f"except {ast.unparse(kinds)}")
        case ast.Return(value=ast.IfExp(test=test, body=body, orelse=orelse)):
            if _is_none(body) or _is_none(orelse):
                always = "True" if _is_none(body) else "False"
                yield _Cut(
                    test, always, f"return None {'if' if _is_none(body) else 'unless'} {ast.unparse(test)}"
                )
        case ast.Return(value=ast.BoolOp(op=ast.And(), values=parts)):
            yield from (_Cut(part, "True", f"and {ast.unparse(part)}") for part in parts)
        case ast.comprehension(iter=through, ifs=tests):
            for part in (one for test in tests for one in _all_of(test)):
                yield _Cut(part, "True", f"{ast.unparse(through)} where {ast.unparse(part)}")
        case _:
            return


def _all_of(test: ast.expr) -> list[ast.expr]:
    """Return the conditions that all have to hold."""
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _conditions(test: ast.expr, *, lets_through: bool) -> Iterator[_Cut]:
    """Yield how the condition of an `if` is lost, part by part where one part alone may be."""
    by_any = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
    always = lets_through and not by_any
    for part in test.values if isinstance(test, ast.BoolOp) and by_any is not always else [test]:
        words = ast.unparse(part)
        yield _Cut(part, str(always), f"only if {words}" if always else f"if {words}")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _without(text: str, cut: _Cut) -> str:
    """Return the source with a node's text replaced. Columns of `ast` count bytes of UTF-8."""
    node, lines = cut.node, text.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    return b"".join([*lines[:first], before, cut.instead.encode(), after, *lines[last + 1 :]]).decode()
