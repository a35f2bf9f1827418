"""A password in the address of a database: used by this process, and written down nowhere."""

import argparse
import os
from collections.abc import Sequence

from automl.study.database_url import PASSWORD_VARIABLE, parted

__all__ = ["take_password"]


def take_password(arguments: argparse.Namespace, command: Sequence[str]) -> tuple[str, ...]:
    """Takes the password out of ``--storage`` and into this process's environment.

    Args:
        arguments: The command's; their address is left without the password.
        command: The command line, program first.

    Returns:
        The command line without the password.
    """
    given = getattr(arguments, "storage", None)
    if not isinstance(given, str):
        return tuple(command)
    bare, password = parted(given)
    if password is not None:
        os.environ[PASSWORD_VARIABLE] = password
        arguments.storage = bare
    return tuple(word.replace(given, bare) for word in command)
