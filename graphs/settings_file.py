"""Read one file of the settings folder; what is wrong with it is told by file, place and remedy."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tools.errors import Misconfigured

M = TypeVar("M", bound=BaseModel)
EXTRA = "extra_forbidden"


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says, or raise `Misconfigured` with the remedy."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Misconfigured(f"{path} is missing; name the settings folder in CLOUDOPS_SETTINGS") from error
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path} is not UTF-8, as TOML has to be: byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path} is not valid TOML: {error}") from error


def checked(model: type[M], said: Mapping[str, Any], path: Path) -> M:
    """Return what a file says as its model, or raise `Misconfigured` with each place that is wrong."""
    try:
        return model.model_validate(said)
    except ValidationError as error:
        raise Misconfigured(f"{path} is wrong: {told(error, model)}") from error


def told(error: ValidationError, model: type[BaseModel]) -> str:
    """Return what is wrong in a line: where, what, and for a name that does not exist the one that was meant."""
    return "; ".join(_told(one, model) for one in error.errors(include_url=False, include_context=False))


def _told(one: Mapping[str, Any], model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in one["loc"]) or "all of it"
    if one["type"] != EXTRA:
        return f"{where}: {one['msg'][:1].lower()}{one['msg'][1:]}"
    import difflib  # only where something is wrong: every command reads settings

    # Names of the settings themselves are few and known; those further in are left to the reader.
    near = difflib.get_close_matches(str(one["loc"][-1]), model.model_fields, n=1)
    meant = f"; did you mean {near[0]}?" if near and len(one["loc"]) == 1 else ""
    return f"{where}: there is no such setting{meant}"
