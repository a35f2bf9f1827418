"""Strict JSON on standard output: every document says by ``schema`` what it is."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["json_text", "print_json"]


def print_json(schema: str, value: Mapping[str, Any]) -> None:
    """Prints one document.

    Args:
        schema: Its name and version: ``automl.status/1``.
        value: Its content.
    """
    print(json_text(schema, value))


def json_text(schema: str, value: Mapping[str, Any]) -> str:
    """One document as it is printed."""
    document = {"schema": schema, **value}
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
