"""Spec templates: the schema's defaults, and the few values that must differ from them.

``OVERLAY`` is the one place where a template departs from its schema, ``DEPLOY_OVERLAY`` where one
departs from what NVIDIA packages; each departure has its reason, which is written into the
template as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from automl.centerpose.config.experiment import ACTIONS
from automl.centerpose.packaging.schema import default_tree

__all__ = [
    "DEPLOY_OVERLAY",
    "DEPLOY_TEMPLATES",
    "OVERLAY",
    "Departure",
    "departures",
    "template_tree",
]


@dataclass(frozen=True, slots=True)
class Departure:
    """One value of a template that is not the schema's default.

    Attributes:
        key: Dotted key.
        value: The value in the template.
        actions: Templates that have it.
        reason: Why.
    """

    key: str
    value: Any
    actions: tuple[str, ...]
    reason: str


OVERLAY = (
    Departure(
        "wandb.enable",
        False,
        ACTIONS,
        "a spec that says nothing about logging must not try to reach a server",
    ),
    Departure(
        "evaluate.opencv",
        False,
        ("train", "evaluate"),
        "annotations are not in OpenCV's camera frame: with true every 3D overlap is 0, and so is "
        "the metric of every validation",
    ),
)


#: Where a deploy template departs from the one that NVIDIA packages.
DEPLOY_OVERLAY = (
    Departure(
        "gen_trt_engine.tensorrt.opt_batch_size",
        4,
        ("gen_trt_engine",),
        "NVIDIA's template has 1, below the 4 that its schema asks for at least",
    ),
    Departure(
        "gen_trt_engine.tensorrt.max_batch_size",
        8,
        ("gen_trt_engine",),
        "NVIDIA's template has 4, below the 8 that its schema asks for at least",
    ),
    Departure(
        "gen_trt_engine.tensorrt.data_type",
        "FP32",
        ("gen_trt_engine",),
        "NVIDIA's template has fp32, which its schema spells in capitals",
    ),
)


def departures(action: str) -> tuple[Departure, ...]:
    """What an action's template has instead of the schema's defaults."""
    return tuple(departure for departure in OVERLAY if action in departure.actions)


def template_tree(action: str) -> dict[str, Any]:
    """The spec template of an action as nested plain values, in the order of a spec."""
    tree = default_tree(action)
    for departure in departures(action):
        block, name = departure.key.split(".")
        tree.setdefault(block, {})[name] = departure.value
    return tree


_REQUIRED = "<required>"
_SHARED: Mapping[str, Any] = {"encryption_key": "tlt_encode", "results_dir": "/results"}
_ENGINE = "/results/centerpose.engine"
_LOADING: Mapping[str, Any] = {"num_classes": 1, "batch_size": 1, "workers": 4}

DEPLOY_TEMPLATES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "gen_trt_engine": {
            **_SHARED,
            "gen_trt_engine": {
                "gpu_id": 0,
                "onnx_file": "/models/model.onnx",
                "trt_engine": _ENGINE,
                "tensorrt": {
                    "data_type": "FP32",
                    "workspace_size": 1024,
                    "min_batch_size": 1,
                    "opt_batch_size": 4,
                    "max_batch_size": 8,
                    "calibration": {
                        "cal_image_dir": ["/data/calibration/images"],
                        "cal_cache_file": "/results/centerpose_calibration.cache",
                        "cal_batch_size": 10,
                        "cal_batches": 1000,
                    },
                },
            },
        },
        "evaluate": {
            **_SHARED,
            "evaluate": {
                "num_gpus": 1,
                "trt_engine": _ENGINE,
                "opencv": False,
                "eval_num_symmetry": 1,
                "results_dir": "/results",
            },
            "dataset": {"test_data": _REQUIRED, **_LOADING},
        },
        "inference": {
            **_SHARED,
            "dataset": {"inference_data": _REQUIRED, **_LOADING},
            "inference": {
                "trt_engine": _ENGINE,
                "visualization_threshold": 0.3,
                "principle_point_x": 298.3225504557292,
                "principle_point_y": 392.1635182698568,
                "focal_length_x": 651.2994384765625,
                "focal_length_y": 651.2994384765625,
                "skew": 0.0,
                "axis_size": 0.5,
                "use_pnp": True,
                "save_json": True,
                "save_visualization": True,
                "opencv": True,
            },
        },
    }
)
"""Templates of the deploy container by action; paths are those inside it."""
