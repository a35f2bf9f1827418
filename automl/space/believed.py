"""What a search profile believes of the settings that are searched."""

from automl.errors import FixInput
from automl.skill.profile import Belief, Profile
from automl.space.model import Searched, SearchSpace

__all__ = ["believed"]


def believed(space: SearchSpace, profile: Profile) -> dict[str, Belief]:
    """The beliefs of a profile about the parameters of a space, by dotted key.

    What it says of settings that are not searched is passed over: one profile serves many spaces.

    Raises:
        FixInput: A centre is no value of its setting, or a width no share of a choice.
    """
    beliefs = {key: profile.prior[key] for key in space.keys if key in profile.prior}
    for key, belief in beliefs.items():
        _check(space[key], belief, f"{profile.where}: prior.{key}")
    return beliefs


def _check(parameter: Searched, belief: Belief, where: str) -> None:
    is_choice = not all(element.has_order for element in parameter.elements)
    if is_choice and belief.width is not None and belief.width >= 1:
        raise FixInput(
            "the width of a choice must be a share of the other options, below 1",
            got=f"{belief.width:g}",
            where=where,
        )
    if belief.centre is None:
        return
    for element, value in zip(parameter.elements, parameter.parts(belief.centre), strict=True):
        if not element.contains(value, {}):
            raise FixInput(
                "the centre of a prior must be a value that is searched",
                got=repr(belief.centre),
                where=where,
                fix=f"choose one of {element.text}",
            )
