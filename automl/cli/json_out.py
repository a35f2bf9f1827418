"""Strict JSON on standard output: every document says by ``schema`` what it is."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["print_json"]


def print_json(schema: str, value: Mapping[str, Any]) -> None:
    """Prints one document.

    Args:
        schema: Its name and version: ``automl.status/1``.
        value: Its content.
    """
    document = {"schema": schema, **value}
    print(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))
