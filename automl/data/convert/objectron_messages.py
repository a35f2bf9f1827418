"""The messages of Objectron's annotation files, described to the library ``protobuf``.

Only the fields that a conversion reads are named; the library skips all others. Numbers and types
are those of the published ``annotation_data.proto``, ``object.proto`` and
``a_r_capture_metadata.proto``.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["parse_sequence", "sequence_message"]

_PACKAGE: Final = "automl.objectron"
#: Message to field: its number, its type (another message's name, or a scalar), whether repeated.
_MESSAGES: Final[Mapping[str, Mapping[str, tuple[int, str, bool]]]] = {
    "NormalizedPoint2D": {"x": (1, "float", False), "y": (2, "float", False)},
    "Point3D": {"x": (1, "float", False), "y": (2, "float", False), "z": (3, "float", False)},
    "AnnotatedKeyPoint": {
        "id": (1, "int32", False),
        "point_3d": (2, "Point3D", False),
        "point_2d": (3, "NormalizedPoint2D", False),
    },
    "ObjectAnnotation": {
        "object_id": (1, "int32", False),
        "keypoints": (2, "AnnotatedKeyPoint", True),
        "visibility": (3, "float", False),
    },
    "ARCamera": {
        "image_resolution_width": (5, "int32", False),
        "image_resolution_height": (6, "int32", False),
        "intrinsics": (7, "float", True),
        "view_matrix": (9, "float", True),
    },
    "FrameAnnotation": {
        "frame_id": (1, "int32", False),
        "annotations": (2, "ObjectAnnotation", True),
        "camera": (3, "ARCamera", False),
        "plane_center": (5, "float", True),
        "plane_normal": (6, "float", True),
    },
    "Object": {
        "id": (1, "int32", False),
        "category": (2, "string", False),
        "scale": (6, "float", True),
    },
    "Sequence": {
        "objects": (1, "Object", True),
        "frame_annotations": (2, "FrameAnnotation", True),
    },
}
_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "float": _FIELD.TYPE_FLOAT,
    "int32": _FIELD.TYPE_INT32,
    "string": _FIELD.TYPE_STRING,
}


@cache
def sequence_message() -> Any:
    """The class of the message that an annotation file holds."""
    file = descriptor_pb2.FileDescriptorProto(
        name="automl/objectron.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            added.type = _SCALARS.get(kind, _FIELD.TYPE_MESSAGE)
            if kind not in _SCALARS:
                added.type_name = f".{_PACKAGE}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Sequence"))


def parse_sequence(content: bytes) -> Any:
    """The sequence in the content of an annotation file.

    Raises:
        ValueError: It holds none, or one without frames.
    """
    sequence = sequence_message()()
    try:
        sequence.ParseFromString(content)
    except DecodeError as error:
        raise ValueError("no message of Objectron's") from error
    if not sequence.frame_annotations:
        raise ValueError("no annotated frame")
    return sequence
