"""Texts that others wrote, with every sign in sight that would act on a terminal instead."""

import re

__all__ = ["visible"]

#: Control characters, direction marks (which reorder what a reader sees), line separators, and
#: lone surrogates, as which Python reads the bytes of a name that is no UTF-8.
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str, keep: str = "\n\t") -> str:
    r"""``text`` with each such sign as an escape: ``\u001b``, as JSON and Python write it.

    Of JSON the escaped text is JSON still, and of the same value.

    Args:
        text: Any text.
        keep: Signs that stay as they are; empty for what must be one line.
    """
    return _HIDDEN.sub(lambda hit: hit[0] if hit[0] in keep else f"\\u{ord(hit[0]):04x}", text)
