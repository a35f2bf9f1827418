"""The options of a training script, read without running it.

Of a Python file the calls of ``add_argument`` are read, or the YAML file that ``@hydra.main``
names; of a YAML file its settings; of any other text its lines as ``--help`` writes them.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.tree import leaves
from automl.yamltext import load_yaml

__all__ = ["ScriptOption", "ScriptOptions", "read_options"]

_HELP = re.compile(r"^\s{1,8}(?:-\w(?: [A-Z_]+)?, )?(?P<flag>--[\w-]+)(?P<value>[ =][A-Z{][^ ]*)?"
                   r"(?:\s{2,}(?P<help>.*))?$")  # fmt: skip
_DEFAULT = re.compile(r"\(default: ([^()]{1,80})\)")
_TYPES = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}
_NO_SETTING = ("help", "config", "config-path", "config-name", "version")


@dataclass(frozen=True, slots=True)
class ScriptOption:
    """One option of a script.

    Attributes:
        key: The setting's dotted key.
        type: ``integer``, ``number``, ``string``, ``boolean`` or ``list``.
        default: Its default; None where the script names none.
        choices: What it may be; empty for anything.
        help: What the script says of it.
        flag: Its flag; empty for a setting of a YAML file.
    """

    key: str
    type: str
    default: Any = None
    choices: tuple[Any, ...] = ()
    help: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True)
class ScriptOptions:
    """The options of a script.

    Attributes:
        options: The options, in the script's order.
        is_hydra: Whether the script reads them through Hydra.
    """

    options: tuple[ScriptOption, ...]
    is_hydra: bool = False


def read_options(path: Path) -> ScriptOptions:
    """The options of a script, of its YAML file, or of what its ``--help`` prints.

    Raises:
        FixInput: There is no such file, it cannot be read, or it names no options.
    """
    if not path.is_file():
        raise FixInput("a script must be a file that exists", got=str(path), where="--from-script")
    if path.suffix in (".yaml", ".yml"):
        found = ScriptOptions(tuple(_of_yaml(path)))
    elif path.suffix == ".py":
        found = _of_python(path)
    else:
        text = path.read_text(encoding="utf-8", errors="replace")
        found = ScriptOptions(tuple(_of_help(text)))
    if not found.options:
        raise FixInput(
            "a script must have options to be tuned",
            got=f"none in {path.name}",
            where="--from-script",
            fix="give its YAML file, or a file with what its --help prints",
        )
    return found


def _of_yaml(path: Path) -> Iterator[ScriptOption]:
    tree = load_yaml(path)
    if not isinstance(tree, Mapping):
        raise FixInput("settings must be a mapping", got=type(tree).__name__, where=str(path))
    for key, value in leaves(tree):
        block = key.partition(".")[0]
        if block not in ("defaults", "hydra"):
            yield ScriptOption(key, _type_of(value), value)


def _of_python(path: Path) -> ScriptOptions:
    try:
        module = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise FixInput("a script must be Python", got=str(error), where=str(path)) from error
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    for call in calls:
        if _name(call) == "main" and (config := _hydra_file(path, call)) is not None:
            return ScriptOptions(tuple(_of_yaml(config)), is_hydra=True)
    added = (_argument(call) for call in calls if _name(call) == "add_argument")
    return ScriptOptions(tuple(option for option in added if option is not None))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ""


def _hydra_file(script: Path, call: ast.Call) -> Path | None:
    given = {word.arg: _value(word.value) for word in call.keywords}
    name = given.get("config_name")
    if not isinstance(name, str):
        return None
    folder = script.parent / str(given.get("config_path") or ".")
    path = folder / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    return path if path.is_file() else None


def _argument(call: ast.Call) -> ScriptOption | None:
    names = [name for word in call.args if isinstance(name := _value(word), str)]
    flag = next((name for name in names if name.startswith("--")), "")
    if not flag or flag[2:] in _NO_SETTING:
        return None
    given = {word.arg: word.value for word in call.keywords}
    default = _value(given["default"]) if "default" in given else None
    choices = _value(given["choices"]) if "choices" in given else ()
    action = _value(given["action"]) if "action" in given else ""
    if action in ("store_true", "store_false"):
        kind, default = "boolean", action == "store_false"
    elif "nargs" in given:
        kind = "list"
    else:
        word = given.get("type")
        named = word.id if isinstance(word, ast.Name) else ""
        kind = _TYPES.get(named) or (_type_of(default) if default is not None else "string")
    about = _value(given["help"]) if "help" in given else ""
    options = tuple(choices) if isinstance(choices, list | tuple) else ()
    return ScriptOption(_key(flag), kind, default, options, str(about or ""), flag)


def _value(node: ast.expr) -> Any:
    """A literal; None for what only a run would tell."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _of_help(text: str) -> Iterator[ScriptOption]:
    for line in text.splitlines():
        found = _HELP.match(line)
        if found is None or found["flag"][2:] in _NO_SETTING:
            continue
        about = found["help"] or ""
        said = _DEFAULT.search(about)
        default = load_yaml(said[1], where="--help") if said else None
        kind = _type_of(default) if found["value"] else "boolean"
        yield ScriptOption(_key(found["flag"]), kind, default, (), about, found["flag"])


def _key(flag: str) -> str:
    return flag[2:].replace("-", "_")


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    for kind, word in ((int, "integer"), (float, "number"), (list, "list")):
        if isinstance(value, kind):
            return word
    return "string"
