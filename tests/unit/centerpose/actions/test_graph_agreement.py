"""What counts as the same answer when a written graph is compared with its network."""

import numpy as np
import pytest

from automl.centerpose.deploy.agreement import TOLERANCE, largest_difference
from automl.centerpose.deploy.graph import OUTPUTS

K = 40
Outputs = dict[str, np.ndarray]


@pytest.fixture
def outputs() -> Outputs:
    rng = np.random.default_rng(1)
    made = {name: rng.normal(size=(2, K, n)).astype(np.float32) for name, n in OUTPUTS.items()}
    made["scores"] = np.sort(rng.random((2, K, 1)), axis=1)[:, ::-1].astype(np.float32)
    return made


def _copy(outputs: Outputs) -> Outputs:
    return {name: value.copy() for name, value in outputs.items()}


def test_the_same_is_the_same(outputs: Outputs) -> None:
    assert largest_difference(outputs, _copy(outputs)) == 0.0


def test_the_order_of_detections_is_free(outputs: Outputs) -> None:
    swapped = np.arange(K).reshape(-1, 2)[:, ::-1].ravel()
    other = {name: value[:, swapped] for name, value in outputs.items()}
    assert largest_difference(outputs, other) == 0.0


@pytest.mark.parametrize("name", list(OUTPUTS))
def test_an_error_in_any_output_is_seen(name: str, outputs: Outputs) -> None:
    other = _copy(outputs)
    other[name] += 2 * TOLERANCE
    assert largest_difference(outputs, other) > TOLERANCE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_seen(value: float, outputs: Outputs) -> None:
    other = _copy(outputs)
    other["bboxes"][:, :, 0] = value
    assert largest_difference(outputs, other) == np.inf


def test_an_answer_for_one_image_is_none_for_another(outputs: Outputs) -> None:
    other = {name: value[::-1] for name, value in outputs.items()}
    assert largest_difference(outputs, other) > 0.1


def test_a_peak_on_a_neighbouring_cell_is_forgiven_once_not_often(outputs: Outputs) -> None:
    once, often = _copy(outputs), _copy(outputs)
    once["bboxes"][0, 5] += 1.0
    often["bboxes"][:, :10] += 1.0
    assert largest_difference(outputs, once) <= TOLERANCE
    assert largest_difference(outputs, often) > 0.1
