"""What a legal spec may ask for that this program does not do, refused before anything starts.

Everything here has one of two reasons: the network's shape is fixed, or the switch has no working
form (in the container it stops the training with an error). Switches that merely fail in the
container, such as ``reg_bbox: false``, ``mse_loss: true`` or a weight of 0, work here.
"""

from collections.abc import Iterator

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.config.loss import LossConfig
from automl.centerpose.session.tao_checkpoint import OWN, TAO
from automl.centerpose.training.losses import LossForm, LossWeights
from automl.data.geometry import N_CORNERS

__all__ = ["PRECISIONS", "check_supported", "loss_form", "loss_weights", "refusals"]

PRECISIONS = ("fp32", "tf32", "fp16", "bf16")
_STRIDE = 4  # input pixels per cell
_WHY_OFF = {
    "hps_uncertainty": "no head answers with an uncertainty",
    "obj_scale_uncertainty": "no head answers with an uncertainty",
    "use_residual": "the decoder, exported files included, knows no reference sizes",
}
_MULTIPLE = 32  # the coarsest stride that every network divides the input by


def check_supported(spec: Experiment) -> None:
    """Checks that this program can do what the spec asks for.

    Raises:
        NotImplementedError: It cannot; the message lists everything that stands in the way.
    """
    problems = list(refusals(spec))
    if problems:
        raise NotImplementedError("; ".join(problems))


def refusals(spec: Experiment) -> Iterator[str]:
    """Each thing that the spec asks for and this program does not do, as a sentence."""
    yield from _shape_refusals(spec)
    yield from _switch_refusals(spec)
    yield from _pretrained_refusals(spec)
    yield from _form_refusals(spec)
    yield from _device_refusals(spec)


def _shape_refusals(spec: Experiment) -> Iterator[str]:
    data, model = spec.dataset, spec.model
    if data.num_classes != 1:
        yield f"dataset.num_classes must be 1, but got {data.num_classes}: one model a category"
    if data.num_joints != N_CORNERS:
        yield f"dataset.num_joints must be {N_CORNERS}, but got {data.num_joints}"
    if model.down_ratio != _STRIDE:
        yield f"model.down_ratio must be {_STRIDE}, but got {model.down_ratio}"
    if data.input_res % _MULTIPLE or data.input_res <= 0:
        yield f"dataset.input_res must be a multiple of {_MULTIPLE}, but got {data.input_res}"
    if data.output_res * _STRIDE != data.input_res:
        yield (
            f"dataset.output_res must be dataset.input_res / {_STRIDE}, but got {data.output_res} "
            f"for {data.input_res}"
        )
    for name in ("final_kernel", "last_level"):
        fixed = {"final_kernel": 1, "last_level": 5}[name]
        if getattr(model, name) != fixed:
            yield f"model.{name} must be {fixed}, but got {getattr(model, name)}"


def _switch_refusals(spec: Experiment) -> Iterator[str]:
    loss, data = spec.train.loss_config, spec.dataset
    switches = {
        "dataset.hps_uncertainty": data.hps_uncertainty,
        "dataset.obj_scale_uncertainty": data.obj_scale_uncertainty,
        "train.loss_config.hps_uncertainty": loss.hps_uncertainty,
        "train.loss_config.obj_scale_uncertainty": loss.obj_scale_uncertainty,
        "train.loss_config.use_residual": loss.use_residual,
    }
    for key, value in switches.items():
        if value:
            yield f"{key} must be false: {_WHY_OFF[key.rsplit('.', 1)[-1]]}"
    if data.aug_rot:
        yield f"dataset.aug_rot must be 0, but got {data.aug_rot}: the spec has no angle for it"


def _pretrained_refusals(spec: Experiment) -> Iterator[str]:
    backbone = spec.model.backbone
    if backbone.pretrained_backbone_path and backbone.model_type == "nano":
        yield (
            "model.backbone.pretrained_backbone_path must be empty for nano, whose backbone is no "
            "part of its own"
        )
    given = backbone.pretrained_backbone_path or spec.train.pretrained_model_path
    if spec.model.use_pretrained and not given:
        yield (
            "model.use_pretrained must be false where neither "
            "model.backbone.pretrained_backbone_path nor train.pretrained_model_path names a file"
        )


def _form_refusals(spec: Experiment) -> Iterator[str]:
    form = spec.train.checkpoint_format
    if form not in (OWN, TAO):
        yield f"train.checkpoint_format must be {OWN} or {TAO}, but got {form}"
    if form == TAO and spec.model.backbone.model_type == "nano":
        yield "train.checkpoint_format must be own for nano, which the container does not know"


def _device_refusals(spec: Experiment) -> Iterator[str]:
    train = spec.train
    if len(set(train.gpu_ids)) != len(train.gpu_ids):
        yield f"train.gpu_ids must name each GPU once, but got {list(train.gpu_ids)}"
    if train.num_nodes > 1:
        yield f"train.num_nodes must be 1, but got {train.num_nodes}"
    if train.precision not in PRECISIONS:
        yield f"train.precision must be one of {', '.join(PRECISIONS)}, but got {train.precision}"


def loss_weights(spec: Experiment) -> LossWeights:
    """The weights of the loss's terms; a term that either block switches off weighs 0."""
    loss, data = spec.train.loss_config, spec.dataset
    return LossWeights(
        hm=loss.hm_weight,
        hm_hp=loss.hm_hp_weight * (loss.hm_hp and data.hm_hp),
        wh=loss.wh_weight * (loss.reg_bbox and data.reg_bbox),
        offset=loss.off_weight * (loss.reg_offset and data.reg_offset),
        hps=loss.hp_weight,
        hp_offset=loss.off_weight * _corner_offset(loss, data.reg_hp_offset and data.hm_hp),
        scale=loss.obj_scale_weight * (loss.obj_scale and data.obj_scale),
    )


def loss_form(spec: Experiment) -> LossForm:
    """The formulas of the loss; either block switches one of them on."""
    loss, data = spec.train.loss_config, spec.dataset
    return LossForm(squared=loss.mse_loss or data.mse_loss, dense=loss.dense_hp or data.dense_hp)


def _corner_offset(loss: LossConfig, has_targets: bool) -> bool:
    return loss.reg_hp_offset and loss.hm_hp and has_targets
