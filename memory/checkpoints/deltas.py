"""What one byte string has that another has not: copies from the other, and what is new between them.

LangGraph serializes a whole list again when one message is added. Against the serialized list of an earlier
checkpoint only the message is new.
"""

ANCHOR = 24
STEP, LARGEST_STEP, PATIENCE = 32, 4096, 8
# Bytes searched at most for one difference: what is found nowhere must not cost the square of its size.
BUDGET = 64_000_000

Delta = list[int | bytes]


def difference(base: bytes, new: bytes) -> Delta:
    """Return [literal, offset, length, literal, offset, length, ..., literal] that makes `new` out of `base`."""
    delta: Delta = []
    at = literal = hint = misses = spent = 0
    while at + ANCHOR <= len(new) and spent < BUDGET:
        found, searched = _find(base, new[at : at + ANCHOR], hint)
        spent += searched
        if found < 0:
            at += min(STEP << (misses // PATIENCE), LARGEST_STEP)
            misses += 1
            continue
        while at > literal and found > 0 and new[at - 1] == base[found - 1]:
            at, found = at - 1, found - 1
        length = _common(base, found, new, at)
        delta += [new[literal:at], found, length]
        at = literal = at + length
        hint, misses = found + length, 0
    return [*delta, new[literal:]]


def restored(base: bytes, delta: Delta) -> bytes:
    """Return the byte string that a difference stands for."""
    pieces: list[bytes] = []
    for number in range(0, len(delta) - 1, 3):
        literal, offset, length = delta[number : number + 3]
        if not (isinstance(literal, bytes) and isinstance(offset, int) and isinstance(length, int)):
            raise ValueError("not a difference")
        pieces += [literal, base[offset : offset + length]]
    last = delta[-1]
    if not isinstance(last, bytes):
        raise ValueError("not a difference")
    return b"".join([*pieces, last])


def _find(base: bytes, anchor: bytes, hint: int) -> tuple[int, int]:
    """Return where the anchor stands, first after the hint, and how much was searched for it."""
    found = base.find(anchor, hint)
    if found >= 0:
        return found, found - hint
    found = base.find(anchor, 0, hint + ANCHOR)
    return found, len(base) if found < 0 else len(base) - hint + found


def _common(base: bytes, offset: int, new: bytes, at: int) -> int:
    """Return how many bytes are the same from here on."""
    length, step = 0, 64
    while step:
        left = base[offset + length : offset + length + step]
        right = new[at + length : at + length + step]
        if len(left) == len(right) == step and left == right:
            length, step = length + step, step * 2
        else:
            step //= 2
    return length
