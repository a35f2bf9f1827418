"""The generated files of the CenterPose skill."""

from pathlib import Path

from automl.centerpose.packaging.generate import generate as write_all
from automl.centerpose.packaging.generate import stale
from automl.skill.read import own_skill_dir

__all__ = ["differing", "generate"]


def generate(root: Path | None) -> list[Path]:
    """Writes them below ``root``, by default the skill that this package ships."""
    return write_all(root or own_skill_dir())


def differing(root: Path | None) -> list[str]:
    """Those below ``root`` that are missing or not what the typed settings say."""
    folder = root or own_skill_dir()
    return [str(path.relative_to(folder)) for path in stale(folder)]
