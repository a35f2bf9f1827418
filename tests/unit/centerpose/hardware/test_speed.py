"""How a network is laid out and compiled; the compiler itself is replaced by one that counts."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from automl.centerpose.config.experiment import Experiment
from automl.centerpose.hardware.speed import COMPILE_VARIABLE, compile_blocks, tune_network
from automl.centerpose.models.fan import FAN, FanSize
from automl.centerpose.models.nano import Nano
from automl.errors import FixInput

CPU = torch.device("cpu")


class Counting:
    """A compiler that changes nothing."""

    def __init__(self) -> None:
        self.n_compiled = 0

    def __call__(self, graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        self.n_compiled += 1
        return graph


def test_a_cpu_compiles_nothing_of_its_own_accord() -> None:
    network = Nano()
    tuned = tune_network(network, Experiment(), CPU, n_steps=1_000_000)
    assert tuned.network is network
    assert tuned.said == ""


def test_an_unknown_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(COMPILE_VARIABLE, "sometimes")
    with pytest.raises(FixInput, match="sometimes"):
        tune_network(Nano(), Experiment(), CPU, n_steps=1)


class Unmoved(FAN):
    """A network that no device takes."""

    def to(self, *_: Any, **__: Any) -> "Unmoved":
        return self


@pytest.mark.parametrize(
    ("compiler", "n_steps", "words"),
    [("", 1_000_000, "no C compiler"), ("", 1, "no C compiler"), ("cc", 1, "")],
)
def test_a_gpu_without_a_c_compiler_is_reported_and_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch, compiler: str, n_steps: int, words: str
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CC", compiler)
    network = Unmoved(FanSize(stages=(1, 1), width=16, depth=1, tap=1, heads=2), 32, use_gru=False)
    said = tune_network(network, Experiment(), torch.device("cuda"), n_steps).said
    assert said.startswith(words)
    assert bool(said) is bool(words)


def test_what_is_compiled_is_kept_in_the_packages_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOML_CACHE_DIR", str(tmp_path))
    for given, kept in (("", str(tmp_path / "compiled")), ("/elsewhere", "/elsewhere")):
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", given)
        if not given:
            monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
        compile_blocks(Nano(), Counting())
        assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == kept


def test_networks_without_attention_blocks_are_not_compiled() -> None:
    assert not compile_blocks(Nano(), Counting())


# torch's own compiler takes seconds to load, and looks where torch warns of looking.
@pytest.mark.timeout(60)
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_equal_blocks_share_a_compilation_and_other_passes_cost_none() -> None:
    torch.manual_seed(0)
    network = FAN(FanSize(stages=(2, 1), width=16, depth=3, tap=3, heads=2), 32, use_gru=True)
    for block in network.backbone.stage16:
        block.drop = 0.0  # type: ignore[assignment]
    names, image = list(network.state_dict()), torch.randn(2, 3, 64, 64)
    plain = gradients(network, image)
    torch.compiler.reset()
    counting = Counting()
    assert compile_blocks(network, counting)
    torch.testing.assert_close(gradients(network, image), plain)
    n_compiled, n_blocks = counting.n_compiled, 2 + 1 + 3 + 2 + 6
    assert 0 < n_compiled < n_blocks
    network(image[:1])
    network.eval()(image)
    with torch.no_grad():
        network(image)
    assert counting.n_compiled == n_compiled
    assert list(network.state_dict()) == names
    torch.compiler.reset()


def gradients(network: nn.Module, image: Tensor) -> list[Tensor]:
    maps = network(image)
    total = torch.stack([value.square().mean() for value in maps.values()]).sum()
    return list(torch.autograd.grad(total, list(network.parameters())))
