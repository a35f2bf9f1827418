"""A small schema that holds a bit of everything, and the spaces built from it."""

from collections.abc import Callable
from typing import Any

import pytest

from automl.skill.asked import parse_freeze, parse_search
from automl.skill.profile import Profile
from automl.skill.schema import SchemaTree, parse_schema
from automl.space.build import build_space
from automl.space.model import Ceiling, SearchSpace
from automl.space.request import SpaceRequest

Node = dict[str, Any]
Build = Callable[..., SearchSpace]


def _group(**properties: Node) -> Node:
    return {"type": "collection", "properties": properties}


def _leaf(type_word: str, default: Any, **more: Any) -> Node:
    return {"type": type_word, "default": default, **more}


@pytest.fixture
def raw() -> Node:
    """A raw schema; its default parameters are the learning rate and its decay."""
    return {
        "automl_default_parameters": ["train.optim.lr", "train.optim.lr_decay"],
        "automl_disabled_parameters": ["train.optim", "train.optim.lr_steps", "wandb"],
        "properties": {
            "wandb": _group(enable=_leaf("bool", True)),
            "dataset": _group(
                batch_size=_leaf("int", 4, minimum=1, maximum=float("inf")),
                flip=_leaf("float", 0.5, minimum=0.1, maximum=1.0),
                crop_min=_leaf("int", 384, minimum=32, maximum=1024, parent_param="TRUE"),
                crop_max=_leaf(
                    "int",
                    600,
                    minimum=32,
                    maximum=800,
                    math_cond="> depends_on",
                    depends_on="dataset.crop_min",
                ),
            ),
            "model": _group(
                hidden_dim=_leaf("int", 256, minimum=60, maximum=1024, math_cond="/ 8"),
                rank=_leaf("int", 8, minimum=1, maximum=256, math_cond="^ 2"),
                shift=_leaf("int", -1, minimum=-2, maximum=3, math_cond="!= 0"),
                num_queries=_leaf("int", 300, minimum=1, maximum=float("inf")),
                num_select=_leaf(
                    "int", 300, minimum=1, maximum=1000, depends_on="model.num_queries"
                ),
                backbone=_leaf("categorical", "small", enum=["small", " large "]),
                name=_leaf("string", "fan"),
                head=_leaf("int", 256, minimum=256, maximum=256),
                layers=_leaf("subset_list", ["a"], enum=["a", "b"], automl_enabled=False),
                drop_rate=_leaf("float", 0.0, minimum=0.0),
                scale=_leaf("float", 0.0),
            ),
            "train": _group(
                num_epochs=_leaf("int", 10, minimum=1),
                decay_type=_leaf(
                    "categorical",
                    "linear",
                    enum=["linear", "sqrt", "cosine", "none"],
                    option_weights=[0.1, 0.1, 0.4, 0.4],
                ),
                optim=_group(
                    lr=_leaf("float", 6e-5, minimum=0.0, maximum=float("inf")),
                    lr_decay=_leaf("float", 0.1, minimum=0.0, maximum=float("inf")),
                    lr_steps=_leaf("list", [90, 120], automl_enabled=False),
                    betas=_leaf("list_2", [0.9, 0.999], minimum=[0.8, 0.9], maximum=[0.95, 0.999]),
                    weight_decay=_leaf("float", 1e-4, maximum=0.1, math_cond="> 0.0"),
                ),
            ),
            "evaluate": _group(opencv=_leaf("bool", True)),
        },
    }


@pytest.fixture
def schema(raw: Node) -> SchemaTree:
    return parse_schema(raw, where="test", action="train")


@pytest.fixture
def build(schema: SchemaTree) -> Build:
    """``build(search=(...), freeze=(...), space=..., base={...}, profile=..., ...)``."""

    def make(
        *search: str,
        freeze: tuple[str, ...] = (),
        space: str = "default",
        base: dict[str, Any] | None = None,
        profile: Profile | None = None,
        ceilings: tuple[Ceiling, ...] = (),
        trainer: str = "",
    ) -> SearchSpace:
        spec = schema.defaults if base is None else base
        request = SpaceRequest(
            space,
            tuple(map(parse_search, search)),
            tuple(map(parse_freeze, freeze)),
            {"learning_rate": "train.optim.lr"},
        )
        return build_space(schema, spec, request, profile or Profile(), ceilings, trainer)

    return make
