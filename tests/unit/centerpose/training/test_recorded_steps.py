"""Steps that a GPU replays, against the same steps launched one by one."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from automl.centerpose.batches.batch import Batch  # noqa: E402
from automl.centerpose.config.model import Backbone, Model  # noqa: E402
from automl.centerpose.config.train import Train  # noqa: E402
from automl.centerpose.hardware.device import mixed  # noqa: E402
from automl.centerpose.models.build import build_network  # noqa: E402
from automl.centerpose.session.interrupt import Interrupt  # noqa: E402
from automl.centerpose.training.optimiser import Optimiser  # noqa: E402
from automl.centerpose.training.process_group import SingleProcess  # noqa: E402
from automl.centerpose.training.steps import (  # noqa: E402
    RECORD_VARIABLE,
    RecordedSteps,
    Steps,
    can_record,
)
from automl.errors import FixInput  # noqa: E402

CPU = torch.device("cpu")
N_STEPS = 8
SIDE = 64


def network(model_type: str = "nano") -> nn.Module:
    torch.manual_seed(0)
    return build_network(Model(backbone=Backbone(model_type=model_type)))


def test_only_a_gpu_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda", 0)
    assert not can_record(network(), CPU)
    assert can_record(network(), cuda)
    monkeypatch.setenv(RECORD_VARIABLE, "off")
    assert not can_record(network(), cuda)


def test_a_network_that_computes_twice_is_not_recorded() -> None:
    fan = network("fan_small")
    fan.backbone.checkpointing = True  # type: ignore[union-attr]
    assert not can_record(fan, torch.device("cuda", 0))


def test_another_wish_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RECORD_VARIABLE, "yes")
    with pytest.raises(FixInput, match="auto or off"):
        can_record(network(), CPU)


def learnt(
    kind: type[Steps], rates: list[float], precision: str = "fp32"
) -> tuple[list[float], dict[str, Tensor]]:
    """The losses of some steps on the GPU, and the weights after them."""
    gpu = torch.device("cuda", 0)
    trained = network().to(gpu)
    trained.train()
    optimiser = Optimiser(trained, Train(precision=precision), SingleProcess((0,), Interrupt()))

    def losses(images: Tensor, targets: dict[str, Tensor]) -> Tensor:
        with mixed(gpu, precision):
            found: Tensor = trained(images)["hm"]
        return (found.float() - targets["hm"]).square().mean()

    steps = kind(losses, optimiser, SingleProcess((0,), Interrupt()))  # type: ignore[arg-type]
    generator = torch.Generator(gpu).manual_seed(1)
    seen = []
    for rate in rates:
        images = torch.rand(2, SIDE, SIDE, 3, device=gpu, generator=generator)
        heatmap = torch.rand(2, 1, SIDE // 4, SIDE // 4, device=gpu, generator=generator)
        optimiser.set_rate(rate)
        seen.append(steps.take(Batch(images, {"hm": heatmap}, ())).clone())
    return [loss.item() for loss in seen], trained.state_dict()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_replayed_steps_learn_what_launched_ones_learn(precision: str) -> None:
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    rates = [1e-3] * (N_STEPS // 2) + [1e-4] * (N_STEPS // 2)
    one, weights = learnt(Steps, rates, precision)
    two, others = learnt(RecordedSteps, rates, precision)
    assert len(set(two)) == N_STEPS
    assert two == pytest.approx(one, rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(others[name], weight, rtol=1e-4, atol=1e-5)
