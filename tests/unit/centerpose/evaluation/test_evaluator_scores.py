from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from automl.centerpose.evaluation.detections import Detections, GroundTruth
from automl.centerpose.evaluation.evaluator import EvaluationSettings, Evaluator, ImageMeta
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.pnp import solve_poses
from automl.data.geometry import Array, Intrinsics
from automl.data.objectron import Annotation

MakeScene = Callable[..., Annotation]
ReadOff = Callable[..., Detections]

CELLS = 64


def meta_of(scene: Annotation) -> ImageMeta:
    """A square view of the whole image, as validation takes it."""
    return ImageMeta(
        annotation=scene,
        center=np.array([scene.width / 2.0, scene.height / 2.0]),
        size=float(max(scene.width, scene.height)),
        intrinsic=scene.intrinsics.matrix(),
    )


def draw(scenes: Sequence[Annotation], read_off: ReadOff) -> dict[str, torch.Tensor]:
    """Head maps that hold each scene's objects exactly, one cell an object."""
    channels = {"hm": 1, "hps": 16, "wh": 2, "reg": 2, "scale": 3}
    maps = {name: np.zeros((len(scenes), n, CELLS, CELLS)) for name, n in channels.items()}
    maps["hm"] -= 9.0
    for image, scene in enumerate(scenes):
        meta, found = meta_of(scene), read_off(scene)
        for k in range(len(found)):
            write(maps, image, found.take(torch.tensor([k])), meta)
    return {name: torch.from_numpy(values) for name, values in maps.items()}


def write(maps: dict[str, Array], image: int, found: Detections, meta: ImageMeta) -> None:
    to_cells = CELLS / meta.size
    shift = meta.center - meta.size / 2.0
    box = (found.boxes[0].numpy().reshape(2, 2) - shift) * to_cells
    center = box.mean(axis=0)
    column, row = (int(value) for value in center)
    points = (found.points[0].numpy() - shift) * to_cells
    maps["hm"][image, 0, row, column] = 4.0
    maps["hps"][image, :, row, column] = (points - [column, row]).ravel()
    maps["wh"][image, :, row, column] = box[1] - box[0]
    maps["reg"][image, :, row, column] = center - [column, row]
    maps["scale"][image, :, row, column] = found.scale[0]


def scored(
    scenes: Sequence[Annotation],
    detections: Sequence[Detections],
    settings: EvaluationSettings | None = None,
) -> EvaluationResult:
    settings = EvaluationSettings() if settings is None else settings
    evaluator = Evaluator(settings)
    evaluator.add_poses(
        [
            solve_poses(found, cameras(scene, len(found)), opencv=settings.opencv)[0]
            for scene, found in zip(scenes, detections, strict=True)
        ],
        [GroundTruth.of(scene) for scene in scenes],
    )
    return evaluator.result()


def cameras(scene: Annotation, count: int) -> torch.Tensor:
    return torch.from_numpy(scene.intrinsics.matrix()).expand(count, 3, 3)


def test_perfect_maps_score_one(make_scene: MakeScene, read_off: ReadOff) -> None:
    evaluator = Evaluator(EvaluationSettings())
    scenes = [make_scene(seed, n_objects=1 + seed % 3) for seed in range(12)]
    for start in range(0, 12, 4):
        batch = scenes[start : start + 4]
        evaluator.add(draw(batch, read_off), [meta_of(scene) for scene in batch])
    result = evaluator.result()
    assert result.ap50 == pytest.approx(1.0)
    assert result.one_to_one.ap75 == pytest.approx(1.0)
    assert result.mean_iou > 0.999
    assert result.mpe < 1e-4
    assert (result.n_images, result.n_objects, result.n_detections) == (12, 24, 24)


def test_the_other_camera_frame_spoils_overlap_but_not_pixels(
    make_scene: MakeScene, read_off: ReadOff
) -> None:
    scenes = [make_scene(seed) for seed in range(8)]
    found = [read_off(scene) for scene in scenes]
    right = scored(scenes, found, EvaluationSettings(opencv=False))
    wrong = scored(scenes, found, EvaluationSettings(opencv=True))
    assert right.ap50 == 1.0
    assert wrong.ap50 == 0.0
    assert wrong.mean_iou < 0.02
    assert wrong.mpe == right.mpe


@pytest.mark.parametrize(
    ("noise_px", "mean_iou", "mpe"), [(4.0, 0.93, 0.0044), (8.0, 0.87, 0.0088)]
)
def test_noise_costs_overlap_as_it_should(
    make_scene: MakeScene, read_off: ReadOff, noise_px: float, mean_iou: float, mpe: float
) -> None:
    """Corner noise on 600x800 images; known to cost about this much on such boxes."""
    rng = np.random.default_rng(0)
    scenes = [make_scene(seed) for seed in range(60)]
    result = scored(scenes, [read_off(scene, rng, noise_px) for scene in scenes])
    assert result.ap50 > 0.95
    assert result.mean_iou == pytest.approx(mean_iou, abs=0.03)
    assert result.mpe == pytest.approx(mpe, rel=0.1)


def test_more_noise_scores_less(make_scene: MakeScene, read_off: ReadOff) -> None:
    scenes = [make_scene(seed) for seed in range(30)]
    overlaps = []
    for noise_px in (0.0, 3.0, 9.0, 27.0):
        rng = np.random.default_rng(3)
        found = [read_off(scene, rng, noise_px) for scene in scenes]
        overlaps.append(scored(scenes, found).one_to_one.mean_iou)
    assert overlaps == sorted(overlaps, reverse=True)


def test_the_order_of_images_changes_nothing(make_scene: MakeScene, read_off: ReadOff) -> None:
    rng = np.random.default_rng(1)
    scenes = [make_scene(seed, n_objects=1 + seed % 2) for seed in range(16)]
    found = [read_off(scene, rng, 20.0) for scene in scenes]
    for one in found[::2]:
        one.scores[:] = 0.7
    order = rng.permutation(16)
    first = scored(scenes, found)
    second = scored([scenes[i] for i in order], [found[i] for i in order])
    assert 0.0 < first.ap75 < 1.0
    assert first == second


def test_the_order_of_detections_changes_nothing(make_scene: MakeScene, read_off: ReadOff) -> None:
    rng = np.random.default_rng(2)
    scene = make_scene(3, n_objects=3)
    found = read_off(scene, rng, 15.0)
    first, second = (
        scored([scene], [found.take(torch.tensor(o))]) for o in ([0, 1, 2], [2, 0, 1])
    )
    assert first == second


def test_silence_scores_zero_and_its_pixel_error_is_zero(
    make_scene: MakeScene, read_off: ReadOff
) -> None:
    evaluator = Evaluator(EvaluationSettings())
    scenes = [make_scene(0), make_scene(1)]
    maps = draw(scenes, read_off)
    maps["hm"][:] = -9.0
    evaluator.add(maps, [meta_of(scene) for scene in scenes])
    result = evaluator.result()
    assert (result.ap50, result.mpe, result.n_detections) == (0.0, 0.0, 0)
    assert result.n_objects == 2


def test_a_copy_of_every_detection_lifts_the_shared_figure_only(
    make_scene: MakeScene, read_off: ReadOff
) -> None:
    scenes = [make_scene(seed) for seed in range(6)]
    found = [read_off(scene).take(torch.tensor([0, 0])) for scene in scenes]
    result = scored(scenes, found)
    assert result.ap50 == pytest.approx(2.0)
    assert result.one_to_one.ap50 < 1.0


def test_false_detections_before_the_right_ones_cost_precision(
    make_scene: MakeScene, read_off: ReadOff
) -> None:
    scenes = [make_scene(seed) for seed in range(4)]
    found = []
    for scene in scenes:
        pair = read_off(scene).take(torch.tensor([0, 0]))
        pair.points[0] += torch.tensor([150.0, -200.0])
        pair.scale[0] = torch.tensor([3.0, 1.0, 0.2])
        pair.scores[:] = torch.tensor([0.9, 0.6])
        found.append(pair)
    assert scored(scenes, found).ap50 == pytest.approx(0.5)


def test_images_without_a_visible_object_are_ignored(
    make_scene: MakeScene, read_off: ReadOff
) -> None:
    seen, hidden = make_scene(0), make_scene(1, visibility=0.05)
    result = scored([seen, hidden], [read_off(seen), read_off(hidden)])
    assert (result.n_images, result.n_objects, result.n_detections) == (1, 1, 1)
    assert result.ap50 == 1.0


def test_batches_and_metas_must_agree(make_scene: MakeScene, read_off: ReadOff) -> None:
    maps = draw([make_scene(0), make_scene(1)], read_off)
    with pytest.raises(ValueError, match="2 images were predicted, but 1 are described"):
        Evaluator(EvaluationSettings()).add(maps, [meta_of(make_scene(0))])


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="num_symmetry"):
        EvaluationSettings(num_symmetry=0)
    with pytest.raises(ValueError, match="num_select"):
        EvaluationSettings(num_select=0)


def test_a_quarter_turn_is_forgiven_where_the_object_has_it(
    make_scene: MakeScene, read_off: ReadOff, camera: Intrinsics
) -> None:
    """The corners named a quarter turn on, sizes exchanged: the same box, other names."""
    scenes = [make_scene(seed) for seed in range(6)]
    found = []
    for scene in scenes:
        one = read_off(scene)
        # Old x edges become z edges: corner (x, y, z) takes the place of (-z, y, x).
        one.points[0] = one.points[0][[4, 0, 6, 2, 5, 1, 7, 3]]
        one.scale[0] = one.scale[0][[2, 1, 0]]
        found.append(one)
    plain = scored(scenes, found)
    assert plain.ap50 == 1.0  # a box is a box, whatever its edges are called
    assert plain.mpe > 0.02
    assert plain.means["azimuth_deg"] == pytest.approx(90.0)
    symmetric = scored(scenes, found, EvaluationSettings(num_symmetry=4))
    assert symmetric.means["azimuth_deg"] == pytest.approx(0.0, abs=1e-4)
