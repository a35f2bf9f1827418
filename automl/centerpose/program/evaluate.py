"""The ``evaluate`` action, and the score of a predictor that looks at no image."""

from pathlib import Path

import torch

from automl.centerpose.batches.loader import Loader, make_loader
from automl.centerpose.batches.split import Split, read_split
from automl.centerpose.config.experiment import Experiment
from automl.centerpose.deploy.runtime import is_onnx
from automl.centerpose.evaluation.baseline import score_mean_pose
from automl.centerpose.evaluation.evaluator import Evaluator
from automl.centerpose.evaluation.metrics import EvaluationResult
from automl.centerpose.evaluation.pose_rows import PoseRows
from automl.centerpose.evaluation.report import report_text
from automl.centerpose.hardware.device import (
    choose_device,
    choose_seed,
    loader_threads,
    prepare_torch,
)
from automl.centerpose.models.build import build_network
from automl.centerpose.predict.pictures import shown_images, write_pictures
from automl.centerpose.predict.predictor import add_predictions, open_exported
from automl.centerpose.session.checkpoints import load_weights, read_checkpoint
from automl.centerpose.session.run import Run
from automl.centerpose.training.scoring import evaluation_settings, fill
from automl.centerpose.training.supported import check_supported
from automl.data.objectron import Annotation, list_frames, read_annotation
from automl.files import write_text
from automl.poses.parquet import write_poses
from automl.trainers.contract import TEST_METRICS

__all__ = ["REPORT_NAME", "baseline", "evaluate"]

REPORT_NAME = "report.txt"


def evaluate(spec: Experiment, run: Run) -> EvaluationResult:
    """Scores ``evaluate.checkpoint`` on ``dataset.test_data``; writes report, poses and pictures.

    The checkpoint may be an ONNX file that ``export`` wrote.

    Raises:
        NotImplementedError: The spec asks for something that this program does not do.
        ValueError: The split is smaller than a batch.
        FixInput: The checkpoint or the data cannot be used as they are.
        InstallExtra: It is an ONNX file, and what runs one is not installed.
        Interrupted: A signal ended the scoring.
    """
    check_supported(spec)
    path = Path(spec.evaluate.checkpoint)
    prepare_torch(choose_seed(spec.train.seed), spec.train.cudnn)
    split = _split(spec)
    rows = PoseRows(evaluation_settings(spec), _names(split, Path(spec.dataset.test_data)))
    evaluator = Evaluator(evaluation_settings(spec), rows)
    (_exported if is_onnx(path) else _trained)(spec, (split, evaluator), path, run)
    result = evaluator.result()
    write_text(run.folder / REPORT_NAME, report_text(result, split="test"))
    table = rows.table()
    write_poses(run.folder, table)
    pixels = split.stored.frames.pixels
    write_pictures(run.folder, ((number, pixels(number)) for number in shown_images(table)))
    kpi = {"test_3DIoU": str(result.ap50), "test_2DMPE": str(result.mpe)}
    run.status.running(TEST_METRICS, kpi=kpi)
    run.say(f"3D IoU: {result.ap50:.5f}\n2D MPE: {result.mpe:.5f}")
    return result


def _trained(spec: Experiment, scored: tuple[Split, Evaluator], path: Path, run: Run) -> None:
    split, evaluator = scored
    content = read_checkpoint(path)
    device = choose_device(spec.evaluate.gpu_ids)
    network = build_network(spec.model).to(device)
    run.status.running(f"Loading checkpoint: {path}")
    load_weights(network, content, path)
    fill(evaluator, network, _loader(spec, split, device).scoring(), run.interrupt.check)


def _exported(spec: Experiment, scored: tuple[Split, Evaluator], path: Path, run: Run) -> None:
    split, evaluator = scored
    run.status.running(f"Loading checkpoint: {path}")
    network = open_exported(spec, path)
    batches = _loader(spec, split, torch.device("cpu")).scoring()
    cells = spec.dataset.output_res
    add_predictions(evaluator, network, batches, cells, run.interrupt.check)


def _split(spec: Experiment) -> Split:
    data = spec.dataset
    return read_split(data.test_data, "dataset.test_data", data, n_devices=1, scored=True)


def _loader(spec: Experiment, split: Split, device: torch.device) -> Loader:
    data = spec.dataset
    return make_loader(split, data.batch_size, loader_threads(data.workers), device=device)


def _names(split: Split, root: Path) -> list[str]:
    """The images' paths below the folder of their split."""
    return [path.relative_to(root).as_posix() for path in split.stored.frames.paths]


def baseline(spec: Experiment) -> EvaluationResult:
    """The scores on ``dataset.val_data`` of always answering the mean pose of the training data.

    Raises:
        ValueError: A split is not named, or no object of the training data is visible.
        FixInput: The data cannot be used as they are.
    """
    data = spec.dataset
    train = _annotations(data.train_data, "dataset.train_data")
    validation = _annotations(data.val_data, "dataset.val_data")
    return score_mean_pose(train, validation, evaluation_settings(spec))


def _annotations(root: str, key: str) -> list[Annotation]:
    if not root:
        raise ValueError(f"{key} must name the folder of a split, but it is empty")
    return [read_annotation(frame.annotation) for frame in list_frames(Path(root))]
