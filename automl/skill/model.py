"""A model skill as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.files import ReadOnce
from automl.skill.keys import NetworkKeys

__all__ = ["ActionInfo", "Execution", "ParameterSchema", "Skill", "WeightLink", "schema_path"]


@dataclass(frozen=True, slots=True)
class WeightLink:
    """A file at an address that a skill names for one of its settings.

    Attributes:
        address: Where it can be fetched.
        destination: Where a container expects it; empty where the skill does not say.
    """

    address: str
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """A Python script that carries an action out.

    Attributes:
        script: Absolute path of the script.
        args: Its arguments; ``{config_path}`` and ``{results_dir}`` are filled in.
        cwd: Absolute path of the folder that it is started in.
    """

    script: Path
    args: tuple[str, ...] = ()
    cwd: Path = Path()


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """One action of a skill, from ``references/skill_info.yaml``.

    Attributes:
        name: ``train``, ``evaluate``, ...
        command: Command template with ``{config_path}``.
        inputs: Dotted spec key to its facts (``type``: folder or file; ``optional``).
        outputs: Dotted spec key to its facts.
        container_image: The action's own image, else empty.
        spec_params: Dotted spec key to the name of the function that infers it.
        constants: Dotted spec key to a plain value that the metadata gives in its place.
        links: Dotted spec key to a file that is to be fetched for it.
        config_format: How its spec is written: ``yaml``, ``json`` or ``toml``.
        execution: The script that runs instead of the command; None for an action with a command.
        mode: What the program gets: ``config`` (the spec in a file), ``args`` (settings as
            arguments) or ``passthrough`` (the command as it stands).
        args: Of the mode ``args``: flag to the dotted key whose value it takes.
        defaults: Dotted key to what it is where template and user say nothing.
    """

    name: str
    command: str = ""
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    container_image: str = ""
    spec_params: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, WeightLink] = field(default_factory=dict)
    config_format: str = "yaml"
    execution: Execution | None = None
    mode: str = "config"
    args: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


def schema_path(folder: Path, action: str) -> Path:
    """Where a skill folder has the schema of an action, whether or not it exists."""
    return folder / "schemas" / f"{action}.schema.json"


@dataclass(frozen=True, slots=True)
class Skill:
    """A model skill on disk.

    Attributes:
        folder: Absolute path of the skill.
        name: ``tao-train-centerpose``; the folder's name where the metadata gives none.
        network_arch: ``centerpose``; the program that the commands start.
        automl_enabled: Whether the metadata allows a search.
        container_image: Image of the actions that name none; symbolic such as ``tao_toolkit.pyt``.
        actions: Action name to its facts.
        shorthand: Short key to dotted spec key (``learning_rate`` to ``train.optim.lr``).
        metric: Metric to improve, from the skill's search profile; empty if it names none.
        direction: ``maximize`` or ``minimize``; empty if the skill names none.
        metric_worst: Worst value the metric can take, if the profile says so.
        keys: Which settings of its train spec mean what.
        credentials: Names of the variables that its trainings need, which hold secrets.
        node_key: The setting that its metadata names for the number of machines; else empty.
        resources: What its metadata asks of a machine, as it says it.
        files: Its files as they were when first read: each is read and parsed once.
    """

    folder: Path
    name: str
    network_arch: str
    automl_enabled: bool
    container_image: str = ""
    actions: Mapping[str, ActionInfo] = field(default_factory=dict)
    shorthand: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    direction: str = ""
    metric_worst: float | None = None
    keys: NetworkKeys = field(default_factory=NetworkKeys)
    credentials: tuple[str, ...] = ()
    node_key: str = ""
    resources: Mapping[str, Any] = field(default_factory=dict)
    files: ReadOnce = field(default_factory=ReadOnce, compare=False, repr=False)

    @property
    def runs_script(self) -> bool:
        """Whether its training is a script of somebody's, and no program of TAO's."""
        train = self.actions.get("train")
        return train is not None and train.execution is not None

    def schema_path(self, action: str) -> Path:
        """Where the action's schema is, whether or not it exists."""
        return schema_path(self.folder, action)

    def template_path(self, action: str, *, deploy: bool = False) -> Path:
        """Where the action's spec template is, whether or not it exists."""
        prefix = "deploy_" if deploy else ""
        return self.folder / "references" / f"spec_template_{prefix}{action}.yaml"


@dataclass(frozen=True, slots=True)
class ParameterSchema:
    """One leaf of an action's schema.

    Attributes:
        key: Dotted key.
        type: TAO's own type word as written (``int``, ``float``, ``bool``, ``string``, ``list``,
            ``categorical``, ...); empty where the schema gives none.
        default: The schema's default; None for null or absent (see ``has_default``).
        has_default: Whether the schema gives a default at all.
        minimum: Lower bound as written; a list for list types; None where absent.
        maximum: Upper bound as written, ``inf`` included; None where absent.
        enum: Legal values; None where any is.
        option_weights: One weight per enum entry.
        math_cond: Condition text as written.
        depends_on: Dotted keys of parents as written.
        popular: Whether the schema marks it as often changed.
        automl_enabled: True, False, or None where the schema is silent.
        required: Whether the schema demands a value.
        title: The schema's title.
        description: The schema's description.
        any_of: Type words of ``anyOf`` where the schema gives several instead of one ``type``.
    """

    key: str
    type: str
    default: Any = None
    has_default: bool = False
    minimum: Any = None
    maximum: Any = None
    enum: tuple[Any, ...] | None = None
    option_weights: tuple[float, ...] | None = None
    math_cond: str = ""
    depends_on: str = ""
    popular: bool = False
    automl_enabled: bool | None = None
    required: bool = False
    title: str = ""
    description: str = ""
    any_of: tuple[str, ...] = ()
