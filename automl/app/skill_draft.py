"""A skill folder drafted from a script's options: something to start editing from.

Types and defaults are the script's own. Ranges are never guessed: the draft says where they go.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl.app.script_options import ScriptOption, ScriptOptions, read_options
from automl.errors import FixInput
from automl.files import write_text
from automl.spec.sources import with_settings
from automl.yamltext import dump_yaml

__all__ = ["draft_skill", "write_draft"]

_INFO = """\
# How the script is started. Paths are relative to this skill's folder.
name: {name}
network_arch: {name}
automl_enabled: true
actions:
  train:
    config_format: yaml     # the spec that each trial gets: yaml, json or toml
{start}
"""
_BY_FLAGS = """\
    mode: args              # settings are given as arguments: flag to setting
    args: {args}
    execution:
      type: python_script
      script: {script}
      # What else the script must be told; {{results_dir}} is the folder of the trial.
      args: []
"""
_BY_HYDRA = """\
    execution:
      type: python_script
      script: {script}
      args: [--config-path, '{{results_dir}}', --config-name, spec,
             'hydra.run.dir={{results_dir}}']
"""
_BY_FILE = """\
    execution:
      type: python_script
      script: {script}
      args: [--config, '{{config_path}}']   # as the script takes its file of settings
"""
_PROFILE = """\
# Which metric the script writes, and which way is better.
# objective: {{metric: accuracy, direction: maximize}}
# Where it is read; without this: metrics.json, CSV, TensorBoard's event files, then the log.
# metrics: {{from: json, file: metrics.json}}
# What is searched: take the sign away and write the range that makes sense.
# parameters:
{parameters}
"""


def draft_skill(source: Path, script: Path, name: str) -> dict[str, str]:
    """The files of a drafted skill, by their path below its folder.

    Args:
        source: What the options are read from: the script, its YAML file, or a help text.
        script: The script, relative to the skill's folder.
        name: What the skill is called.

    Raises:
        FixInput: The options cannot be read.
    """
    found = read_options(source)
    defaults = {option.key: option.default for option in found.options}
    tree = with_settings({}, defaults, "--from-script")
    start = _start(found, script)
    lines = (f"#   {option.key}: {{low: , high: }}{_about(option)}" for option in found.options)
    return {
        "references/skill_info.yaml": _INFO.format(name=name, start=start.rstrip()),
        "references/spec_template_train.yaml": dump_yaml(tree),
        "references/search_profile.yaml": _PROFILE.format(parameters="\n".join(lines)),
        "schemas/train.schema.json": json.dumps(_schema(found), indent=2) + "\n",
    }


def _start(found: ScriptOptions, script: Path) -> str:
    flags = {option.flag: option.key for option in found.options if option.flag}
    if flags:
        pairs = ", ".join(f"{flag}: {key}" for flag, key in flags.items())
        return _BY_FLAGS.format(args=f"{{{pairs}}}", script=script)
    return (_BY_HYDRA if found.is_hydra else _BY_FILE).format(script=script)


def _about(option: ScriptOption) -> str:
    words = " ".join(option.help.split())
    default = "" if option.default is None else f"default {option.default}"
    text = "; ".join(part for part in (option.type, default, words) if part)
    return f"   # {text}"


def _schema(found: ScriptOptions) -> dict[str, Any]:
    root: dict[str, Any] = {"type": "object", "properties": {}}
    for option in found.options:
        here = root
        *way, last = option.key.split(".")
        for part in way:
            here = here["properties"].setdefault(part, {"type": "object", "properties": {}})
        here["properties"][last] = _leaf(option)
    return root


def _leaf(option: ScriptOption) -> dict[str, Any]:
    leaf: dict[str, Any] = {"type": option.type, "default": option.default}
    if option.choices:
        leaf |= {"type": "categorical", "enum": list(option.choices)}
    return leaf | ({"description": option.help} if option.help else {})


def write_draft(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the files of a draft, never over others.

    Raises:
        FixInput: One of them is there already.
    """
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise FixInput(
            "a draft must not overwrite a file", got=str(folder / there[0]), where="--from-script"
        )
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, text)
