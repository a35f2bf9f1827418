"""What the skill says about its actions: commands, inputs, outputs, and inferred values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["DEPLOY_SKILL_INFO", "SKILL_INFO"]

_FOLDER: Mapping[str, Any] = {"type": "folder"}
_FILE: Mapping[str, Any] = {"type": "file"}
_FILE_IF_ANY: Mapping[str, Any] = {"type": "file", "optional": True}
_FOLDER_IF_ANY: Mapping[str, Any] = {"type": "folder", "optional": True}


def _action(
    name: str,
    inputs: Mapping[str, Mapping[str, Any]],
    outputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The entry of an action that is started as ``centerpose <name> -e SPEC``."""
    return {
        "command": f"centerpose {name} -e {{config_path}}",
        "config_format": "yaml",
        "mode": "config",
        "inputs": dict(inputs),
        "outputs": {"results_dir": _FOLDER, **(outputs or {})},
        "upload_excludes": ["inputs/"],
    }


SKILL_INFO: Mapping[str, Any] = MappingProxyType(
    {
        "name": "tao-train-centerpose",
        "network_arch": "centerpose",
        "automl_enabled": True,
        "container_image": "tao_toolkit.pyt",
        "data_format": "default",
        "gpu_spec_key": "train.num_gpus",
        "actions": {
            "train": _action(
                "train",
                {
                    "dataset.train_data": _FOLDER,
                    "dataset.val_data": _FOLDER,
                    "model.backbone.pretrained_backbone_path": _FILE_IF_ANY,
                    "train.resume_training_checkpoint_path": _FILE_IF_ANY,
                },
            ),
            "evaluate": _action(
                "evaluate",
                {
                    "dataset.test_data": _FOLDER,
                    "evaluate.checkpoint": _FILE_IF_ANY,
                    "evaluate.trt_engine": _FILE_IF_ANY,
                },
            ),
            "export": _action("export", {"export.checkpoint": _FILE}, {"export.onnx_file": _FILE}),
            "inference": _action(
                "inference",
                {
                    "dataset.inference_data": _FOLDER,
                    "inference.checkpoint": _FILE_IF_ANY,
                    "inference.trt_engine": _FILE_IF_ANY,
                },
            ),
            "gen_trt_engine": {
                "container_image": "tao_toolkit.deploy",
                **_action(
                    "gen_trt_engine",
                    {
                        "gen_trt_engine.onnx_file": _FILE,
                        "gen_trt_engine.tensorrt.calibration.cal_image_dir": _FOLDER_IF_ANY,
                    },
                    {"gen_trt_engine.trt_engine": _FILE},
                ),
            },
        },
        "data_sources": {},
        "spec_params": {
            "train": {
                "encryption_key": "key",
                "model.backbone.pretrained_backbone_path": "ptm_if_no_resume_model",
                "results_dir": "output_dir",
                "train.resume_training_checkpoint_path": "resume_model",
            },
            "evaluate": {
                "encryption_key": "key",
                "evaluate.checkpoint": "parent_model",
                "evaluate.trt_engine": "parent_model",
                "results_dir": "output_dir",
            },
            "export": {
                "encryption_key": "key",
                "export.checkpoint": "parent_model",
                "export.onnx_file": "create_onnx_file",
                "results_dir": "output_dir",
            },
            "gen_trt_engine": {
                "encryption_key": "key",
                "gen_trt_engine.onnx_file": "parent_model",
                "gen_trt_engine.tensorrt.calibration.cal_cache_file": "create_cal_cache",
                "gen_trt_engine.trt_engine": "create_engine_file",
                "results_dir": "output_dir",
            },
            "inference": {
                "encryption_key": "key",
                "inference.checkpoint": "parent_model",
                "inference.trt_engine": "parent_model",
                "results_dir": "output_dir",
            },
        },
        "key_defaults": {},
        "spec_shorthand_keys": {
            "num_epochs": "train.num_epochs",
            "batch_size": "dataset.batch_size",
            "learning_rate": "train.optim.lr",
        },
        "description": "CenterPose finds objects of one category in an RGB image and gives each "
        "its 6-DoF pose and relative size, from the eight corners of its 3D box.",
    }
)
"""Metadata of the training container's actions."""

DEPLOY_SKILL_INFO: Mapping[str, Any] = MappingProxyType(
    {
        "name": "centerpose-deploy",
        "type": "model",
        "network_arch": "centerpose",
        "container_image": "tao_toolkit.deploy",
        "data_format": "default",
        "actions": {
            "gen_trt_engine": _action(
                "gen_trt_engine",
                {"gen_trt_engine.onnx_file": _FILE, "gen_trt_engine.trt_engine": _FILE},
                {"gen_trt_engine.trt_engine": _FILE},
            ),
            "evaluate": _action(
                "evaluate", {"evaluate.trt_engine": _FILE, "dataset.test_data": _FOLDER}
            ),
            "inference": _action(
                "inference", {"inference.trt_engine": _FILE, "dataset.inference_data": _FOLDER}
            ),
        },
        "spec_params": {
            "gen_trt_engine": {
                "results_dir": "output_dir",
                "gen_trt_engine.onnx_file": "parent_model",
                "gen_trt_engine.trt_engine": "create_engine_file",
            },
            "evaluate": {
                "results_dir": "output_dir",
                "evaluate.trt_engine": "parent_model",
            },
            "inference": {
                "results_dir": "output_dir",
                "inference.trt_engine": "parent_model",
            },
        },
        "spec_shorthand_keys": {
            "trt_data_type": "gen_trt_engine.tensorrt.data_type",
            "trt_engine": "gen_trt_engine.trt_engine",
            "batch_size": "dataset.batch_size",
        },
        "description": "Builds a TensorRT engine from an exported CenterPose model, and scores or "
        "runs it, in the deploy container.",
        "spec_templates": {
            "gen_trt_engine": "spec_template_deploy_gen_trt_engine.yaml",
            "evaluate": "spec_template_deploy_evaluate.yaml",
            "inference": "spec_template_deploy_inference.yaml",
        },
        "notes": [
            "An engine knows only what its ONNX file held: category count, input size and the "
            "camera's focal lengths must be those of the exported model.",
            "dataset.batch_size must lie in the engine's batch profile; 1 always does with these "
            "templates.",
            "That an engine was built does not show that it can be scored or run: look at the "
            "exit code and log of each of the three actions.",
        ],
    }
)
"""Metadata of the deploy container's actions."""
