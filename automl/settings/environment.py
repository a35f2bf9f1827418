"""Settings by environment variables: ``AUTOML_TRIALS=50`` for ``--trials 50``.

They stand between the flags and the study file. A setting that repeats takes the words of a shell
(``AUTOML_SET="train.num_epochs=12 dataset.category=bike"``), a switch ``true`` or ``false``.
"""

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.settings.layers import Layer
from automl.settings.setting import Place, Setting

__all__ = ["PREFIX", "environment_layer", "mistyped", "variable_of"]

PREFIX = "AUTOML_"
_SWITCHED: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def variable_of(setting: Setting) -> str:
    """The variable that gives a setting; empty where none does.

    What has no flag has none, and neither has a secret: those who are told of a study have a
    variable of their own, which adds to what others give.
    """
    return f"{PREFIX}{setting.name.upper()}" if setting.has_flag and not setting.is_secret else ""


def environment_layer(table: Mapping[str, Setting], environment: Mapping[str, str]) -> Layer:
    """The settings that variables give; one that is empty gives nothing.

    Args:
        table: Name to setting.
        environment: The process's variables.

    Raises:
        FixInput: A value is none that its setting can have; the error names the variable.
    """
    values = {}
    for name, setting in table.items():
        variable = variable_of(setting)
        text = environment.get(variable, "") if variable else ""
        if text.strip():
            values[name] = setting.form.read(
                _worded(setting, text, variable), Place(name, variable)
            )
    return Layer(values, by_name=PREFIX)


def _worded(setting: Setting, text: str, variable: str) -> Any:
    """A variable's text as the flag would give it."""
    if setting.form.is_switch:
        if text.strip().lower() not in _SWITCHED:
            raise FixInput(f"{variable} must be true or false", got=repr(text), where=variable)
        return _SWITCHED[text.strip().lower()]
    if not setting.form.repeats:
        return text
    try:
        return shlex.split(text)
    except ValueError:
        raise FixInput(
            f"{variable} must be words as a shell reads them", got=repr(text), where=variable
        ) from None


def mistyped(
    table: Mapping[str, Setting], environment: Mapping[str, str], others: Collection[str]
) -> Iterator[str]:
    """A sentence for each variable that looks like a setting and is none.

    Args:
        table: Name to setting.
        environment: The process's variables.
        others: Variables of this program that are no settings.
    """
    known = [variable for setting in table.values() if (variable := variable_of(setting))]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and name not in others:
            near = did_you_mean(name, known)
            if near:
                yield f"{name} is no variable of this program: {near}"
