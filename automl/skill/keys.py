"""Which settings of a network mean what: its epochs, its batch, its seed, where results go.

TAO's networks name most of these alike and some of them otherwise (``train.num_epochs`` here,
``train.epoch`` there). What this program reckons with is therefore asked for by its role, and the
key that has the role is found once, when a skill is read. Of three sources the first that names an
existing setting wins:

1. the block ``keys`` of the skill's search profile, where a rule would be wrong;
2. TAO's metadata: ``gpu_spec_key``, ``node_spec_key``, the short keys, the ``spec_params``;
3. the name of the setting, as TAO's networks use it (``_ROLES``). A setting of the action's own
   block wins over others, and one of the training's data over one of held-out data.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self

__all__ = ["ACTIONS", "TAKES_LIST", "TURNS_KEY", "KeyHints", "NetworkKeys", "find_keys"]

#: TAO's actions; a top-level block of that name belongs to the action.
ACTIONS = frozenset(
    (
        *("train", "evaluate", "inference", "export", "gen_trt_engine"),
        *("quantize", "distill", "prune", "retrain", "convert"),
    )
)

#: CenterPose's own: in how many turns about its up axis an object looks the same.
TURNS_KEY: Final = "dataset.num_symmetry"


@dataclass(frozen=True, slots=True)
class NetworkKeys:
    """The dotted key that has each role in a spec of one action; empty where none has it.

    Attributes:
        epochs: How long one training is, in epochs.
        validation_interval: Epochs from one validation to the next.
        checkpoint_interval: Epochs from one checkpoint to the next.
        checkpoint_unit: Says whether that interval counts epochs or steps.
        batch_sizes: Examples in a batch, the training's first; the others are of held-out data.
        workers: Processes that load the training's data.
        seed: Seed of a training.
        gpus: Number of GPUs of one training.
        gpu_ids: Their ids, a list.
        nodes: Number of machines of one training.
        optimizer: What the keys of the optimiser's settings begin with, its dot included.
        milestones: Lists of epochs at which the learning rate changes.
        results: Take the results folder.
        resume: Take the checkpoint that a training goes on from.
        weights: Take the weights that a training begins with.
    """

    epochs: str = ""
    validation_interval: str = ""
    checkpoint_interval: str = ""
    checkpoint_unit: str = ""
    batch_sizes: tuple[str, ...] = ()
    workers: str = ""
    seed: str = ""
    gpus: str = ""
    gpu_ids: str = ""
    nodes: str = ""
    optimizer: str = ""
    milestones: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()

    @property
    def batch(self) -> str:
        """The batch size of the training."""
        return self.batch_sizes[0] if self.batch_sizes else ""

    @property
    def once(self) -> tuple[str, ...]:
        """What is 1 in the shortest training that is validated and leaves a checkpoint."""
        roles = (self.epochs, self.validation_interval, self.checkpoint_interval)
        return tuple(key for key in roles if key)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The keys that ``to_json`` wrote; roles of another version are passed over."""
        known: dict[str, Any] = {name: value[name] for name in TAKES_LIST if name in value}
        known |= {name: tuple(known[name]) for name in known if TAKES_LIST[name]}
        return cls(**known)

    def to_json(self) -> dict[str, Any]:
        """A plain value; roles that no setting has are left out."""
        plain = ((name, held) for name, held in asdict(self).items() if held)
        return {name: list(held) if isinstance(held, tuple) else held for name, held in plain}


@dataclass(frozen=True, slots=True)
class KeyHints:
    """What metadata says about keys.

    Attributes:
        gpus: TAO's ``gpu_spec_key``.
        nodes: TAO's ``node_spec_key``.
        short: Short key to dotted key.
        inferred: Dotted key to the function that infers it, of the action.
    """

    gpus: str = ""
    nodes: str = ""
    short: Mapping[str, str] = field(default_factory=dict)
    inferred: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Role:
    """How the key of a role is found.

    Attributes:
        names: Last parts of keys, best first; one with a dot is the end of a key.
        short: The short key that stands for it.
        functions: The functions of ``spec_params`` that fill it in.
    """

    names: tuple[str, ...]
    short: str = ""
    functions: tuple[str, ...] = ()


#: Each role, and whether several settings may have it.
TAKES_LIST: Mapping[str, bool] = {role.name: role.default == () for role in fields(NetworkKeys)}

_ROLES: Mapping[str, _Role] = {
    "epochs": _Role(("num_epochs", "epochs", "epoch", "max_epochs"), short="num_epochs"),
    "validation_interval": _Role(
        ("validation_interval", "val_interval", "eval_interval", "validation.freq_in_epoch")
    ),
    "checkpoint_interval": _Role(("checkpoint_interval", "save_interval", "save_freq_in_epoch")),
    "checkpoint_unit": _Role(("checkpoint_interval_unit",)),
    "batch_sizes": _Role(
        ("batch_size", "train_batch_size", "train_batch_per_replica"), short="batch_size"
    ),
    "workers": _Role(("workers", "num_workers", "dataloader_num_workers")),
    "seed": _Role(("seed",)),
    "gpus": _Role(("num_gpus",), short="num_gpus"),
    "gpu_ids": _Role(("gpu_ids",)),
    "nodes": _Role(("num_nodes",)),
    "milestones": _Role(("lr_steps", "milestones")),
    "results": _Role(("results_dir",), functions=("output_dir",)),
    "resume": _Role(("resume_training_checkpoint_path",), functions=("resume_model",)),
    "weights": _Role(
        ("pretrained_model_path",), functions=("parent_model", "parent_model_or_ptm")
    ),
}
#: Parts of a key that speak of data which is not trained on.
_HELD_OUT = re.compile(r"(?:^|[._])(?:val|validation|test|eval|infer)(?=[._])")
_OPTIMIZER = re.compile(r"^(?:.*?[._])?(?:optim|optimizer|optimiser|optm)[._](?=.)")


def find_keys(
    action: str,
    settings: Collection[str],
    hints: KeyHints = KeyHints(),
    declared: Mapping[str, tuple[str, ...]] | None = None,
) -> NetworkKeys:
    """The keys of an action's spec, by the rules above.

    Args:
        action: ``train``, ``evaluate``, ...
        settings: Every dotted key that the action's spec may hold, in the schema's order.
        hints: What the skill's metadata says.
        declared: Role to keys, as a search profile says; no keys for a role that nothing has.
    """
    rules = _Rules(action, tuple(settings), hints)
    known = {name: rules.keys_of(name, role) for name, role in _ROLES.items()}
    known["results"] = rules.results(known["results"])
    known["optimizer"] = rules.optimizer()
    known |= declared or {}
    return NetworkKeys.from_json(
        {name: keys if TAKES_LIST[name] else next(iter(keys), "") for name, keys in known.items()}
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    action: str
    settings: tuple[str, ...]
    hints: KeyHints

    def keys_of(self, name: str, role: _Role) -> tuple[str, ...]:
        named = tuple(key for key, of in self.hints.inferred.items() if of in role.functions)
        if named:
            return named
        known = [key for key in self._hinted(name, role) if key in self.settings]
        return tuple(dict.fromkeys([*known, *self._by_name(role)]))

    def _hinted(self, name: str, role: _Role) -> Iterator[str]:
        if name in ("gpus", "nodes"):
            yield getattr(self.hints, name)
        yield self.hints.short.get(role.short, "")

    def _by_name(self, role: _Role) -> list[str]:
        """Settings of a fitting name, the best first; those of other actions are left out."""
        ranked = []
        for key in self.settings:
            block = key.partition(".")[0]
            place = next((n for n, name in enumerate(role.names) if _ends_with(key, name)), None)
            if place is None or (block in ACTIONS and block != self.action):
                continue
            rank = (bool(_HELD_OUT.search(key)), place, block != self.action, key.count("."))
            ranked.append((rank, key))
        return [key for _, key in sorted(ranked, key=lambda pair: pair[0])]

    def results(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """The shared folder, and the action's own, which wins over it."""
        own = f"{self.action}.results_dir"
        inferred = "output_dir" in self.hints.inferred.values()
        shared = named if inferred else ("results_dir",)
        return (*shared, *((own,) if own in self.settings and own not in shared else ()))

    def optimizer(self) -> tuple[str, ...]:
        matches = (_OPTIMIZER.match(key) for key in self.settings)
        return tuple(dict.fromkeys(match[0] for match in matches if match))[:1]


def _ends_with(key: str, name: str) -> bool:
    return key == name or key.endswith(f".{name}")
