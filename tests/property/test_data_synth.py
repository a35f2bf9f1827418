"""Properties of synthetic scenes over all seeds and both presets."""

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from automl.data.geometry import (
    GL_FROM_CV,
    Intrinsics,
    box_keypoints,
    project,
    projection_of,
    rotation_of,
)
from automl.data.synth.annotate import annotation_of
from automl.data.synth.bodies import Camera, Prism
from automl.data.synth.look import draw_look
from automl.data.synth.request import EASY, MODERATE, Difficulty, Span, SynthRequest
from automl.data.synth.scene import draw_scene

SEEDS = st.integers(0, 2**32)
PRESETS = st.sampled_from([EASY, MODERATE])
CATEGORIES = st.sampled_from(["cereal_box", "bike", "book", "laptop", "anything"])


@settings(max_examples=60, deadline=None)
@given(SEEDS, PRESETS, CATEGORIES)
def test_an_annotation_agrees_with_itself(seed: int, hard: Difficulty, category: str) -> None:
    rng = np.random.default_rng(seed)
    look = draw_look(rng, SynthRequest(category, difficulty=hard))
    values = annotation_of(draw_scene(rng, look, hard), category)
    camera, plane = values["camera_data"], values["AR_data"]
    projection = np.array(camera["camera_projection_matrix"])
    normal, centre = np.array(plane["plane_normal"]), np.array(plane["plane_center"])
    k = camera["intrinsics"]
    intrinsics = Intrinsics(k["fx"], k["fy"], k["cx"], k["cy"])
    assert np.allclose(projection, projection_of(intrinsics, (600, 800)), atol=1e-9)
    assert np.isclose(np.linalg.norm(normal), 1.0)
    assert centre @ normal < 0, "the ground lies below the camera and its normal points up"
    assert values["objects"]
    for pose in values["objects"]:
        keypoints, pixels = np.array(pose["keypoints_3d"]), np.array(pose["projected_cuboid"])
        rotation = rotation_of(pose["quaternion_xyzw"])
        rebuilt = box_keypoints(pose["scale"]) @ rotation.T + np.array(pose["location"])
        assert np.allclose(rebuilt, keypoints, atol=1e-9)
        assert (keypoints[:, 2] < 0).all()
        assert np.abs(project(keypoints, projection, 600, 800) - pixels).max() < 1e-6
        in_cv = keypoints @ GL_FROM_CV @ intrinsics.matrix().T
        assert np.abs(in_cv[:, :2] / in_cv[:, 2:] - pixels).max() < 1e-6
        bottom = keypoints[[1, 2, 5, 6]]
        assert np.abs((bottom - centre) @ normal).max() < 1e-9
        assert np.allclose(rotation @ (0, 1, 0), normal)
        assert 0.1 < pose["visibility"] <= 1
    first = np.array(values["objects"][0]["projected_cuboid"][0])
    assert ((first > 0) & (first < (600, 800))).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_easy_preset_keeps_the_whole_object_in_view(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng, draw_look(rng, SynthRequest(difficulty=EASY)), EASY)
    assert scene.visible == (1.0,)
    pixels = scene.camera.pixels(scene.boxes[0].vertices)
    assert ((pixels > 0) & (pixels < (600, 800))).all()


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(1.5, 4.0), st.floats(10.0, 60.0), st.floats(-180.0, 180.0))
def test_knobs_mean_what_they_say(seed: int, far: float, high: float, yaw: float) -> None:
    hard = replace(
        EASY, distance=Span(far, far), elevation_deg=Span(high, high), yaw_deg=Span(yaw, yaw)
    )
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng, draw_look(rng, SynthRequest(difficulty=hard)), hard)
    box = scene.boxes[0]
    offset = scene.camera.position - box.middle
    distance = np.linalg.norm(offset)
    assert np.isclose(distance, far * np.linalg.norm(box.scale))
    assert np.isclose(np.degrees(np.arcsin(offset[1] / distance)), high)
    front = box.normal("front")
    turn = np.arctan2(front[0], front[2]) - np.arctan2(offset[0], offset[2])
    assert np.isclose(np.cos(turn - np.radians(yaw)), 1.0)


COORDINATES = st.floats(-2.0, 2.0)


@given(st.tuples(COORDINATES, COORDINATES), st.floats(0.05, 1), st.floats(0.05, 1), SEEDS)
def test_of_two_bodies_the_one_drawn_first_never_hides_the_other(
    place: tuple[float, float], one_radius: float, other_radius: float, seed: int
) -> None:
    one = Prism((0.0, 0.0), one_radius, 0.3, 4, np.zeros(3))
    other = Prism(place, other_radius, 0.3, 4, np.zeros(3))
    assume(one.clears(other))
    rng = np.random.default_rng(seed)
    eye = np.array([rng.uniform(-4, 4), 0.5, rng.uniform(-4, 4)])
    camera = Camera(Intrinsics(600, 600, 300, 400), (600, 800), np.eye(3), eye)
    bodies = (one, other)
    assume(all(np.hypot(*(eye - body.centre)[[0, 2]]) > 1.01 * body.radius for body in bodies))
    farther = max(bodies, key=lambda body: body.nearness(camera))
    nearer = other if farther is one else one
    for angle in rng.uniform(0, 2 * np.pi, 40):
        target = farther.centre + farther.radius * np.array([np.sin(angle), 0, np.cos(angle)])
        reach = (target - eye)[[0, 2]]
        for share in np.linspace(0.02, 0.98, 30):
            point = eye[[0, 2]] + reach / share
            inside = np.hypot(*(point - nearer.centre[[0, 2]])) < nearer.radius
            assert not inside, "the farther body stands between the camera and the nearer one"
