"""Long texts of the page that its scripts alone read, deflated so that the page stays small."""

import base64
import zlib
from functools import cache
from typing import Final

from plotly.offline import get_plotlyjs

__all__ = ["LONG", "packed", "packed_plotly"]

LONG: Final = 10_000
"""Characters from which the data of a figure is packed."""


def packed(text: str) -> str:
    """``text`` in UTF-8 as a zlib stream (RFC 1950) in base64, a third to a tenth as long.

    A browser reads it by ``DecompressionStream("deflate")``, also in a page opened from a file.
    """
    return base64.b64encode(zlib.compress(text.encode(errors="backslashreplace"), 9)).decode()


@cache
def packed_plotly() -> str:
    """plotly.js, packed."""
    return packed(get_plotlyjs())
