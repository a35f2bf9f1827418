"""The settings that TAO fills in by named functions: the ``spec_params`` of a skill's metadata.

A skill says ``evaluate.checkpoint: parent_model`` and leaves the path to the caller.
Each name is one small function here; ``FUNCTIONS`` is the whole table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from automl.skill.schema import SchemaTree
from automl.skill.typewords import enum_values
from automl.spec.rules import SpecRules

__all__ = [
    "FUNCTIONS",
    "Surroundings",
    "constants_of",
    "function_names",
    "infer",
    "pretrained_settings",
    "unknown_functions",
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the settings of one action are inferred from.

    Attributes:
        network: Names the files that the action makes.
        output_dir: Folder that takes everything the action writes.
        key: Encryption key of the parent; empty leaves the template's.
        parent: What the action starts from: a checkpoint, an ONNX file, an engine, or a folder.
        pretrained: Weights that a training starts from; None without any.
        resume: Checkpoint of this very training that it goes on from; None to start afresh.
    """

    network: str
    output_dir: Path
    key: str = ""
    parent: Path | None = None
    pretrained: Path | None = None
    resume: Path | None = None


#: A setting's dotted key and the surroundings to its value; None leaves the template's.
Function: TypeAlias = Callable[[str, Surroundings], str | None]


def key(_: str, around: Surroundings) -> str | None:
    """The key that the parent was written with."""
    return around.key or None


def output_dir(_: str, around: Surroundings) -> str:
    """The results folder."""
    return str(around.output_dir)


def parent_model(setting: str, around: Surroundings) -> str:
    """The parent, where the setting takes a file of its kind; empty elsewhere.

    ``evaluate.checkpoint`` and ``evaluate.trt_engine`` are both inferred, and only one can be
    meant.
    """
    parent = around.parent
    return str(parent) if parent is not None and _takes(setting, parent) else ""


def parent_model_folder(_: str, around: Surroundings) -> str | None:
    """The folder of the parent, or the parent itself where it is one; None without a parent."""
    parent = around.parent
    if parent is None:
        return None
    return str(parent if parent.is_dir() else parent.parent)


def create_onnx_file(_: str, around: Surroundings) -> str:
    """Where an export writes its ONNX file."""
    return str(around.output_dir / f"{around.network}.onnx")


def create_engine_file(_: str, around: Surroundings) -> str:
    """Where a TensorRT engine is written."""
    return str(around.output_dir / f"{around.network}.engine")


def create_cal_cache(_: str, around: Surroundings) -> str:
    """Where the calibration of an INT8 engine is kept."""
    return str(around.output_dir / f"{around.network}_calibration.cache")


def create_pth_file(_: str, around: Surroundings) -> str:
    """Where a network's plain weights are written."""
    return str(around.output_dir / f"{around.network}.pth")


def ptm(_: str, around: Surroundings) -> str | None:
    """The pretrained weights, if there are any."""
    return str(around.pretrained) if around.pretrained is not None else None


def parent_model_or_ptm(setting: str, around: Surroundings) -> str | None:
    """The parent, else the pretrained weights."""
    return parent_model(setting, around) if around.parent is not None else ptm(setting, around)


def ptm_if_no_resume_model(_: str, around: Surroundings) -> str | None:
    """The pretrained weights of a training that starts afresh; none for one that goes on."""
    if around.resume is not None:
        return ""
    return str(around.pretrained) if around.pretrained is not None else None


def resume_model(_: str, around: Surroundings) -> str:
    """The checkpoint that a training goes on from; empty for a fresh start."""
    return str(around.resume) if around.resume is not None else ""


#: The functions that are known here; settings of any other keep what their template has.
FUNCTIONS: Mapping[str, Function] = {
    "key": key,
    "output_dir": output_dir,
    "parent_model": parent_model,
    "parent_model_folder": parent_model_folder,
    "create_onnx_file": create_onnx_file,
    "create_engine_file": create_engine_file,
    "create_cal_cache": create_cal_cache,
    "create_pth_file": create_pth_file,
    "ptm": ptm,
    "parent_model_or_ptm": parent_model_or_ptm,
    "ptm_if_no_resume_model": ptm_if_no_resume_model,
    "resume_model": resume_model,
}

#: What settings are filled by where a skill's metadata says nothing of them: for every action
#: those outside all blocks and the block's own folder, then by action those of its block.
_USUAL: Mapping[str, str] = {"encryption_key": "key", "results_dir": "output_dir"}
_USUAL_OF: Mapping[str, Mapping[str, str]] = {
    "evaluate": {"checkpoint": "parent_model", "trt_engine": "parent_model"},
    "inference": {"checkpoint": "parent_model", "trt_engine": "parent_model"},
    "export": {"checkpoint": "parent_model", "onnx_file": "create_onnx_file"},
    "gen_trt_engine": {"onnx_file": "parent_model", "trt_engine": "create_engine_file"},
}


def function_names(rules: SpecRules) -> dict[str, str]:
    """The function of each inferred setting of an action, by dotted key.

    A setting whose function nobody here knows is left out (``unknown_functions``).
    """
    declared = {key: name for key, name in _declared(rules).items() if name in FUNCTIONS}
    of_block = {**_USUAL_OF.get(rules.action, {}), "results_dir": "output_dir"}
    usual = {**_USUAL, **{f"{rules.action}.{name}": of_block[name] for name in of_block}}
    return {name: function for name, function in usual.items() if rules.has(name)} | declared


def unknown_functions(rules: SpecRules) -> dict[str, str]:
    """The settings whose function is not known here, by dotted key: they keep their template's."""
    constants = constants_of(rules)
    return {
        key: name
        for key, name in _declared(rules).items()
        if name not in FUNCTIONS and key not in constants
    }


def constants_of(rules: SpecRules) -> dict[str, Any]:
    """The plain values that the metadata gives for settings of an action.

    A word is one where the schema has it among the options of its setting.
    """
    info = rules.skill.actions.get(rules.action)
    plain = dict(info.constants) if info is not None else {}
    words = {k: word for k, word in _declared(rules).items() if _is_option(rules.schema, k, word)}
    return plain | words


def _declared(rules: SpecRules) -> dict[str, str]:
    info = rules.skill.actions.get(rules.action)
    return dict(info.spec_params) if info is not None else {}


def _is_option(schema: SchemaTree | None, key: str, word: str) -> bool:
    leaf = schema.leaves.get(key) if schema is not None else None
    return leaf is not None and word not in FUNCTIONS and word in enum_values(leaf)


def pretrained_settings(rules: SpecRules) -> tuple[str, ...]:
    """The settings that name pretrained weights where a training goes on from no checkpoint."""
    fresh = ptm_if_no_resume_model.__name__
    return tuple(key for key, name in function_names(rules).items() if name == fresh)


def infer(rules: SpecRules, around: Surroundings) -> dict[str, str]:
    """The value of each inferred setting of an action, by dotted key."""
    named = function_names(rules)
    values = {setting: FUNCTIONS[name](setting, around) for setting, name in named.items()}
    return {setting: value for setting, value in values.items() if value is not None}


def _takes(setting: str, parent: Path) -> bool:
    """Whether a setting's name asks for a file of the parent's kind.

    A checkpoint may be an ONNX file: the trainer of this package runs one as such.
    """
    name, suffix = setting.rpartition(".")[2], parent.suffix.lower()
    if "engine" in name:
        return suffix == ".engine"
    if "onnx" in name:
        return suffix == ".onnx"
    return suffix != ".engine"
