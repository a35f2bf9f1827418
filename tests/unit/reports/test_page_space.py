"""The space on the page: each range with its reasons, also of lists, sets and what follows."""

import html
import re
from pathlib import Path

from automl.reports.html import render_html
from automl.reports.summary import read_summary
from automl.skill.schema import parse_schema
from automl.space.build import build_space
from automl.space.request import SpaceRequest
from tests.unit.reports.study_builder import StudyBuilder, Told

_WHOLE = {"type": "int", "minimum": 1, "maximum": 64, "default": 8, "automl_enabled": True}
_LEAVES = {
    "lr": {"type": "float", "minimum": 0, "default": 6e-5, "automl_enabled": True},
    "width": {**_WHOLE, "math_cond": "/ 8"},
    "rank": {**_WHOLE, "math_cond": "^ 2"},
    "below": {**_WHOLE, "depends_on": "train.width"},
    "milestones": {"type": "list_2", "default": [3, 6], "minimum": 1, "maximum": 9},
    "head": {**_WHOLE, "minimum": 8, "maximum": 8},
    "shape": {"type": "float", "default": 0.25},
}


def _rows(page: str) -> dict[str, str]:
    """The words of each row, or list entry, that begins with a key."""
    found = re.findall(r"<(?:tr|li)><?(?:td)?>?<code>(.*?)</(?:tr|li)>", page, re.DOTALL)
    texts = (html.unescape(re.sub(r"<[^>]+>", " ", one)) for one in found)
    return {text.split()[0]: " ".join(text.split()[1:]) for text in reversed(list(texts))}


def test_each_kind_of_parameter_has_its_reasons(studies_dir: Path) -> None:
    raw = {"properties": {"train": {"type": "collection", "properties": _LEAVES}}}
    schema = parse_schema(raw, where="test", action="train")
    space = build_space(schema, schema.defaults, SpaceRequest("all"))
    builder = StudyBuilder(studies_dir, space=space)
    builder.add(0, Told({one.key: one.default for one in space}, [0.2]))
    rows = _rows(render_html(read_summary(builder.folder)).decode())
    assert rows["train.lr"].startswith("6e-6 to 0.0006 log 6e-5 low: rate rule: the base value")
    assert "range: schema m" not in rows["train.lr"]
    assert rows["train.rank"].startswith("1, 2, 4, 8, 16, 32, 64")
    assert rows["train.rank"].endswith("choices: condition ^ 2; obeys: ^ 2")
    assert rows["train.width"].endswith("scale: linear: multiples of 8; obeys: / 8")
    assert "obeys: <= train.width" in rows["train.below"]
    assert rows["train.milestones"].startswith("[1, 2] to [8, 9] linear [3, 6]")
    assert rows["train.milestones"].endswith("obeys: each above the one before")
    assert rows["train.head"] == "is fixed at 8"
    assert rows["train.shape"].startswith("was refused: the schema gives no finite minimum")
