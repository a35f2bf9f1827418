"""The ``model`` block: backbone, neck and heads."""

from dataclasses import dataclass

from automl.centerpose.config.fields import Facts, block, setting

__all__ = ["Backbone", "Model"]


@dataclass(frozen=True, slots=True)
class Backbone:
    """The feature extractor."""

    model_type: str = setting(
        "fan_small",
        Facts(
            "Backbone",
            "Network that extracts the features: fan_small (33 M parameters with neck and heads), "
            "fan_base (58 M), fan_large (85 M) or DLA34 (20 M, twice as fast as fan_small). The "
            "trainer of this package also has nano (about 0.4 M) for trying things out on a CPU, "
            "which the container refuses.",
        ),
    )
    pretrained_backbone_path: str = setting(
        "",
        Facts(
            "Pretrained backbone",
            "File with weights for the backbone. The container reads it only for fan_* and when "
            "model.use_pretrained is true as well; the trainer of this package reads it whenever "
            "it is set, for every network but nano, and needs its own layer names in it.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Model:
    """Architecture; all but the backbone and the GRU is fixed by the network's design."""

    down_ratio: int = setting(
        4,
        Facts(
            "Output stride",
            "Input pixels per cell of the output maps. The network is built for 4; "
            "dataset.output_res is dataset.input_res divided by it.",
            minimum=4,
            maximum=4,
        ),
    )
    final_kernel: int = setting(
        1,
        Facts(
            "Last kernel size",
            "Kernel size of the last convolution of every head. Fixed.",
            minimum=1,
            maximum=1,
        ),
    )
    last_level: int = setting(
        5,
        Facts(
            "Last DLA level",
            "Deepest level of the DLA34 pyramid that the neck uses. Fixed; fan_* ignores it.",
            minimum=5,
            maximum=5,
        ),
    )
    head_conv: int = setting(
        256,
        Facts(
            "Head width",
            "Channels of the hidden convolution in each head. Fixed at 256; the nano backbone of "
            "this package has a narrow trunk shared by its heads and does not read it.",
            minimum=256,
            maximum=256,
        ),
    )
    out_channel: int = setting(
        0,
        Facts(
            "Neck width",
            "Channels that the neck hands to the heads; 0 takes the backbone's own width "
            "(64 for DLA34, 128 for fan_*). Fixed.",
            minimum=0,
            maximum=0,
        ),
    )
    use_conv_gru: bool = setting(
        True,
        Facts(
            "Convolutional GRU",
            "Feeds the heads in three steps through a convolutional GRU, so that keypoints can "
            "build on the centre and the size on both. Off is faster and needs less memory.",
            key="use_convGRU",
        ),
    )
    use_pretrained: bool = setting(
        False,
        Facts(
            "Start from pretrained weights",
            "Loads weights into the backbone before training. For DLA34 the container downloads "
            "them, which fails without a network; fan_* reads "
            "model.backbone.pretrained_backbone_path. The trainer of this package downloads none: "
            "it refuses true where no file is named.",
        ),
    )
    backbone: Backbone = block(
        Backbone, Facts("Backbone", "Which feature extractor, and its weights.")
    )
