"""The trainer program of this package, and what it needs."""

import importlib.util

from automl.extras import how_to_get
from automl.trainers.base import Problem

__all__ = ["OWN_PROGRAMS", "OWN_PROGRAM_NEEDS", "missing_packages"]

#: Networks that this package can train itself: network to the module that does.
OWN_PROGRAMS = {"centerpose": "automl.centerpose"}
OWN_PROGRAM_NEEDS = {"torch": "torch", "cv2": "opencv-python-headless", "scipy": "scipy"}


def missing_packages() -> list[Problem]:
    """The packages of the program that are not installed, as a problem to show."""
    missing = [
        package
        for module, package in OWN_PROGRAM_NEEDS.items()
        if importlib.util.find_spec(module) is None
    ]
    if not missing:
        return []
    return [
        Problem(
            "the CenterPose trainer of this package needs its optional part",
            got=f"not installed: {', '.join(missing)}",
            fix=how_to_get("trainer"),
        )
    ]
