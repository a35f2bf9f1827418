"""Settings whose values nobody else may read: what is shown and kept in their place."""

import re
import shlex
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

__all__ = ["concealed", "concealing", "is_address"]

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_HIDDEN = "***"


def is_address(text: str) -> bool:
    """Whether a target is an address and not a command."""
    return _ADDRESS.match(text) is not None


def concealed(text: str) -> str:
    """What of an address or a command may be read by anybody: the host, or the program."""
    if is_address(text):
        try:
            parts = urlsplit(text)
            host = parts.hostname or _HIDDEN
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return _HIDDEN
        return f"{parts.scheme}://{host}{port}/{_HIDDEN}"
    try:
        program = next(iter(shlex.split(text)), _HIDDEN)
    except ValueError:
        return _HIDDEN
    return program if program == text else f"{program} {_HIDDEN}"


def concealing(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that puts what may be read in the place of each secret of a text."""
    pairs = sorted(((text, concealed(text)) for text in set(secrets) if text), reverse=True,
                   key=lambda pair: len(pair[0]))  # fmt: skip

    def conceal(text: str) -> str:
        for secret, shown in pairs:
            text = text.replace(secret, shown)
        return text

    return conceal
