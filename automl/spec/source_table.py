"""Which settings of an action take data, and what inside a data set's folder each of them takes.

Three places say so, the first that speaks of an action wins: the skill's own
``references/data_sources.yaml``, the ``data_sources`` of TAO's ``skill_info.yaml``, and the
action's ``inputs``, whose keys name the split they are for (``dataset.val.img_dir``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.errors import FixInput
from automl.skill.model import Skill
from automl.skill.read import packaged_twin
from automl.yamltext import load_yaml

__all__ = ["DATA_TABLE", "Taker", "split_keys", "takers", "with_table"]

DATA_TABLE = Path("references", "data_sources.yaml")
_INFO = Path("references", "skill_info.yaml")

#: TAO's names of data sets to the splits that may feed them, best first.
_SPLITS_OF: Mapping[str, tuple[str, ...]] = {
    "train_datasets": ("train",),
    "train_wds_dataset": ("train",),
    "eval_dataset": ("val",),
    "inference_dataset": ("inference", "test"),
    "calibration_dataset": ("train",),
}
#: An evaluation reads the held-out split if there is one.
_OF_EVALUATE = {"eval_dataset": ("test", "val")}
_SPLIT_WORDS = {"train": "train", "val": "val", "test": "test", "inference": "inference",
                "infer": "inference", "calibration": "train"}  # fmt: skip
_NO_DATA = frozenset({"model", "train", "evaluate", "inference", "export", "gen_trt_engine",
                      "quantize", "distill"})  # fmt: skip
#: The actions that read splits as they lie on disk.
_READERS = ("train", "evaluate", "inference")
_PACKED = re.compile(r"\.(?:tar\.gz|tgz|tar)$")


@dataclass(frozen=True, slots=True)
class Taker:
    """A setting that takes data.

    Attributes:
        key: Dotted key.
        splits: The splits that may feed it, best first.
        is_list: Whether it takes a list.
        is_optional: Whether the action can do without it.
        about: What the table says of the place inside the data set's folder.
    """

    key: str
    splits: tuple[str, ...]
    is_list: bool = False
    is_optional: bool = False
    about: Mapping[str, Any] | None = None

    def value(self, folder: Any) -> Any:
        """What the setting becomes for the folder of a split; None if the folder lacks it."""
        if self.about is None or not isinstance(folder, str):
            place = folder
        elif isinstance(self.about.get("mapping"), Mapping):
            place = _mapped(Path(folder), self.about["mapping"])
        else:
            place = _inside(Path(folder), self.about)
        return [place] if self.is_list and place is not None else place


def takers(skill: Skill, action: str) -> list[Taker]:
    """The settings of an action that take data.

    Raises:
        FixInput: A table of the skill is broken.
    """
    own = _block(skill, DATA_TABLE, ()).get(action)
    published = _block(skill, _INFO, ("data_sources",)).get(action)
    table = own if isinstance(own, Mapping) else published
    if isinstance(table, Mapping):
        rows = ((str(key), about) for key, about in table.items() if isinstance(about, Mapping))
        return [_row(action, key, about) for key, about in rows]
    info = skill.actions.get(action)
    inputs = info.inputs if info is not None else {}
    return [
        Taker(key, (split,), is_optional=about.get("optional") is True, about=_place(key, about))
        for key, about in inputs.items()
        if (split := split_in(key))
    ]


def split_keys(skill: Skill) -> dict[str, str]:
    """The settings that take a split's whole folder, by dotted key: the split that feeds each."""
    every = (taker for action in _READERS for taker in takers(skill, action))
    return {taker.key: taker.splits[0] for taker in every if taker.about is None and taker.splits}


def with_table(skill: Skill) -> Skill:
    """The skill with the table of data sources of its packaged twin, where there is one.

    TAO's format has no place for the table: a published folder of our own network lacks it.
    """
    twin = packaged_twin(skill)
    if twin is None or (skill.folder / DATA_TABLE).is_file():
        return skill
    return replace(skill, folder=twin.folder)


def _block(skill: Skill, name: Path, keys: tuple[str, ...]) -> Mapping[str, Any]:
    path = skill.folder / name
    value: Any = skill.files(path, load_yaml) if path.is_file() else {}
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is not None and not isinstance(value, Mapping):
        raise FixInput("the table of data sources must be a mapping", where=str(path))
    return value or {}


def _row(action: str, key: str, about: Mapping[str, Any]) -> Taker:
    source = str(about.get("source"))
    by_name = _OF_EVALUATE if action == "evaluate" else {}
    splits = about.get("splits") or by_name.get(source) or _SPLITS_OF.get(source, ())
    is_list = about.get("list") is True or about.get("multiple_sources") is True
    is_placed = any(word in about for word in ("mapping", "path", "path_from_format"))
    place = about if is_placed else None
    return Taker(key, tuple(splits), is_list, about.get("optional") is True, place)


def split_in(key: str) -> str:
    """The split that a dotted key names; empty if it names none.

    ``dataset.train_data`` begins with one, ``dataset.val.img_dir`` has one on its way. The blocks
    of the actions are not on the way: ``train.pretrained_model_path`` names no data.
    """
    path, _, name = key.rpartition(".")
    first = name.partition("_")[0]
    if first in _SPLIT_WORDS:
        return _SPLIT_WORDS[first]
    words = re.split(r"[._\[\]]+", path)
    if words[0] in _NO_DATA:
        return ""
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), "")


def _place(key: str, about: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Where an input lies in a split's folder; None for the folder itself (``train_data``)."""
    name = key.rpartition(".")[2]
    if name.partition("_")[0] in _SPLIT_WORDS:
        return None
    return {"find": name, "type": about.get("type")}


def _mapped(folder: Path, fields: Mapping[str, Any]) -> dict[str, str] | None:
    """One entry of a list of data sets: each field that the folder has something for."""
    places = {name: _inside(folder, about) for name, about in fields.items() if "path" in about}
    lacking = [n for n, place in places.items() if place is None and not fields[n].get("optional")]
    return None if lacking else {name: place for name, place in places.items() if place}


def _inside(folder: Path, about: Mapping[str, Any]) -> str | None:
    """The place in a data set's folder that a row of a table names; None if it is not there."""
    if "find" in about:
        return _found(folder, str(about["find"]), is_folder=about.get("type") == "folder")
    by_format = about.get("path_from_format")
    if isinstance(by_format, Mapping):
        names = [name for listed in by_format.values() for name in _as_list(listed)]
        return next((p for p in (_existing(folder, str(n)) for n in names) if p), str(folder))
    name = str(about.get("path") or "")
    if "{" in name:
        return _only(folder, "*.json")
    return _existing(folder, name) if name else str(folder)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _existing(folder: Path, name: str) -> str | None:
    """A file or folder of that name; a tarball's name stands for the folder it was packed from.

    Raises:
        FixInput: There is the tarball alone: trainers read folders.
    """
    place = folder / _PACKED.sub("", name)
    if place.exists():
        return str(place)
    if (folder / name).exists():
        raise FixInput(
            "a tarball within a data set must be extracted beside itself",
            got=name,
            where=str(folder),
            fix=f"mkdir {place.name} && tar -xf {name} -C {place.name}",
        )
    return None


def _found(folder: Path, name: str, *, is_folder: bool) -> str | None:
    """What an input of that name is in a folder: by the first word of its name, else the only."""
    stem = {"img": "im", "image": "im", "images": "im"}.get(name.split("_")[0], name.split("_")[0])
    if is_folder or name.endswith("_dir"):
        fitting = [e for e in sorted(folder.glob(f"{stem}*")) if e.is_dir()]
        whole = str(folder) if stem == "im" else None
        return str(fitting[0]) if len(fitting) == 1 else whole
    ending = "*.json" if "json" in name else "*.txt"
    return _only(folder, f"*{stem}{ending}") or _only(folder, ending)


def _only(folder: Path, pattern: str) -> str | None:
    fitting = [entry for entry in sorted(folder.glob(pattern)) if entry.is_file()]
    return str(fitting[0]) if len(fitting) == 1 else None
