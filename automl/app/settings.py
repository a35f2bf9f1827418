"""Settings in layers: a flag beats the study file, the study file beats the default.

Every setting has one name, used by the study file and, with dashes, by the command line. A value
keeps the name of the layer it came from, so that a plan can say where each one was set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.data.staging import is_remote
from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.yamltext import load_yaml

__all__ = ["Layers", "StudyFile", "read_study_file"]

#: Setting name to what it means; the keys a study file may hold, in the order of ``--help``.
KEYS: Mapping[str, str] = {
    "name": "name of the study and of its folder",
    "automl_policy": "on: search; off: one plain training",
    "skill_dir": "folder of the model skill",
    "data": "train, val, test, inference: a folder or a tarball each; or synth: a synthetic set",
    "spec": "a complete spec to start from, instead of the skill's template",
    "set": "dotted spec key to value",
    "parent_checkpoint": "weights that every trial starts from",
    "space": "which parameters are searched: default, profile, all, or a profile's file",
    "search": "dotted key to range: LOW..HIGH, LOW..HIGH:log or a,b,c",
    "freeze": "dotted keys that are not searched",
    "metric": "metric to improve",
    "direction": "maximize or minimize",
    "sampler": "tpe or random",
    "pruner": "none or median: who stops a trial early",
    "seed": "seed of the sampler and of fresh seeds",
    "startup_trials": "random trials before the sampler learns",
    "trials": "trials in total, trial 0 included",
    "confirm": "seeds with which winner and default are trained again after the search",
    "trial_timeout": "seconds (or 90s, 10m, 2h) after which a trial counts as hung",
    "same_failures": "failures of one class in a row after which the search stops",
    "max_concurrent": "trials at the same time",
    "gpus_per_trial": "GPUs that one trial holds",
    "trials_per_gpu": "trials that share one GPU, as far as its memory allows",
    "gpus": "indices or UUIDs of the GPUs to use",
    "keep": "best or all: which checkpoints outlive a trial",
    "trainer": "process, docker, or scripted (a fake that trains nothing)",
    "image": "docker: image that trials run in, instead of the skill's",
    "shm_size": "docker: shared memory such as 16g",
    "memory": "docker: memory limit such as 64g",
    "pids_limit": "docker: most processes and threads of a container",
    "network": "docker: network of the containers; none unless asked for",
    "env": "docker: names of environment variables that containers get",
    "trainer_start": "warm: a trainer process takes trial after trial; cold: a new one each",
    "script": "what the scripted trainer plays",
}

_MAPPINGS = frozenset({"data", "set", "script"})
_REQUESTS = frozenset({"search", "freeze"})
_ANY = frozenset({"automl_policy", "env", "gpus"})  # judged where they are read


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file as read.

    Attributes:
        path: Where it was read from.
        values: Setting name to value, only those present.
        text: The file's own text, kept with the study.
    """

    path: Path
    values: Mapping[str, Any]
    text: str

    def located(self, value: str) -> str:
        """A path from the file, read relative to the file's own folder; an address as it is."""
        if is_remote(value):
            return value
        path = Path(value).expanduser()
        return str(path if path.is_absolute() else (self.path.parent / path).resolve())


def read_study_file(path: Path) -> StudyFile:
    """Reads a study file and checks that it holds known settings only.

    Raises:
        FixInput: The file is missing, is not YAML, or holds a setting nobody knows.
    """
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*.yaml")]
        fix = did_you_mean(path.name, beside) or "name a YAML file"
        raise FixInput("a study file must exist", got=str(path), fix=fix)
    values = load_yaml(path)
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise FixInput(
            "a study file must be a mapping of settings",
            got=type(values).__name__,
            where=str(path),
        )
    for key, value in values.items():
        if key not in KEYS:
            raise unknown_setting(str(key), KEYS, where=str(path))
        _check_form(key, value, str(path))
    return StudyFile(path, values, path.read_text(encoding="utf-8"))


def _check_form(key: str, value: Any, where: str) -> None:
    """Refuses a value of a form that its setting cannot have, whatever it says."""
    if key in _MAPPINGS:
        is_right, form = isinstance(value, Mapping), "a mapping"
    elif key in _REQUESTS:
        texts = value if isinstance(value, list) else [value]
        is_right = isinstance(value, Mapping) or all(isinstance(text, str) for text in texts)
        form = "a mapping, or a list of texts as its flag takes them"
    else:
        is_right, form = key in _ANY or not isinstance(value, Mapping | list), "one value"
    if value is not None and not is_right:
        raise FixInput(f"{key} must be {form}", got=repr(value), where=where)


def unknown_setting(key: str, known: Iterable[str], where: str) -> FixInput:
    """The error for a setting nobody knows, naming the nearest one that exists."""
    names = list(known)
    fix = did_you_mean(key, names) or f"known settings: {', '.join(names)}"
    return FixInput("a setting must be a known one", got=f"'{key}'", where=where, fix=fix)


@dataclass(slots=True)
class Layers:
    """Named layers of settings, first wins.

    Attributes:
        layers: Label and values of each layer, strongest first.
        origin: Filled by ``pick``: setting name to the label of the layer that gave its value.
    """

    layers: Sequence[tuple[str, Mapping[str, Any]]]
    origin: dict[str, str] = field(default_factory=dict)

    def pick(self, name: str, default: Any = None) -> Any:
        """The strongest value of a setting, or ``default``; remembers where it came from."""
        for label, values in self.layers:
            if values.get(name) is not None:
                self.origin[name] = f"--{name.replace('_', '-')}" if label == "flag" else label
                return values[name]
        self.origin[name] = "default"
        return default

    def number(self, name: str, default: int | None) -> int | None:
        """A whole number.

        Raises:
            FixInput: The value is no whole number.
        """
        value = self.pick(name, default)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        try:
            return int(str(value))
        except ValueError:
            raise FixInput(
                f"{name} must be a whole number", got=repr(value), where=self.origin[name]
            ) from None

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """One of a few words.

        Raises:
            FixInput: The value is none of them.
        """
        value = str(self.pick(name, default))
        if value not in options:
            raise FixInput(
                f"{name} must be one of {', '.join(options)}",
                got=f"'{value}'",
                where=self.origin[name],
            )
        return value

    def requests(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The requests of settings that add up over the layers, weaker layers first.

        A layer may give a list of ``KEY=VALUE`` texts or a mapping of key to value. What a layer
        asks of a key replaces what weaker ones ask of it, by whichever of the settings: a flag
        ``--freeze KEY`` undoes a study file's ``search`` of that key.
        """
        gathered: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
        for label, values in reversed(self.layers):
            asked = {name: _texts(values[name]) for name in names if values.get(name)}
            keys = {_key(text) for texts in asked.values() for text in texts}
            for name in names:
                kept = tuple(text for text in gathered[name] if _key(text) not in keys)
                gathered[name] = (*kept, *asked.get(name, ()))
                if asked.get(name):
                    self.origin[name] = f"--{name}" if label == "flag" else label
        return gathered


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{key}={_text(entry)}" for key, entry in value.items()]
    return [str(entry) for entry in ([value] if isinstance(value, str) else value)]


def _key(text: str) -> str:
    return text.partition("=")[0].strip()


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(entry) for entry in value)
    return str(value)
