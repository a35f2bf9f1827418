"""The entry of the process trainer."""

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.extras import how_to_get
from automl.settings.forms import choice, file, folder
from automl.settings.setting import Scope, Setting
from automl.trainers.entry import ChosenOptions, Examined, SettingsGiven, TrainerEntry

if TYPE_CHECKING:
    from automl.checkup import Check
    from automl.skill.model import Skill
    from automl.trainers.base import Trainer

__all__ = ["PROCESS", "START", "WARM", "check_packages", "missing_packages"]

#: Whether its process is kept for the next trial.
START = "start"
#: The interpreter of a script.
PYTHON = "python"
WARM = "warm"

_NAME = "process"
_STARTS = (WARM, "cold")
_START_SETTING = Setting(
    "trainer_start",
    choice(lambda: _STARTS, "warm|cold"),
    "whether a process of the trainer takes trial after trial",
    group="machine",
    default=WARM,
    scope=Scope.SEARCH,
    trainer=_NAME,
)
_PYTHON_SETTING = Setting(
    PYTHON, file("PATH"), "interpreter of a skill's script (default: this one)",
    group="machine", trainer=_NAME,
)  # fmt: skip
_VENV_SETTING = Setting(
    "venv", folder(), "virtual environment of a skill's script", group="machine", trainer=_NAME
)
_PACKAGES = ("torch", "cv2", "numpy", "scipy")
_SHM = Path("/dev/shm")  # noqa: S108 -- looked at, not written to


def _make(skill: "Skill", options: Mapping[str, Any], action: str) -> "Trainer":
    from automl.errors import FixInput
    from automl.trainers.process import ProcessTrainer
    from automl.trainers.warm import warm_trainer

    unknown = [str(name) for name in options if name not in (START, PYTHON)]
    if unknown:
        raise FixInput(
            f"the process trainer must be given no options but '{START}' and '{PYTHON}'",
            got=", ".join(unknown),
        )
    cold = ProcessTrainer(skill, action, str(options.get(PYTHON, "")))
    return warm_trainer(cold) if options.get(START) == WARM else cold


def _choose(given: SettingsGiven) -> ChosenOptions:
    """Whether its process is kept from trial to trial.

    Only this package's own program can be asked for one training after the other, and only a
    search has several; trials of several GPUs start processes of their own.
    """
    from automl.trainers.process import OWN_PROGRAMS
    from automl.trainers.script import interpreter_of

    names = (_PYTHON_SETTING.name, _VENV_SETTING.name)
    python = interpreter_of(*(given.values.get(name) for name in names))
    start = given.values.get(_START_SETTING.name, WARM)
    is_served = given.skill.network_arch in OWN_PROGRAMS and given.gpus_per_trial <= 1
    is_warm = given.searches and is_served and start == WARM
    options = {START: WARM} if is_warm else {}
    return ChosenOptions({**options, **({PYTHON: python} if python else {})})


def _remark(options: Mapping[str, Any]) -> str:
    if options.get(PYTHON):
        return f"its interpreter is {options[PYTHON]}"
    if options.get(START) != WARM:
        return ""
    return "warm: its processes take trial after trial; --trainer-start cold ends that"


def _absent(skill: "Skill") -> str:
    from automl.trainers.process import missing_program

    return missing_program(skill)


def _examine(examined: Examined) -> Iterator["Check"]:
    from automl.trainers.checkup import check_problems, check_shared_memory
    from automl.trainers.process import OWN_PROGRAMS, ProcessTrainer
    from automl.trainers.shared_memory import shm_bytes

    is_own = examined.skill.network_arch in OWN_PROGRAMS
    if is_own:
        yield check_packages(missing_packages())
    python = str(examined.options.get(PYTHON, ""))
    trainer = ProcessTrainer(examined.skill, python=python)
    yield from check_problems(examined.trainer, trainer.check())
    free = shutil.disk_usage(_SHM).free if _SHM.is_dir() else 0
    resources = examined.resources
    per_trial = shm_bytes(examined.workers, examined.batch, resources.gpus_per_trial)
    # The package's own program shares its images within one process.
    yield check_shared_memory(free, 0 if is_own else per_trial * resources.max_concurrent)


def missing_packages() -> tuple[str, ...]:
    """The packages that this package's own program imports and that are not installed."""
    return tuple(name for name in _PACKAGES if importlib.util.find_spec(name) is None)


def check_packages(missing: tuple[str, ...]) -> "Check":
    """The packages that this package's own program imports, as a line of a check-up."""
    from automl.checkup import Check, Result

    if missing:
        fix = how_to_get("trainer")
        return Check("trainer packages", Result.FAIL, f"missing: {', '.join(missing)}", fix)
    return Check("trainer packages", Result.OK, ", ".join(_PACKAGES))


#: Runs the command of a skill's action as a process of this machine.
PROCESS = TrainerEntry(
    name=_NAME,
    summary="a process on this machine",
    make=_make,
    settings=(_START_SETTING, _PYTHON_SETTING, _VENV_SETTING),
    choose=_choose,
    remark=_remark,
    examine=_examine,
    absent=_absent,
)
