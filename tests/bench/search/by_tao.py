"""NVIDIA's tao_automl 7.2.0, as its users run it: recommendations asked for and reported back.

It runs in a Python of its own (``--tao-python``), since it and this project need other versions of
the same packages. It samples a range on a linear scale. With one-element lists as bounds, which it
takes for several learning rates, it samples on a logarithmic one; the methods named ``_log`` use
that for the ranges that are logarithmic here, which no user is told to do.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from automl.jsontext import parse_json
from automl.skill.tree import ParamValue
from automl.space.distributions import Choice
from automl.space.parameter import Parameter
from tests.bench.search.drive import Job
from tests.bench.search.problem import Problem

__all__ = ["METHODS", "TaoSearch"]

#: Name of a method to its algorithm, and whether it is given logarithmic ranges.
METHODS: Mapping[str, tuple[str, bool]] = {
    "tao_bayesian": ("bayesian", False),
    "tao_bayesian_log": ("bayesian", True),
    "tao_asha_log": ("asha", True),
    "tao_hyperband_log": ("hyperband", True),
}
_EPOCHS = "train.num_epochs"


class TaoSearch:
    """A search of tao_automl's.

    Args:
        problem: What is searched.
        method: Its algorithm, and whether it is given logarithmic ranges.
        seed: Of its random numbers.
        places: How many trainings run at once.
        python: The Python that has the package.
    """

    def __init__(
        self, problem: Problem, method: tuple[str, bool], seed: int, places: int, python: Path
    ) -> None:
        algorithm, is_log = method
        self._problem = problem
        self._folder = tempfile.TemporaryDirectory()
        self._worker = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("tao_worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Its seed is the hash of the session's name.
            env={**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
        )
        self._waiting: list[Job] = []
        self._is_complete = False
        self._say(self._request(algorithm, seed, places, is_log=is_log))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._worker.stdin
        self._worker.stdin.close()
        self._worker.wait()
        self._folder.cleanup()

    def ask(self) -> Job | None:
        """The next recommendation; None while it waits for results, or is complete."""
        if not self._waiting and not self._is_complete:
            self._say({"ask": True})
            self._waiting = [self._job(each) for each in self._answer()]
        return self._waiting.pop(0) if self._waiting else None

    def measured(self, job: Job, epoch: int, value: float) -> bool:
        """It sees no epochs."""
        return False

    def ended(self, job: Job, best: float | None, *, is_stopped: bool) -> None:
        """Reports the best value of a training, or that it failed."""
        self._say({"report": job.key, "value": best or 0.0, "failed": best is None})
        self._is_complete = bool(self._answer())

    def _job(self, told: Mapping[str, Any]) -> Job:
        specs = told["specs"]
        params = {p.key: _value(p, specs[f"train.{p.key}"]) for p in _parameters(self._problem)}
        return Job(told["id"], params, told["from"], specs.get(_EPOCHS, self._problem.n_epochs))

    def _request(self, algorithm: str, seed: int, places: int, *, is_log: bool) -> dict[str, Any]:
        parameters = _parameters(self._problem)
        defaults = {f"train.{p.key}": p.default for p in parameters}
        specs = _nested({_EPOCHS: self._problem.n_epochs} | defaults)
        leaves = {f"train.{p.key}": _leaf(p) for p in parameters}
        epochs = {"type": "int", "default": self._problem.n_epochs, "automl_enabled": False}
        properties = _nested(leaves | {_EPOCHS: epochs}, is_schema=True)
        return {
            "workspace": self._folder.name,
            "specs": specs,
            "names": list(defaults),
            "ranges": {f"train.{p.key}": _log(p) for p in parameters if is_log and _is_log(p)},
            "schema": {"type": "object", "properties": properties, "default": specs},
            "settings": {
                "algorithm": algorithm,
                "metric": self._problem.objective.metric,
                "session_id": f"seed-{seed}",
                "automl_max_recommendations": 1000,
                "automl_max_epochs": self._problem.n_epochs,
                "automl_max_concurrent": places,
                "automl_min_top_configs": 1000,
            },
        }

    def _say(self, value: object) -> None:
        assert self._worker.stdin
        self._worker.stdin.write(json.dumps(value) + "\n")
        self._worker.stdin.flush()

    def _answer(self) -> Any:
        assert self._worker.stdout
        return parse_json(self._worker.stdout.readline())


def _parameters(problem: Problem) -> list[Parameter]:
    return [each for each in problem.space.parameters if isinstance(each, Parameter)]


def _is_log(parameter: Parameter) -> bool:
    return parameter.distribution.scale == "log" and parameter.type == "float"


def _log(parameter: Parameter) -> dict[str, Any]:
    low, high = parameter.ends
    return {"valid_min": [low], "valid_max": [high], "disable_list": True}


def _leaf(parameter: Parameter) -> dict[str, Any]:
    leaf: dict[str, Any] = {"default": parameter.default, "automl_enabled": True}
    if isinstance(parameter.distribution, Choice):
        return leaf | {"type": "string", "enum": list(parameter.options)}
    low, high = parameter.ends
    return leaf | {"type": parameter.type, "minimum": low, "maximum": high}


def _nested(flat: Mapping[str, Any], *, is_schema: bool = False) -> dict[str, Any]:
    """Dotted keys as a tree; of a schema each level stands in its ``properties``."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        level = tree
        for part in path:
            level = level.setdefault(
                part, {"type": "object", "properties": {}} if is_schema else {}
            )
            level = level["properties"] if is_schema else level
        level[last] = value
    return tree


def _value(parameter: Parameter, value: Any) -> ParamValue:
    """A value as the space has it: whole numbers whole, and none beyond the ends."""
    if isinstance(parameter.distribution, Choice):
        return parameter.distribution.decode(value)
    encoded: ParamValue = parameter.distribution.encode(value)
    return encoded
