"""What a synthetic data set shall be: how many images, of what, and how hard.

Every knob of difficulty is a field of :class:`Difficulty`; :data:`PRESETS` names two settings of
them all. Two equal requests give the same bytes on the same versions of NumPy and OpenCV.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from automl.errors import FixInput
from automl.jsontext import parse_json

__all__ = [
    "BACKGROUNDS",
    "EASY",
    "IMAGE_SIZE",
    "MODERATE",
    "PRESETS",
    "SPLITS",
    "Difficulty",
    "Span",
    "SynthRequest",
]

SPLITS: Final = ("train", "val", "test")
IMAGE_SIZE: Final = (600, 800)
"""Width and height of every image in pixels, as the format's own preparation stores them."""
BACKGROUNDS: Final = ("gradient", "clouds", "tiles", "planks")
_LOOK: Final = 1
"""Number of the renderer's look; one more whenever equal requests would give other bytes."""
_CATEGORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Span:
    """An interval that values are drawn from, both ends included.

    Raises:
        ValueError: The ends are in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"a span runs from low to high, got {self.low} to {self.high}")


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard the images are.

    Attributes:
        objects: Labelled objects per image. The first always stands; further ones as there is
            room for them.
        yaw_deg: Turn of an object about its upright axis; at 0 its front faces the camera, at
            -180 to 180 it may face anywhere.
        distance: From the camera to the first object, in diagonals of that object.
        elevation_deg: Of the camera above the ground, seen from the first object.
        roll_deg: Of the camera about its line of sight.
        off_centre: How far from the middle of the image the first object may stand, as a share
            of half the image.
        size_variation: Largest relative change of each edge from the category's typical length.
        texture_sets: How many colour schemes the boxes come in; the pattern of each face, which
            tells the faces apart, is the same in all.
        clutter: Unlabelled bodies per image.
        occlusion: Probability that a body stands between the camera and the first object.
        truncation: Probability that the image's border cuts the first object.
        light: Brightness of the scene; 1 leaves the colours as they are.
        noise: Standard deviation of the sensor's noise, in grey levels of 0 to 255.
        backgrounds: Kinds of ground and backdrop, out of :data:`BACKGROUNDS`.
        frames_per_sequence: Images that share camera, colours, light and background.
    """

    objects: Span
    yaw_deg: Span
    distance: Span
    elevation_deg: Span
    roll_deg: Span
    off_centre: float
    size_variation: float
    texture_sets: int
    clutter: Span
    occlusion: float
    truncation: float
    light: Span
    noise: float
    backgrounds: tuple[str, ...]
    frames_per_sequence: int

    def __post_init__(self) -> None:
        rules = {
            "objects starts at 1 or more": self.objects.low >= 1,
            "distance is at least 1.2 diagonals": self.distance.low >= 1.2,
            "elevation_deg lies in 5 to 80": self.elevation_deg.low >= 5
            and self.elevation_deg.high <= 80,
            "off_centre lies in 0 to 1": 0 <= self.off_centre <= 1,
            "size_variation lies in 0 to 0.5": 0 <= self.size_variation <= 0.5,
            "texture_sets is 1 or more": self.texture_sets >= 1,
            "clutter starts at 0 or more": self.clutter.low >= 0,
            "occlusion and truncation are probabilities": 0 <= self.occlusion <= 1
            and 0 <= self.truncation <= 1,
            "light is positive": self.light.low > 0,
            "noise is not negative": self.noise >= 0,
            "backgrounds names at least one known kind": bool(self.backgrounds)
            and set(self.backgrounds) <= set(BACKGROUNDS),
            "frames_per_sequence is 1 or more": self.frames_per_sequence >= 1,
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise FixInput(f"a difficulty's {broken[0]}")


EASY: Final = Difficulty(
    objects=Span(1, 1),
    yaw_deg=Span(-40, 40),
    distance=Span(1.8, 2.6),
    elevation_deg=Span(22, 38),
    roll_deg=Span(0, 0),
    off_centre=0.25,
    size_variation=0.06,
    texture_sets=1,
    clutter=Span(0, 1),
    occlusion=0.0,
    truncation=0.0,
    light=Span(0.85, 1.1),
    noise=2.0,
    backgrounds=("gradient",),
    frames_per_sequence=10,
)
"""One object of one colour scheme before plain colours: minutes of a CPU teach a small network."""

MODERATE: Final = Difficulty(
    objects=Span(1, 3),
    yaw_deg=Span(-180, 180),
    distance=Span(1.7, 3.6),
    elevation_deg=Span(15, 50),
    roll_deg=Span(-8, 8),
    off_centre=0.5,
    size_variation=0.2,
    texture_sets=6,
    clutter=Span(0, 5),
    occlusion=0.3,
    truncation=0.15,
    light=Span(0.6, 1.3),
    noise=4.0,
    backgrounds=BACKGROUNDS,
    frames_per_sequence=10,
)
"""Any view, several objects and colour schemes, clutter, occlusion, truncation: for a GPU."""

PRESETS: Final[Mapping[str, Difficulty]] = {"easy": EASY, "moderate": MODERATE}


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """A synthetic data set.

    Attributes:
        category: Class of the labelled objects; a known one sets the size of the boxes.
        train: Images of the train split; a split of none is left out.
        val: Images of the val split.
        test: Images of the test split.
        seed: Not negative; the same one gives the same bytes.
        image_format: ``jpg`` or ``png``.
        difficulty: How hard the images are.
    """

    category: str = "cereal_box"
    train: int = 400
    val: int = 100
    test: int = 0
    seed: int = 0
    image_format: str = "jpg"
    difficulty: Difficulty = EASY

    def __post_init__(self) -> None:
        if not _CATEGORY.fullmatch(self.category):
            raise FixInput(
                "a category must be made of letters, digits, '_' and '-'", got=repr(self.category)
            )
        for name, value in (("seed", self.seed), *self.images().items()):
            if value < 0:
                raise FixInput(f"{name} must not be negative", got=str(value))
        if not any(self.images().values()):
            raise FixInput("a data set must hold at least one image", got="0 in every split")
        if self.image_format not in ("jpg", "png"):
            raise FixInput("image_format must be jpg or png", got=repr(self.image_format))

    def images(self) -> dict[str, int]:
        """Split to number of images, in the order of :data:`SPLITS`."""
        return {"train": self.train, "val": self.val, "test": self.test}

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values, with the look of the renderer that answers it."""
        return {"look": _LOOK, **parse_json(json.dumps(asdict(self)))}

    def key(self) -> str:
        """Twelve hexadecimal digits that tell this request from any other."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]
