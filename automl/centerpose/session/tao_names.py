"""Which weights of the container's networks are which of ours.

The container names its layers after the publications' programs; ours are named after what they do.
Some of ours are several of theirs joined along the first axis, computed as one. What stands here
are names and shapes; ``tao_weights`` converts by them.

A network of the container has weights that nothing reads: ``idle``. Its neck's convolutions have
biases in front of a batch normalisation, where a bias changes nothing but the mean that the
normalisation keeps: ``absorbed``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "FanForm",
    "Idle",
    "Joint",
    "Names",
    "dla_backbone",
    "dla_names",
    "fan_backbone",
    "fan_names",
]

_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_LAYER = ("weight", "bias")
_HEADS = ("hm", "wh", "hps", "reg", "hm_hp", "hp_offset", "scale")
_GATES = "rzn"  # reset, update, new
_DLA_PROJECTIONS = ((3, 64, 128), (4, 128, 256))  # level, channels before and after
_DLA_DEPTHS = (1, 2, 2, 1)  # trees of levels 2 to 5
_CLASS_BLOCKS = 2
_MLP_RATIO = 4


@dataclass(frozen=True, slots=True)
class Joint:
    """A weight of ours and those of the container's that it is made of.

    Attributes:
        ours: Its name.
        theirs: Theirs, in order along the first axis.
        shares: How long each of theirs is along that axis, relative to the others.
        n_ones: Axes of length 1 that theirs have more, at the end.
    """

    ours: str
    theirs: tuple[str, ...]
    shares: tuple[int, ...] = (1,)
    n_ones: int = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """A weight of the container's that no output depends on.

    Attributes:
        name: Its name there.
        shape: Its shape; empty for a count.
        value: What it is filled with where a file is written.
    """

    name: str
    shape: tuple[int, ...]
    value: int


@dataclass(frozen=True, slots=True)
class Names:
    """All weights of a network or of its backbone.

    Attributes:
        joints: Those that both have.
        absorbed: A bias of theirs -> the running mean of ours that it is subtracted from.
        idle: Those that only theirs has.
    """

    joints: tuple[Joint, ...]
    absorbed: Mapping[str, str]
    idle: tuple[Idle, ...]


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


def dla_names(*, use_gru: bool) -> Names:
    """The whole DLA34."""
    backbone = dla_backbone("backbone.", "base.")
    up = [_Aggregation(f"neck.up.{i}", f"dla_up.ida_{i}", i + 1) for i in range(3)]
    return _whole(backbone, [*up, _Aggregation("neck.join", "ida_up", 2)], use_gru=use_gru)


def fan_names(form: FanForm, *, use_gru: bool) -> Names:
    """A whole FAN."""
    backbone = fan_backbone(form, "backbone.", "base.")
    return _whole(backbone, [_Aggregation("neck", "ida_up", 3)], use_gru=use_gru)


def dla_backbone(ours: str = "", theirs: str = "") -> Names:
    """DLA34's backbone, which is also the network that was published for ImageNet.

    Args:
        ours: What our names begin with.
        theirs: What the container's begin with.
    """
    found: list[Joint] = []
    for i, name in enumerate(("base_layer", "level0", "level1")):
        found += _conv_norm(f"{ours}stem.{i}", f"{theirs}{name}.0", f"{theirs}{name}.1")
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
        *_layer(f"{ours}enter.0", f"{conv}stem.0"),
        *_layer(f"{ours}enter.1", f"{conv}stem.1"),
        *_layer(f"{ours}shrink.0", f"{conv}stages.1.downsample.0"),
        *_layer(f"{ours}shrink.1", f"{conv}stages.1.downsample.1"),
        *_layer(f"{ours}embed", f"{theirs}patch_embed.proj"),
        *_layer(f"{ours}place.project", f"{theirs}pos_embed.token_projection", n_ones=2),
        *_layer(f"{ours}last", f"{theirs}learnable_downsample"),
    ]
    for stage, (name, n_blocks) in enumerate(zip(("stage4", "stage8"), form.stages, strict=True)):
        for i in range(n_blocks):
            found += _convnext(f"{ours}{name}.{i}.", f"{conv}stages.{stage}.blocks.{i}.")
    for i in range(form.depth):
        found += _attention(f"{ours}stage16.{i}.", f"{theirs}blocks.{i}.")
    for i in range(_CLASS_BLOCKS):
        found += _class_block(f"{ours}class_blocks.{i}.", f"{theirs}cls_attn_blocks.{i}.")
    for i in range(4):
        found += _layer(f"{ours}norms.{i}", f"{theirs}out_norm{i}")
    return Names(tuple(found), {}, tuple(_fan_idle(theirs, form.width)))


@dataclass(frozen=True, slots=True)
class _Aggregation:
    """One aggregation: our name, theirs, and how many maps it brings to the first one's size."""

    ours: str
    theirs: str
    n: int

    def joints(self) -> Iterator[Joint]:
        for k in range(self.n):
            yield Joint(f"{self.ours}.enlarge.{k}.weight", (f"{self.theirs}.up_{k + 1}.weight",))
            for mine, layer in self._convs(k):
                yield from _conv_norm(mine, f"{layer}.conv", f"{layer}.actf.0")

    def absorbed(self) -> dict[str, str]:
        return {
            f"{layer}.conv.bias": f"{mine}.1.running_mean"
            for k in range(self.n)
            for mine, layer in self._convs(k)
        }

    def _convs(self, k: int) -> tuple[tuple[str, str], tuple[str, str]]:
        number = k + 1
        return (
            (f"{self.ours}.project.{k}", f"{self.theirs}.proj_{number}"),
            (f"{self.ours}.node.{k}", f"{self.theirs}.node_{number}"),
        )


def _whole(backbone: Names, necks: Sequence[_Aggregation], *, use_gru: bool) -> Names:
    found = list(backbone.joints)
    absorbed: dict[str, str] = {}
    for neck in necks:
        found += neck.joints()
        absorbed |= neck.absorbed()
    if use_gru:
        for part, kinds, names in (("of_input", "i", _LAYER), ("of_hidden", "h", ("weight",))):
            for name in names:
                gates = tuple(f"convGRU.cell0.W{kinds}{gate}.{name}" for gate in _GATES)
                found.append(Joint(f"gru.{part}.{name}", gates, shares=(1, 1, 1)))
    for head in _HEADS:
        for i in (0, 1, 3) if use_gru else (0, 2):
            found += _layer(f"heads.{head}.{i}", f"{head}.{i}")
    return Names(tuple(found), absorbed, backbone.idle)


def _layer(ours: str, theirs: str, *, n_ones: int = 0) -> list[Joint]:
    """A layer with weight and bias; ``n_ones`` is of the weight."""
    ones = dict(zip(_LAYER, (n_ones, 0), strict=True))
    return [Joint(f"{ours}.{n}", (f"{theirs}.{n}",), n_ones=ones[n]) for n in _LAYER]


def _norm(ours: str, theirs: str) -> list[Joint]:
    return [Joint(f"{ours}.{name}", (f"{theirs}.{name}",)) for name in _NORM]


def _conv_norm(ours: str, conv: str, norm: str) -> list[Joint]:
    return [Joint(f"{ours}.0.weight", (f"{conv}.weight",)), *_norm(f"{ours}.1", norm)]


def _tree(ours: str, theirs: str, *, projects: bool) -> list[Joint]:
    found = _conv_norm(f"{ours}root", f"{theirs}root.conv", f"{theirs}root.bn")
    if projects:
        found += _conv_norm(f"{ours}project", f"{theirs}project.0", f"{theirs}project.1")
    for mine, block in (("first", "tree1"), ("second", "tree2")):
        for conv, number in (("first", 1), ("second", 2)):
            layer = f"{theirs}{block}."
            found += _conv_norm(
                f"{ours}{mine}.{conv}", f"{layer}conv{number}", f"{layer}bn{number}"
            )
    return found


def _convnext(ours: str, theirs: str) -> list[Joint]:
    return [
        *_layer(f"{ours}around", f"{theirs}conv_dw"),
        *_layer(f"{ours}norm", f"{theirs}norm"),
        *_layer(f"{ours}widen", f"{theirs}mlp.fc1", n_ones=2),
        *_layer(f"{ours}narrow", f"{theirs}mlp.fc2", n_ones=2),
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
        for name in _LAYER
    ]
    return [
        *_layer(f"{ours}norm_tokens", f"{theirs}norm1"),
        *joined,
        *_layer(f"{ours}tokens.project", f"{theirs}attn.proj"),
        Joint(f"{ours}scale_tokens", (f"{theirs}gamma1",)),
        *_layer(f"{ours}norm_channels", f"{theirs}norm2"),
        *_layer(f"{mine}query", f"{mlp}q"),
        *_layer(f"{mine}norm", f"{mlp}norm_v"),
        Joint(f"{mine}temperature", (f"{mlp}temperature",), n_ones=1),
        *_layer(f"{mine}mlp.widen", f"{mlp}mlp_v.fc1"),
        *_layer(f"{mine}mlp.around.0", f"{mlp}mlp_v.dwconv.conv1"),
        *_norm(f"{mine}mlp.around.2", f"{mlp}mlp_v.dwconv.bn"),
        *_layer(f"{mine}mlp.around.3", f"{mlp}mlp_v.dwconv.conv2"),
        Joint(f"{mine}mlp.scale", (f"{mlp}mlp_v.gamma",)),
        *_layer(f"{mine}mlp.narrow", f"{mlp}mlp_v.fc2"),
        Joint(f"{ours}scale_channels", (f"{theirs}gamma2",)),
    ]


def _class_block(ours: str, theirs: str) -> list[Joint]:
    return [
        *_layer(f"{ours}norm", f"{theirs}norm1"),
        Joint(f"{ours}scale", (f"{theirs}gamma1",)),
        *_layer(f"{ours}norm_again", f"{theirs}norm2"),
    ]


def _dla_idle(theirs: str) -> Iterator[Idle]:
    """The shortcuts around a level's two trees, which the second tree does not take."""
    for level, before, after in _DLA_PROJECTIONS:
        project = f"{theirs}level{level}.project."
        yield Idle(f"{project}0.weight", (after, before, 1, 1), 0)
        for name, value in zip(_NORM, (1, 0, 0, 1, 0), strict=True):
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
