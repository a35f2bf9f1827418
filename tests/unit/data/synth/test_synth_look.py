"""What the synthetic images show, pixel against label."""

from dataclasses import replace

import numpy as np
import pytest

import automl.data.synth.scene as scene_module
from automl.data.geometry import Intrinsics
from automl.data.opencv import cv2
from automl.data.synth.annotate import annotation_of
from automl.data.synth.backdrop import Backdrop
from automl.data.synth.bodies import FACES, Camera, LabelledBox, Prism
from automl.data.synth.draw import Artist
from automl.data.synth.look import draw_look
from automl.data.synth.request import BACKGROUNDS, EASY, MODERATE, Span, SynthRequest
from automl.data.synth.scene import Scene, draw_scene
from automl.data.synth.shapes import size_of
from automl.data.synth.textures import Image, face_textures
from automl.data.synth.visibility import visibilities
from automl.errors import FixInput

CLEAN = replace(EASY, noise=0.0, clutter=Span(0, 0))


def level_camera() -> Camera:
    """One metre before the origin at half a box's height, looking along -z."""
    rotation = np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]])
    position = np.array([0.0, 0.15, 1.0])
    return Camera(Intrinsics(600, 600, 300, 400), (600, 800), rotation, position)


def box_at(x: float, z: float, yaw: float = 0.0) -> LabelledBox:
    return LabelledBox(np.array([0.2, 0.3, 0.1]), (x, z), yaw, 0)


def drawn(seed: int, hard: object = CLEAN) -> tuple[Scene, Image, float]:
    assert isinstance(hard, type(CLEAN))
    rng = np.random.default_rng(seed)
    look = draw_look(rng, SynthRequest(difficulty=hard))
    scene = draw_scene(rng, look, hard)
    image = Artist(np.random.default_rng(0), hard).draw(rng, scene, look, Backdrop(rng, look))
    return scene, image, look.brightness


@pytest.mark.parametrize("face", ["front", "back", "top"])
def test_a_printed_face_is_its_own_mirror_image(face: str) -> None:
    texture = face_textures(0)[face].astype(int)
    assert np.abs(texture - texture[:, ::-1]).mean() < 1.0


def test_both_sides_carry_one_pattern_from_back_to_front() -> None:
    textures = face_textures(2)
    assert np.array_equal(textures["left"], textures["right"])
    side = textures["left"].astype(int)
    assert np.abs(side - side[:, ::-1]).mean() > 20


def test_the_faces_and_the_colour_schemes_are_told_apart() -> None:
    shapes = dict.fromkeys(FACES, (96, 96))
    small = {
        name: cv2.resize(face_textures(0)[name], shape).astype(int)
        for name, shape in shapes.items()
        if name != "right"
    }
    for one in small:
        for other in small:
            if one != other:
                assert np.abs(small[one] - small[other]).mean() > 20
    fronts = [face_textures(index)["front"].astype(int) for index in range(6)]
    gaps = [np.abs(a - b).mean() for i, a in enumerate(fronts) for b in fronts[:i]]
    assert min(gaps) > 10


def test_a_box_is_its_own_reflection() -> None:
    """Mirroring x swaps left and right and keeps every other face, corner by corner."""
    mirrored = {index: index ^ 4 for index in range(8)}
    for name in ("front", "back", "top"):
        upper_left, upper_right, lower_right, lower_left = FACES[name]
        assert mirrored[upper_left] == upper_right
        assert mirrored[lower_left] == lower_right
    assert tuple(mirrored[index] for index in FACES["left"]) == FACES["right"]


@pytest.mark.parametrize("seed", range(6))
def test_the_front_is_drawn_where_its_label_says(seed: int) -> None:
    scene, image, brightness = drawn(seed)
    (box,) = scene.boxes
    texture = face_textures(box.texture_set)["front"]
    corners = box.vertices[list(FACES["front"])]
    for across, down in ((0.5, 0.55), (0.5, 0.15), (0.06, 0.9), (0.94, 0.9)):
        top = corners[0] + across * (corners[1] - corners[0])
        bottom = corners[3] + across * (corners[2] - corners[3])
        x, y = scene.camera.pixels((top + down * (bottom - top))[None])[0].round().astype(int)
        printed = texture[round(down * texture.shape[0]), round(across * texture.shape[1])]
        factors = image[y, x][printed > 40] / printed[printed > 40]
        assert np.ptp(factors) < 0.06
        assert 0.5 * brightness < factors.mean() <= 1.05 * brightness


def test_at_yaw_zero_the_front_faces_the_camera() -> None:
    hard = replace(CLEAN, yaw_deg=Span(0, 0))
    rng = np.random.default_rng(5)
    scene = draw_scene(rng, draw_look(rng, SynthRequest(difficulty=hard)), hard)
    box, camera = scene.boxes[0], scene.camera
    level = (camera.position - box.middle) * (1, 0, 1)
    assert np.allclose(level / np.linalg.norm(level), box.normal("front"))
    assert box.visible_faces(camera) == ["front", "top"]


def test_what_stands_before_a_box_hides_its_share() -> None:
    camera = level_camera()
    box = box_at(0.0, 0.0)
    wall = Prism((0.0, 0.4), 0.15, 1.0, 16, np.zeros(3))
    assert visibilities(camera, [box], []) == (1.0,)
    assert visibilities(camera, [box], [wall])[0] < 0.01
    nearer = box_at(0.1, 0.3)
    shares = visibilities(camera, [box, nearer], [])
    assert shares[1] == 1.0
    assert 0.3 < shares[0] < 0.7


def test_what_the_border_cuts_off_counts_as_hidden() -> None:
    camera = level_camera()
    whole, cut, outside = (visibilities(camera, [box_at(x, 0.0)], [])[0] for x in (0, 0.5, 0.9))
    assert whole == 1.0
    assert 0.35 < cut < 0.65
    assert outside == 0.0


def test_objects_hardly_seen_are_not_labelled() -> None:
    scene = Scene(level_camera(), (box_at(0, 0), box_at(0, -1)), (1.0, 0.1), ())
    assert len(annotation_of(scene, "shoe")["objects"]) == 1


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_every_background_is_drawn_with_texture_but_not_without_ground(background: str) -> None:
    hard = replace(CLEAN, backgrounds=(background,))
    _, image, _ = drawn(11, hard)
    assert image.shape == (800, 600, 3)
    assert image.dtype == np.uint8
    assert image.std() > 3


def test_noise_is_as_strong_as_asked() -> None:
    clean = drawn(3)[1].astype(int)
    noisy = drawn(3, replace(CLEAN, noise=6.0))[1].astype(int)
    middle = (clean > 30) & (clean < 225)
    assert 5.0 < (noisy - clean)[middle].std() < 7.0


def test_truncation_cuts_the_first_object() -> None:
    hard = replace(CLEAN, truncation=1.0)
    shares = [drawn(seed, hard)[0].visible[0] for seed in range(8)]
    assert all(0.3 <= share < 1.0 for share in shares)


def test_occlusion_hides_a_part_of_the_first_object() -> None:
    hard = replace(CLEAN, occlusion=1.0)
    shares = [drawn(seed, hard)[0].visible[0] for seed in range(8)]
    assert all(0.3 <= share <= 0.96 for share in shares)
    assert np.ptp(shares) > 0.1


def test_several_objects_stand_where_there_is_room() -> None:
    hard = replace(MODERATE, objects=Span(3, 3), distance=Span(3.0, 3.6), truncation=0.0)
    counts = [len(drawn(seed, hard)[0].boxes) for seed in range(8)]
    assert max(counts) == 3
    assert np.mean(counts) > 2


def test_a_difficulty_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_module, "_is_whole", lambda *_: False)
    with pytest.raises(FixInput, match="must leave room"):
        drawn(0)


def test_known_categories_have_sizes_of_their_own() -> None:
    assert size_of("bike")[2] > size_of("shoe")[2]
    assert size_of("something_new") == size_of("something_else")
