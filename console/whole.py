"""Write a file whole or not at all: a disk that is full leaves what was there."""

from pathlib import Path

from tools.errors import CopilotError


class NotWrittenError(CopilotError):
    """A file could not be written; the message says why, and that nothing else is lost."""


def write_whole(path: Path, text: str) -> None:
    """Write a file aside and put it in its place; raise `NotWrittenError` with the remedy."""
    aside = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        if aside.is_file():
            aside.unlink(missing_ok=True)
        raise NotWrittenError(
            f"{path} could not be written ({error.strerror}): what is stored of the incident is whole; make room, "
            "or name another folder in CLOUDOPS_OUT, then `cloudops report ID` writes it"
        ) from error
