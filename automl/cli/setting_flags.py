"""The flags of a study's settings, made from the table of settings."""

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from automl.app.study_settings import STUDY_SETTINGS, installed_settings, settings_table

if TYPE_CHECKING:
    from automl.cli.usage import Parser
    from automl.settings.setting import Setting

__all__ = ["add_settings", "given"]


def add_settings(command: "Parser") -> None:
    """Declares the flag of each setting, under the heading of its group.

    Those of installed trainers follow when the command is the one that is asked for: for them
    packages are imported.
    """
    _add_all(command, STUDY_SETTINGS)
    command.add_late(lambda: _add_all(command, installed_settings()))


def _add_all(command: "Parser", settings: "Iterable[Setting]") -> None:
    groups: dict[str, argparse._ActionsContainer] = {"": command}
    for setting in settings:
        if not setting.has_flag:
            continue
        if setting.group not in groups:
            groups[setting.group] = command.add_argument_group(setting.group)
        _add(groups[setting.group], setting)


def _add(group: argparse._ActionsContainer, setting: "Setting") -> None:
    form = setting.form
    if form.is_switch:
        group.add_argument(
            setting.flag,
            dest=setting.name,
            action="store_const",
            const=True,
            help=setting.help_text,
        )
        return
    group.add_argument(
        setting.flag,
        dest=setting.name,
        action="append" if form.repeats else "store",
        metavar=form.metavar or None,
        help=setting.help_text,
    )


def given(arguments: argparse.Namespace) -> Mapping[str, Any]:
    """Setting name to its text, or list of texts, of the flags that were given."""
    values = {name: getattr(arguments, name, None) for name in settings_table()}
    return {name: value for name, value in values.items() if value is not None}
