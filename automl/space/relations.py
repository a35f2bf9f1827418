"""How numbers compare: the relations of conditions, of links and of narrowed ranges."""

from enum import StrEnum

__all__ = ["LOWER", "UPPER", "Number", "Relation", "compare"]

Number = float | int


class Relation(StrEnum):
    """How a value compares with another."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    NOT = "!="


#: Relations that bound a value from below, and from above.
LOWER = (Relation.ABOVE, Relation.AT_LEAST)
UPPER = (Relation.BELOW, Relation.AT_MOST)


def compare(value: Number, relation: Relation, number: Number) -> bool:
    """Whether *value relation number* holds."""
    match relation:
        case Relation.ABOVE:
            return value > number
        case Relation.AT_LEAST:
            return value >= number
        case Relation.BELOW:
            return value < number
        case Relation.AT_MOST:
            return value <= number
        case Relation.NOT:
            return value != number
