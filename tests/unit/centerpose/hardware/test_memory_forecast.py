"""The forecast of memory against what the networks keep in truth."""

from dataclasses import replace

import pytest
import torch

from automl.centerpose.config.model import Model
from automl.centerpose.hardware.footprint import saved_bytes
from automl.centerpose.hardware.memory_forecast import MEMORY_NEEDS, ON_THE_WAY_MIB, forecast_mib
from automl.centerpose.models.build import BUILDERS, build_network

SIDE = 128


def test_every_network_is_known() -> None:
    assert set(MEMORY_NEEDS) == set(BUILDERS)


@pytest.mark.parametrize("name", ["nano", "DLA34"])
def test_it_is_not_far_from_what_a_forward_pass_keeps(name: str) -> None:
    model = Model()
    network = build_network(replace(model, backbone=replace(model.backbone, model_type=name)))
    millions = sum(weight.numel() for weight in network.parameters()) / 1e6
    assert MEMORY_NEEDS[name].parameters == pytest.approx(millions, rel=0.02)
    image = torch.zeros(1, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    for precision in ("fp32", "bf16"):
        mib = [forecast_mib(name, batch, SIDE, precision) for batch in (64, 128)]
        assert mib[0] is not None
        assert mib[1] is not None
        per_image = (mib[1] - mib[0]) / 64 - ON_THE_WAY_MIB * (SIDE / 512) ** 2
        kept = saved_bytes(network, image, precision) / 2**20
        # The weights that half precision casts are kept once, however many images there are.
        kept -= 0.0 if precision == "fp32" else 2 * millions * 1e6 / 2**20
        assert 0.8 * kept < per_image < 2.5 * kept
