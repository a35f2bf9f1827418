"""The ``train.loss_config`` block: terms of the loss and their weights."""

from dataclasses import dataclass

from automl.centerpose.config.fields import Facts, setting

__all__ = ["LossConfig"]

_KEEP = "Leave it on: off, the container stops with an error."
_NEVER = "Leave it off: it has no working form."


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Terms of the loss and their weights."""

    mse_loss: bool = setting(
        False,
        Facts(
            "Squared error on heatmaps",
            "Replaces the focal loss on the heatmaps by a squared error. Leave it off: in the "
            "container the loss becomes NaN.",
        ),
    )
    dense_hp: bool = setting(
        False,
        Facts(
            "Dense keypoint loss",
            "Scores keypoint offsets on the whole blob. Leave it off: on, the container stops "
            "with an error.",
        ),
    )
    reg_loss: str = setting(
        "l1",
        Facts(
            "Regression loss",
            "Name of the loss of the regressed quantities. Never read: it is always the mean "
            "absolute error.",
        ),
    )
    num_stacks: int = setting(
        1, Facts("Output stacks", "Number of output stages. Fixed.", minimum=1, maximum=1)
    )
    hps_uncertainty: bool = setting(
        False,
        Facts("Keypoint uncertainty", f"Weighs keypoint errors by a learnt uncertainty. {_NEVER}"),
    )
    wh_weight: float = setting(
        0.1,
        Facts(
            "2D box weight",
            "Weight of the loss of the 2D box's width and height. Any positive number works; at "
            "0 the container stops with an error.",
            minimum=0.1,
            maximum=0.1,
        ),
    )
    reg_bbox: bool = setting(
        True, Facts("2D box loss", f"Learns the width and height of the 2D box. {_KEEP}")
    )
    reg_offset: bool = setting(
        True, Facts("Centre offset loss", f"Learns the centre's position within its cell. {_KEEP}")
    )
    reg_hp_offset: bool = setting(
        True,
        Facts("Keypoint offset loss", f"Learns each keypoint's position within its cell. {_KEEP}"),
    )
    obj_scale: bool = setting(
        True, Facts("Size loss", f"Learns the relative size of the object. {_KEEP}")
    )
    obj_scale_weight: int = setting(
        1,
        Facts(
            "Size weight",
            "Weight of the size loss; a positive whole number.",
            minimum=1,
            maximum=1,
        ),
    )
    obj_scale_uncertainty: bool = setting(
        False, Facts("Size uncertainty", f"Weighs size errors by a learnt uncertainty. {_NEVER}")
    )
    use_residual: bool = setting(
        False,
        Facts("Size residuals", f"Learns sizes as residuals to the mean size. {_NEVER}"),
    )
    dimension_ref: str = setting(
        "",
        Facts(
            "Reference sizes",
            "File of mean sizes for train.loss_config.use_residual; of no use without it.",
        ),
    )
    off_weight: int = setting(
        1,
        Facts(
            "Offset weight",
            "Weight of the centre and keypoint offset losses; a positive whole number; at 0 "
            "the container stops with an error.",
            minimum=1,
            maximum=1,
        ),
    )
    hm_hp: bool = setting(
        True, Facts("Keypoint heatmap loss", f"Learns one heatmap per keypoint. {_KEEP}")
    )
    hm_hp_weight: int = setting(
        1,
        Facts(
            "Keypoint heatmap weight",
            "Weight of the keypoint heatmap loss; a positive whole number.",
            minimum=1,
            maximum=1,
        ),
    )
    hm_weight: int = setting(
        1,
        Facts(
            "Centre heatmap weight",
            "Weight of the centre heatmap loss; a whole number. At 0 no object is ever found.",
            minimum=1,
            maximum=1,
        ),
    )
    hp_weight: int = setting(
        1,
        Facts(
            "Keypoint displacement weight",
            "Weight of the loss of the eight displacements from the centre, which the pose is "
            "solved from; a positive whole number.",
            minimum=1,
            maximum=1,
        ),
    )
