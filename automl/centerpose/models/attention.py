"""The attention blocks of a FAN, and what its class-attention blocks leave of the tokens.

Source: Zhou et al., "Understanding the Robustness in Vision Transformers", 2022.

Tokens keep their place: they are a map (B, H, W, C) from the first block to the last.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from automl.centerpose.models.depthwise import convolved_apart

__all__ = ["ClassBlock", "FanBlock"]

_MLP_RATIO = 4
_EPSILON = 1e-6
_EPSILON_OF_MLP = 1e-5  # of the normalisation behind the convolutional MLP, as published


class FanBlock(nn.Module):
    """Attention between tokens, then attention between channels, each with a shortcut.

    Args:
        channels: Channels of a token.
        heads: Groups of channels that attend each on their own.
        drop: Share of the images for which training leaves a branch out (stochastic depth).
    """

    def __init__(self, channels: int, heads: int, drop: float) -> None:
        super().__init__()
        self.norm_tokens = nn.LayerNorm(channels, eps=_EPSILON)
        self.tokens = _TokenAttention(channels, heads)
        self.scale_tokens = nn.Parameter(torch.ones(channels))
        self.norm_channels = nn.LayerNorm(channels, eps=_EPSILON)
        self.channels = _ChannelAttention(channels, heads)
        self.scale_channels = nn.Parameter(torch.ones(channels))
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, H, W, C) to tokens of the same shape."""
        x = x + self._thinned(self.scale_tokens * self.tokens(self.norm_tokens(x)))
        return x + self._thinned(self.scale_channels * self.channels(self.norm_channels(x)))

    def _thinned(self, branch: Tensor) -> Tensor:
        """The branch, or zeros for some of the images; its mean over many passes is the branch."""
        if not self.training or self.drop == 0.0:
            return branch
        kept = torch.rand(branch.shape[0], 1, 1, 1, device=branch.device) >= self.drop
        return branch * (kept.to(branch.dtype) / (1.0 - self.drop))


class _TokenAttention(nn.Module):
    """Softmax attention of every token to all tokens of its image."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        parts = self.query_key_value(x).view(b, h * w, 3, self.heads, c // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, H*W, C/heads)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        answer: Tensor = self.project(mixed.transpose(1, 2).reshape(b, h, w, c))
        return answer


class _ChannelAttention(nn.Module):
    """A convolutional MLP whose channels are weighed by how they agree with a prototype.

    The prototype of a head is the mean over its channels of their softmax over the tokens. Each
    channel's own query, a softmax over the tokens too, is compared with it: the weight is the
    sigmoid of their product, times a learnt temperature.
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(channels, channels)
        self.mlp = _ConvMlp(channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON_OF_MLP)
        self.temperature = nn.Parameter(torch.ones(heads, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, _, _, c = x.shape
        prototype = self._over_tokens(x).mean(dim=2)  # (B, heads, H*W)
        query = self._over_tokens(self.query(x))
        agreement = torch.einsum("bkcn,bkn->bkc", query, prototype)
        weight = torch.sigmoid(agreement) * self.temperature
        answer: Tensor = self.norm(self.mlp(x)) * weight.reshape(b, 1, 1, c)
        return answer

    def _over_tokens(self, x: Tensor) -> Tensor:
        """(B, heads, C/heads, H*W): each channel's softmax over the tokens.

        The tokens come last, since torch's softmax along any other axis takes many times longer.
        """
        b, _, _, c = x.shape
        lines = x.flatten(1, 2).transpose(1, 2).contiguous()
        return lines.view(b, self.heads, c // self.heads, -1).softmax(dim=-1)


class _ConvMlp(nn.Module):
    """Two linear layers, and between them what two depthwise 3x3 convolutions add."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = _MLP_RATIO * channels
        self.widen = nn.Linear(channels, hidden)
        self.around = nn.Sequential(
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden),
            nn.GELU(),
            nn.BatchNorm2d(hidden),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden),
        )
        self.scale = nn.Parameter(torch.ones(hidden))
        self.narrow = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.widen(x)
        first, act, norm, last = self.around.children()
        local = act(convolved_apart(wide, cast("nn.Conv2d", first)))
        local = norm(local.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        local = convolved_apart(local, cast("nn.Conv2d", last))
        answer: Tensor = self.narrow(wide + self.scale * local)
        return answer


class ClassBlock(nn.Module):
    """What a class-attention block of the container does to the tokens of the image.

    There the class token attends to the tokens, and passes an MLP. Nothing reads that token in a
    network without a classifier, so that of the whole block two normalisations are left: each
    token t becomes 2 norm(t + scale norm(t)).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.scale = nn.Parameter(torch.ones(channels))
        self.norm_again = nn.LayerNorm(channels, eps=_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, H, W, C) to tokens of the same shape."""
        found: Tensor = 2.0 * self.norm_again(x + self.scale * self.norm(x))
        return found
