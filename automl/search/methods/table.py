"""The search methods by name."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from automl.errors import FixInput
from automl.nearest import did_you_mean
from automl.search.method import Method
from automl.search.methods.asha import Asha
from automl.search.methods.full import Full
from automl.search.methods.hyperband import hyperband
from automl.search.pruners import make_pruner
from automl.study.config import StudyConfig

__all__ = ["METHODS", "make_method"]

_Maker: TypeAlias = Callable[[StudyConfig], Method]


def _full(config: StudyConfig) -> Method:
    return Full(make_pruner(config.search.pruner))


def _asha(config: StudyConfig) -> Method:
    del config
    return Asha()


def _hyperband(config: StudyConfig) -> Method:
    return hyperband(len(config.search.rungs))


METHODS: Mapping[str, _Maker] = {"full": _full, "asha": _asha, "hyperband": _hyperband}


def make_method(config: StudyConfig) -> Method:
    """The method that a study asks for.

    Raises:
        FixInput: There is none of this name.
    """
    name = config.search.fidelity
    if name not in METHODS:
        raise FixInput(
            f"the fidelity must be one of {', '.join(METHODS)}",
            got=name,
            where="--fidelity",
            fix=did_you_mean(name, METHODS),
        )
    return METHODS[name](config)
