"""The convolutional GRU that lets the heads decide one after the other.

The same feature map is fed three times; the three hidden states serve three groups of heads:
where the object is, where its corners are, and how large it is.
"""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from automl.centerpose.models.convolve import convolved
from automl.centerpose.models.kernels import has_kernels

__all__ = ["HEAD_STEP", "ConvGRU"]

HEAD_STEP: Mapping[str, int] = MappingProxyType(
    {"hm": 0, "wh": 0, "reg": 0, "hm_hp": 1, "hp_offset": 1, "hps": 1, "scale": 2}
)
"""Head name -> which hidden state it reads."""


class ConvGRU(nn.Module):
    """One GRU cell of 3x3 convolutions: h' = (1 - z) n + z h, n = tanh(W x + r (U h)).

    The three gates of a kind are one wide convolution, and W x is computed once, since x never
    changes. U has no bias, and the hidden state begins as zeros, so that U h is nothing at first.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.of_input = nn.Conv2d(inputs, 3 * hidden, 3, padding=1)
        self.of_hidden = nn.Conv2d(hidden, 3 * hidden, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The hidden states after one, two and three steps from zero, each (B, hidden, H, W)."""
        if has_kernels(x):
            return self._in_few_passes(x)
        given = self.of_input(x)  # (B, 3 hidden, H, W): reset, update, new
        first = _first(given)
        second = _next(given, self.of_hidden(first), first)
        return first, second, _next(given, self.of_hidden(second), second)

    def _in_few_passes(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same: the convolutions without their biases, which the kernel of the gates adds."""
        from automl.centerpose.models.gates_gpu import Biases, gates

        of_input, of_hidden = self.of_input, self.of_hidden
        bias = of_input.get_parameter("bias")
        biases = Biases(bias, torch.zeros_like(bias))
        given = convolved(x, of_input)
        given, first, heard, state = gates(given, None, None, biases, uses=3)
        heard = convolved(heard, of_hidden)
        given, second, heard, state = gates(given, heard, state, biases, uses=3)
        heard = convolved(heard, of_hidden)
        _, third = gates(given, heard, state, biases, uses=1)
        return first, second, third


def _first(given: Tensor) -> Tensor:
    """The state after one step from zero, from W x."""
    _, w_update, w_new = given.chunk(3, dim=1)
    return (1.0 - torch.sigmoid(w_update)) * torch.tanh(w_new)


def _next(given: Tensor, heard: Tensor, state: Tensor) -> Tensor:
    """The next state from W x, U h and h."""
    w_reset, w_update, w_new = given.chunk(3, dim=1)
    u_reset, u_update, u_new = heard.chunk(3, dim=1)
    reset, update = torch.sigmoid(w_reset + u_reset), torch.sigmoid(w_update + u_update)
    new = torch.tanh(w_new + reset * u_new)
    return new + update * (state - new)
