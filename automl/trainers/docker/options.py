"""The options of the docker trainer, checked when they are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from automl.errors import FixInput
from automl.nearest import did_you_mean

__all__ = ["NO_NETWORK", "DockerOptions", "check_word", "size_bytes", "size_text"]

NO_NETWORK = "none"

_SIZE = re.compile(r"^(\d+)\s*([bkmg]?)(?:i?b)?$", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


@dataclass(frozen=True, slots=True)
class DockerOptions:
    """What a user may say about the containers that trials run in.

    Attributes:
        image: Image to use; empty for the one that the skill names.
        deploy_image: The same for the actions of the deploy container.
        image_id: What the image was when the study began. Containers are made of this, so that a
            tag that moves changes nothing; empty to take what the image's name stands for now.
        shm_size: Shared memory such as ``16g``; empty for what the loaders need, 16 GiB at least.
        memory: Memory limit such as ``64g``; empty for none.
        pids_limit: Most processes and threads in a container; None for no limit.
        network: Docker network; ``none`` cuts the container off.
        env: Names of environment variables that a container gets, with the values that they have
            where automl runs. Only names are ever written down.
        deploy: Whether the action is one of the deploy container.
    """

    image: str = ""
    deploy_image: str = ""
    image_id: str = ""
    shm_size: str = ""
    memory: str = ""
    pids_limit: int | None = None
    network: str = NO_NETWORK
    env: tuple[str, ...] = ()
    deploy: bool = False

    def __post_init__(self) -> None:
        for name in ("image", "deploy_image", "image_id", "network"):
            check_word(getattr(self, name), name)
        for name in ("shm_size", "memory"):
            size_bytes(getattr(self, name) or "0", where=name)
        if self.pids_limit is not None and self.pids_limit < 1:
            raise FixInput("pids_limit must be at least 1", got=str(self.pids_limit))
        for position, name in enumerate(self.env):
            if not _NAME.fullmatch(name):
                # The text may hold a secret: it is not repeated.
                raise FixInput(
                    "env must name variables, whose values are taken from the environment",
                    got=f"something else in place {position + 1}",
                    where="--env",
                    fix="write --env NAME, and set NAME before automl starts",
                )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "DockerOptions":
        """The options of a study, as its file or its ``resolved.json`` holds them.

        Raises:
            FixInput: An option is unknown or has a value that it cannot have.
        """
        for name in options:
            if name not in cls.__slots__:
                raise FixInput(
                    f"an option of the docker trainer must be one of {', '.join(cls.__slots__)}",
                    got=repr(name),
                    fix=did_you_mean(str(name), cls.__slots__),
                )
        given = {name: value for name, value in options.items() if value is not None}
        for name in ("image", "deploy_image", "image_id", "shm_size", "memory", "network"):
            if name in given:
                given[name] = str(given[name])
        if "pids_limit" in given:
            given["pids_limit"] = _whole(given["pids_limit"])
        if "env" in given:
            given["env"] = _names(given["env"])
        return cls(**given)

    def to_options(self) -> dict[str, Any]:
        """What a study records: the options that differ from the defaults, as JSON values."""
        default = type(self)()
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        changed = {name: v for name, v in values.items() if v != getattr(default, name)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in changed.items()}


def check_word(text: str, name: str, where: str = "") -> str:
    """The text itself, if it can be one word of a ``docker run``.

    Args:
        text: A name of an image, a network, ...; empty for none.
        name: What it is, for the error.
        where: Where it was given.

    Raises:
        FixInput: It would be taken for an option, or holds blanks or control characters.
    """
    if text.startswith("-") or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise FixInput(
            f"{name} must be one word that does not begin with '-'",
            got=repr(text),
            where=where,
        )
    return text


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise FixInput("pids_limit must be a whole number", got=repr(value)) from None


def _names(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise FixInput("env must be a list of names", got=f"a {type(value).__name__}", where="env")
    return tuple(dict.fromkeys(str(name) for name in listed))


def size_bytes(text: str, where: str = "") -> int:
    """The bytes of a size as Docker writes it: ``512m``, ``16g``, ``1024``.

    Raises:
        FixInput: It is no such size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise FixInput(
            "a size must be a whole number and a unit",
            got=repr(text),
            where=where,
            fix="write 16g",
        )
    return int(match[1]) * _UNITS[match[2].lower()]


def size_text(size: int) -> str:
    """A size as Docker writes it, in the largest unit that divides it."""
    for unit in ("g", "m", "k"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)
