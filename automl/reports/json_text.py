"""JSON of a whole study as text: a line a member and a line an item of a list.

Python's own indented text is written by Python code, which takes seconds for thousands of trials.
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["document_text"]


def document_text(document: Mapping[str, Any]) -> str:
    """Strict JSON, to be read by programs and, line by line, by people.

    Args:
        document: Plain values; one that is a list has a line for each of its items.

    Raises:
        ValueError: A number is not finite.
    """
    members = [f"  {_line(name)}: {_member(value)}" for name, value in document.items()]
    return "{\n" + ",\n".join(members) + "\n}"


def _member(value: Any) -> str:
    if not isinstance(value, list | tuple) or not value:
        return _line(value)
    items = ",\n".join(f"    {_line(item)}" for item in value)
    return f"[\n{items}\n  ]"


def _line(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)
