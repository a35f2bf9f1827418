"""The names of the container's backbones, those of the networks published for ImageNet."""

from collections.abc import Iterator
from dataclasses import dataclass

from automl.centerpose.session.tao_joints import (
    LAYER,
    NORM,
    Idle,
    Joint,
    Names,
    conv_norm_joints,
    layer_joints,
    norm_joints,
)

__all__ = ["FanForm", "dla_backbone", "fan_backbone"]

_DLA_PROJECTIONS = ((3, 64, 128), (4, 128, 256))  # level, channels before and after
_DLA_DEPTHS = (1, 2, 2, 1)  # trees of levels 2 to 5
_CLASS_BLOCKS = 2
_MLP_RATIO = 4


@dataclass(frozen=True, slots=True)
class FanForm:
    """What tells the FAN networks apart.

    Attributes:
        stages: ConvNeXt blocks at strides 4 and 8.
        depth: Attention blocks.
        width: Channels of a token.
    """

    stages: tuple[int, int]
    depth: int
    width: int


def dla_backbone(ours: str = "", theirs: str = "") -> Names:
    """DLA34's backbone, which is also the network that was published for ImageNet.

    Args:
        ours: What our names begin with.
        theirs: What the container's begin with.
    """
    found: list[Joint] = []
    for i, name in enumerate(("base_layer", "level0", "level1")):
        found += conv_norm_joints(f"{ours}stem.{i}", f"{theirs}{name}.0", f"{theirs}{name}.1")
    for i, depth in enumerate(_DLA_DEPTHS):
        mine, level = f"{ours}levels.{i}.trees.", f"{theirs}level{i + 2}."
        if depth == 1:
            found += _tree(f"{mine}0.", level, projects=True)
        else:
            found += _tree(f"{mine}0.", f"{level}tree1.", projects=True)
            found += _tree(f"{mine}1.", f"{level}tree2.", projects=False)
    return Names(tuple(found), {}, tuple(_dla_idle(theirs)))


def fan_backbone(form: FanForm, ours: str = "", theirs: str = "") -> Names:
    """A FAN's backbone.

    But for the maps' normalisations and the last convolution it is also the network that was
    published for ImageNet.

    Args:
        form: Which one.
        ours: What our names begin with.
        theirs: What the container's begin with.
    """
    conv = f"{theirs}patch_embed.backbone."
    found = [
        *layer_joints(f"{ours}enter.0", f"{conv}stem.0"),
        *layer_joints(f"{ours}enter.1", f"{conv}stem.1"),
        *layer_joints(f"{ours}shrink.0", f"{conv}stages.1.downsample.0"),
        *layer_joints(f"{ours}shrink.1", f"{conv}stages.1.downsample.1"),
        *layer_joints(f"{ours}embed", f"{theirs}patch_embed.proj"),
        *layer_joints(f"{ours}place.project", f"{theirs}pos_embed.token_projection", n_ones=2),
        *layer_joints(f"{ours}last", f"{theirs}learnable_downsample"),
    ]
    for stage, (name, n_blocks) in enumerate(zip(("stage4", "stage8"), form.stages, strict=True)):
        for i in range(n_blocks):
            found += _convnext(f"{ours}{name}.{i}.", f"{conv}stages.{stage}.blocks.{i}.")
    for i in range(form.depth):
        found += _attention(f"{ours}stage16.{i}.", f"{theirs}blocks.{i}.")
    for i in range(_CLASS_BLOCKS):
        found += _class_block(f"{ours}class_blocks.{i}.", f"{theirs}cls_attn_blocks.{i}.")
    for i in range(4):
        found += layer_joints(f"{ours}norms.{i}", f"{theirs}out_norm{i}")
    return Names(tuple(found), {}, tuple(_fan_idle(theirs, form.width)))


def _tree(ours: str, theirs: str, *, projects: bool) -> list[Joint]:
    found = conv_norm_joints(f"{ours}root", f"{theirs}root.conv", f"{theirs}root.bn")
    if projects:
        found += conv_norm_joints(f"{ours}project", f"{theirs}project.0", f"{theirs}project.1")
    for mine, block in (("first", "tree1"), ("second", "tree2")):
        for conv, number in (("first", 1), ("second", 2)):
            layer = f"{theirs}{block}."
            found += conv_norm_joints(
                f"{ours}{mine}.{conv}", f"{layer}conv{number}", f"{layer}bn{number}"
            )
    return found


def _convnext(ours: str, theirs: str) -> list[Joint]:
    return [
        *layer_joints(f"{ours}around", f"{theirs}conv_dw"),
        *layer_joints(f"{ours}norm", f"{theirs}norm"),
        *layer_joints(f"{ours}widen", f"{theirs}mlp.fc1", n_ones=2),
        *layer_joints(f"{ours}narrow", f"{theirs}mlp.fc2", n_ones=2),
        Joint(f"{ours}scale", (f"{theirs}gamma",)),
    ]


def _attention(ours: str, theirs: str) -> list[Joint]:
    mine, mlp = f"{ours}channels.", f"{theirs}mlp."
    joined = [
        Joint(
            f"{ours}tokens.query_key_value.{name}",
            (f"{theirs}attn.q.{name}", f"{theirs}attn.kv.{name}"),
            shares=(1, 2),
        )
        for name in LAYER
    ]
    return [
        *layer_joints(f"{ours}norm_tokens", f"{theirs}norm1"),
        *joined,
        *layer_joints(f"{ours}tokens.project", f"{theirs}attn.proj"),
        Joint(f"{ours}scale_tokens", (f"{theirs}gamma1",)),
        *layer_joints(f"{ours}norm_channels", f"{theirs}norm2"),
        *layer_joints(f"{mine}query", f"{mlp}q"),
        *layer_joints(f"{mine}norm", f"{mlp}norm_v"),
        Joint(f"{mine}temperature", (f"{mlp}temperature",), n_ones=1),
        *layer_joints(f"{mine}mlp.widen", f"{mlp}mlp_v.fc1"),
        *layer_joints(f"{mine}mlp.around.0", f"{mlp}mlp_v.dwconv.conv1"),
        *norm_joints(f"{mine}mlp.around.2", f"{mlp}mlp_v.dwconv.bn"),
        *layer_joints(f"{mine}mlp.around.3", f"{mlp}mlp_v.dwconv.conv2"),
        Joint(f"{mine}mlp.scale", (f"{mlp}mlp_v.gamma",)),
        *layer_joints(f"{mine}mlp.narrow", f"{mlp}mlp_v.fc2"),
        Joint(f"{ours}scale_channels", (f"{theirs}gamma2",)),
    ]


def _class_block(ours: str, theirs: str) -> list[Joint]:
    return [
        *layer_joints(f"{ours}norm", f"{theirs}norm1"),
        Joint(f"{ours}scale", (f"{theirs}gamma1",)),
        *layer_joints(f"{ours}norm_again", f"{theirs}norm2"),
    ]


def _dla_idle(theirs: str) -> Iterator[Idle]:
    """The shortcuts around a level's two trees, which the second tree does not take."""
    for level, before, after in _DLA_PROJECTIONS:
        project = f"{theirs}level{level}.project."
        yield Idle(f"{project}0.weight", (after, before, 1, 1), 0)
        for name, value in zip(NORM, (1, 0, 0, 1, 0), strict=True):
            shape = () if name == "num_batches_tracked" else (after,)
            yield Idle(f"{project}1.{name}", shape, value)


def _fan_idle(theirs: str, width: int) -> Iterator[Idle]:
    """The class token, and what alone it passes through."""
    wide = _MLP_RATIO * width
    yield Idle(f"{theirs}cls_token", (1, 1, width), 0)
    layers = {f"attn.{name}": (width, width) for name in ("q", "k", "v", "proj")}
    layers |= {"mlp.fc1": (wide, width), "mlp.fc2": (width, wide)}
    for i in range(_CLASS_BLOCKS):
        block = f"{theirs}cls_attn_blocks.{i}."
        yield Idle(f"{block}gamma2", (width,), 1)
        for name, shape in layers.items():
            yield Idle(f"{block}{name}.weight", shape, 0)
            yield Idle(f"{block}{name}.bias", shape[:1], 0)
