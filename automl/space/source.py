"""Where a space comes from: a name, or the file of a profile."""

from dataclasses import replace
from pathlib import Path

from automl.errors import FixInput
from automl.skill.profile import Profile
from automl.skill.profile_file import load_profile
from automl.space.request import SPACES

__all__ = ["space_source"]


def space_source(asked: str, profile: Profile) -> tuple[str, Profile]:
    """The name of the space, and the profile that it is built with.

    Args:
        asked: ``default``, ``profile``, ``all``, or the path of a profile; the rules of the
            skill's own profile hold beside those of a file.
        profile: The skill's own profile.

    Raises:
        FixInput: It is neither a name nor a file, or the file is broken.
    """
    if asked in SPACES:
        return asked, profile
    path = Path(asked)
    if not path.is_file():
        raise FixInput(
            f"a space must be {', '.join(SPACES)}, or the file of a profile",
            got=repr(asked),
            where="--space",
        )
    mine = load_profile(path)
    return "profile", replace(
        mine,
        inert=(*mine.inert, *profile.inert),
        settings=(*mine.settings, *profile.settings),
        prior={**profile.prior, **mine.prior},
    )
