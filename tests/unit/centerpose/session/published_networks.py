"""The container's networks computed from their weights by name, one operation after another.

Written from the networks' published descriptions, without any layer of this package: what our
networks answer after a conversion of weights is held against it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Published"]

HEADS_OF_STEP = (("hm", "wh", "reg"), ("hm_hp", "hp_offset", "hps"), ("scale",))


@dataclass(frozen=True)
class Published:
    """One of the networks.

    Attributes:
        weights: By the container's names, without a prefix.
        training: Whether batch normalisations take the batch's statistics.
    """

    weights: dict[str, Tensor]
    training: bool = False

    def dla(self, image: Tensor) -> dict[str, Tensor]:
        """Head maps of DLA34."""
        x = self.conv_bn_relu(image, "base.base_layer.0", "base.base_layer.1", padding=3)
        x = self.conv_bn_relu(x, "base.level0.0", "base.level0.1", padding=1)
        x = self.conv_bn_relu(x, "base.level1.0", "base.level1.1", padding=1, stride=2)
        levels = [self.level(x, "base.level2.", 1, joins_input=False)]
        for k, depth in ((3, 2), (4, 2), (5, 1)):
            levels.append(self.level(levels[-1], f"base.level{k}.", depth, joins_input=True))
        layers, out = list(levels), [levels[-1]]
        for i in range(3):
            start = len(layers) - i - 2
            layers[start:] = self.aggregated(layers[start:], f"dla_up.ida_{i}.")
            out.insert(0, layers[-1])
        return self.answers(self.aggregated(out[:3], "ida_up.")[-1])

    def fan(self, image: Tensor, heads: int, depth: int, tap: int) -> dict[str, Tensor]:
        """Head maps of a FAN.

        Args:
            image: (B, 3, H, W).
            heads: Of each attention.
            depth: Attention blocks.
            tap: After which of them the map at stride 16 is taken.
        """
        conv = "base.patch_embed.backbone."
        x = self.conv(image, f"{conv}stem.0", stride=4)
        x = self.map_norm(x, f"{conv}stem.1", 1e-6)
        x4 = self.convnext(x, f"{conv}stages.0.")
        x = self.map_norm(x4, f"{conv}stages.1.downsample.0", 1e-6)
        x8 = self.convnext(
            self.conv(x, f"{conv}stages.1.downsample.1", stride=2), f"{conv}stages.1."
        )
        x = self.conv(x8, "base.patch_embed.proj", stride=2)
        height, width = x.shape[2:]
        x16 = x
        tokens = (x + self.places(height, width)).flatten(2).transpose(1, 2)
        for i in range(depth):
            tokens = self.attention(tokens, f"base.blocks.{i}.", heads, (height, width))
            if i == tap - 1:
                x16 = tokens.transpose(1, 2).reshape(len(x), -1, height, width)
        tokens = torch.cat([self.weights["base.cls_token"].expand(len(x), -1, -1), tokens], dim=1)
        for i in range(2):
            tokens = self.class_attention(tokens, f"base.cls_attn_blocks.{i}.", heads)
        x = tokens[:, 1:].transpose(1, 2).reshape(len(x), -1, height, width)
        x32 = self.conv(x, "base.learnable_downsample", stride=2, padding=1)
        maps = [
            self.map_norm(x, f"base.out_norm{k}", 1e-5) for k, x in enumerate((x4, x8, x16, x32))
        ]
        return self.answers(self.aggregated(maps, "ida_up.")[-1])

    # -- parts ------------------------------------------------------------------------------------

    def conv(
        self, x: Tensor, name: str, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        return functional.conv2d(x, weight, bias, stride, padding, groups=groups)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def bn(self, x: Tensor, name: str) -> Tensor:
        given = [
            self.weights[f"{name}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")
        ]
        mean, variance, weight, bias = (value.clone() for value in given)
        return functional.batch_norm(x, mean, variance, weight, bias, self.training)

    def layer_norm(self, x: Tensor, name: str, epsilon: float) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        return functional.layer_norm(
            x, weight.shape, weight, self.weights[f"{name}.bias"], epsilon
        )

    def map_norm(self, x: Tensor, name: str, epsilon: float) -> Tensor:
        return self.layer_norm(x.permute(0, 2, 3, 1), name, epsilon).permute(0, 3, 1, 2)

    def conv_bn_relu(
        self, x: Tensor, conv: str, norm: str, padding: int, stride: int = 1
    ) -> Tensor:
        return functional.relu(self.bn(self.conv(x, conv, stride, padding), norm))

    def block(self, x: Tensor, name: str, stride: int, shortcut: Tensor) -> Tensor:
        out = self.conv_bn_relu(x, f"{name}conv1", f"{name}bn1", padding=1, stride=stride)
        out = self.bn(self.conv(out, f"{name}conv2", padding=1), f"{name}bn2")
        return functional.relu(out + shortcut)

    def tree(self, x: Tensor, name: str, stride: int, outside: Sequence[Tensor]) -> Tensor:
        small = functional.max_pool2d(x, stride) if stride > 1 else x
        shortcut = small
        if f"{name}project.0.weight" in self.weights:
            shortcut = self.bn(self.conv(small, f"{name}project.0"), f"{name}project.1")
        one = self.block(x, f"{name}tree1.", stride, shortcut)
        two = self.block(one, f"{name}tree2.", 1, one)
        joined = torch.cat([two, one, *outside], dim=1)
        return self.conv_bn_relu(joined, f"{name}root.conv", f"{name}root.bn", padding=0)

    def level(self, x: Tensor, name: str, depth: int, *, joins_input: bool) -> Tensor:
        outside = [functional.max_pool2d(x, 2)] if joins_input else []
        if depth == 1:
            return self.tree(x, name, 2, outside)
        one = self.tree(x, f"{name}tree1.", 2, [])
        return self.tree(one, f"{name}tree2.", 1, [*outside, one])

    def aggregated(self, maps: Sequence[Tensor], name: str) -> list[Tensor]:
        found = list(maps)
        for i in range(1, len(found)):
            x = self.conv_bn_relu(found[i], f"{name}proj_{i}.conv", f"{name}proj_{i}.actf.0", 1)
            weight = self.weights[f"{name}up_{i}.weight"]
            factor = weight.shape[-1] // 2
            x = functional.conv_transpose2d(
                x, weight, None, factor, factor // 2, groups=x.shape[1]
            )
            node = f"{name}node_{i}."
            found[i] = self.conv_bn_relu(x + found[i - 1], f"{node}conv", f"{node}actf.0", 1)
        return found

    def gate(self, x: Tensor, h: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        cell = "convGRU.cell0.W"
        return self.conv(x, f"{cell}i{kind}", padding=1), self.conv(h, f"{cell}h{kind}", padding=1)

    def answers(self, x: Tensor) -> dict[str, Tensor]:
        if "convGRU.cell0.Wir.weight" not in self.weights:
            return {head: self.head(x, head) for heads in HEADS_OF_STEP for head in heads}
        hidden = torch.zeros_like(x)
        found: dict[str, Tensor] = {}
        for heads in HEADS_OF_STEP:
            reset, update = (torch.sigmoid(torch.add(*self.gate(x, hidden, k))) for k in "rz")
            of_input, of_hidden = self.gate(x, hidden, "n")
            hidden = (1 - update) * torch.tanh(of_input + reset * of_hidden) + update * hidden
            found |= {head: self.head(hidden, head, normed=True) for head in heads}
        return found

    def head(self, x: Tensor, name: str, *, normed: bool = False) -> Tensor:
        x = self.conv(x, f"{name}.0", padding=1)
        if normed:
            weight, bias = self.weights[f"{name}.1.weight"], self.weights[f"{name}.1.bias"]
            x = functional.group_norm(x, 32, weight, bias)
        return self.conv(functional.relu(x), f"{name}.{3 if normed else 2}")

    def convnext(self, x: Tensor, stage: str) -> Tensor:
        i = 0
        while f"{stage}blocks.{i}.gamma" in self.weights:
            name = f"{stage}blocks.{i}."
            out = self.conv(x, f"{name}conv_dw", padding=3, groups=x.shape[1])
            out = functional.gelu(
                self.conv(self.map_norm(out, f"{name}norm", 1e-6), f"{name}mlp.fc1")
            )
            x = x + self.weights[f"{name}gamma"][:, None, None] * self.conv(out, f"{name}mlp.fc2")
            i += 1
        return x

    def places(self, height: int, width: int) -> Tensor:
        lines = []
        for n, axis in ((height, 2), (width, 3)):
            at = (torch.arange(n) + 1.0) / (n + 1e-6) * 2 * math.pi
            for k in range(32):
                angle = at / 10_000 ** (2 * (k // 2) / 32)
                line = angle.cos() if k % 2 else angle.sin()
                shape = [1, 1, n, 1] if axis == 2 else [1, 1, 1, n]
                lines.append(line.reshape(shape).expand(1, 1, height, width))
        return self.conv(torch.cat(lines, dim=1), "base.pos_embed.token_projection")

    def attention(self, x: Tensor, name: str, heads: int, size: tuple[int, int]) -> Tensor:
        b, n, c = x.shape
        normed = self.layer_norm(x, f"{name}norm1", 1e-6)
        query = self.linear(normed, f"{name}attn.q").reshape(b, n, heads, -1)
        key, value = self.linear(normed, f"{name}attn.kv").reshape(b, n, 2, heads, -1).unbind(2)
        scores = torch.einsum("bnhc,bmhc->bhnm", query, key) / math.sqrt(c // heads)
        mixed = torch.einsum("bhnm,bmhc->bnhc", scores.softmax(-1), value).reshape(b, n, c)
        x = x + self.weights[f"{name}gamma1"] * self.linear(mixed, f"{name}attn.proj")

        mlp, normed = f"{name}mlp.", self.layer_norm(x, f"{name}norm2", 1e-6)
        query = self.linear(normed, f"{mlp}q").reshape(b, n, heads, -1).softmax(dim=1)
        mean = normed.reshape(b, n, heads, -1).softmax(dim=1).mean(dim=-1)
        weight = torch.sigmoid(torch.einsum("bnhc,bnh->bhc", query, mean))
        weight = weight * self.weights[f"{mlp}temperature"][:, :, 0]
        wide = self.linear(normed, f"{mlp}mlp_v.fc1")
        local = wide.transpose(1, 2).reshape(b, -1, *size)
        groups = local.shape[1]
        local = functional.gelu(
            self.conv(local, f"{mlp}mlp_v.dwconv.conv1", padding=1, groups=groups)
        )
        local = self.bn(local, f"{mlp}mlp_v.dwconv.bn")
        local = self.conv(local, f"{mlp}mlp_v.dwconv.conv2", padding=1, groups=groups)
        wide = wide + self.weights[f"{mlp}mlp_v.gamma"] * local.flatten(2).transpose(1, 2)
        value = self.layer_norm(self.linear(wide, f"{mlp}mlp_v.fc2"), f"{mlp}norm_v", 1e-5)
        return x + self.weights[f"{name}gamma2"] * value * weight.reshape(b, 1, c)

    def class_attention(self, x: Tensor, name: str, heads: int) -> Tensor:
        b, n, c = x.shape
        normed = self.layer_norm(x, f"{name}norm1", 1e-6)
        query = self.linear(normed[:, :1], f"{name}attn.q").reshape(b, 1, heads, -1)
        key, value = (
            self.linear(normed, f"{name}attn.{part}").reshape(b, n, heads, -1) for part in "kv"
        )
        scores = torch.einsum("bnhc,bmhc->bhnm", query, key) / math.sqrt(c // heads)
        mixed = torch.einsum("bhnm,bmhc->bnhc", scores.softmax(-1), value).reshape(b, 1, c)
        seen = torch.cat([self.linear(mixed, f"{name}attn.proj"), normed[:, 1:]], dim=1)
        x = self.layer_norm(x + self.weights[f"{name}gamma1"] * seen, f"{name}norm2", 1e-6)
        token = self.linear(x[:, :1], f"{name}mlp.fc1")
        token = self.weights[f"{name}gamma2"] * self.linear(
            functional.gelu(token), f"{name}mlp.fc2"
        )
        return x + torch.cat([token, x[:, 1:]], dim=1)
