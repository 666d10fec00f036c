"""The local model holds no string of ours: it could else answer by heart what it should read."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "simulator" / "bedrock" / "models"
PROSE = (
    *(ROOT / "agents" / "prompts").glob("*.md"),
    *(ROOT / "simulator" / "scenarios").rglob("*.toml"),
    *(ROOT / "simulator" / "worlds").glob("*.toml"),
)
DESCRIPTIONS = (
    ROOT / "tools" / "catalogue.py",
    *(ROOT / "tools" / "observe").glob("*.py"),
    *(ROOT / "tools" / "actions").glob("*.py"),
)
IN_A_ROW = 5
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")

Phrase = tuple[str, ...]


def phrases(text: str) -> Iterator[Phrase]:
    """Words in a row; letters and digits in a row, as regular expressions have them, are no words."""
    words = _WORD.findall(text.lower())
    for start in range(len(words) - IN_A_ROW + 1):
        phrase = tuple(words[start : start + IN_A_ROW])
        if any(len(word) > 2 for word in phrase):
            yield phrase


def literals(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def all_phrases(texts: Iterable[str]) -> set[Phrase]:
    return {phrase for text in texts for phrase in phrases(text)}


@pytest.fixture(scope="module")
def ours() -> set[Phrase]:
    prose = all_phrases(path.read_text(encoding="utf-8") for path in PROSE)
    return prose | all_phrases(text for path in DESCRIPTIONS for text in literals(path))


@pytest.mark.parametrize("model", sorted(MODELS.glob("*.py")), ids=lambda path: path.stem)
def test_no_five_words_in_a_row_are_ours(model: Path, ours: set[Phrase]) -> None:
    shared = {" ".join(one) for one in all_phrases(literals(model)) & ours}

    assert not shared


def test_there_is_something_to_compare(ours: set[Phrase]) -> None:
    assert len(PROSE) >= 13
    assert len(ours) > 2000
    assert len(all_phrases(text for path in MODELS.glob("*.py") for text in literals(path))) > 200


def test_a_shared_phrase_is_found() -> None:
    text = "Answer, only with: WHAT the evidence shows."

    assert all_phrases([text]) & all_phrases(["only with what the evidence"])
