"""The kinds of input by name."""

from collections.abc import Mapping

from tests.fuzzing.data import ANNOTATIONS, ARCHIVES, IMAGES
from tests.fuzzing.kind import Kind
from tests.fuzzing.specs import OVERRIDES, SCHEMAS, SPECS
from tests.fuzzing.status import STATUS_LINES
from tests.fuzzing.studies import JOURNALS, RECORDS

__all__ = ["KINDS"]

KINDS: Mapping[str, Kind] = {
    "annotations": ANNOTATIONS,
    "images": IMAGES,
    "archives": ARCHIVES,
    "specs": SPECS,
    "overrides": OVERRIDES,
    "schemas": SCHEMAS,
    "status-lines": STATUS_LINES,
    "journals": JOURNALS,
    "records": RECORDS,
}
