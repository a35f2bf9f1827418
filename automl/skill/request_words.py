"""What a request in plain English says about searching: on, off, or nothing.

The words are looked for as *statements*: a phrase that asks for a search or against one, with the
negation before it, if any ("do not turn off AutoML" asks for one). Where a request holds several
statements the last one counts, as it does when people correct themselves. What tells of a training
there was ("the plain training was bad last time"), compares with one, or asks a question is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from automl.skill.request_patterns import NAMED, OFF, ON, PUT

__all__ = ["Reading", "Statement", "read_request"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a request asks for.

    Attributes:
        searches: True for a search, False for one plain training.
        words: The words that say so, as they stand in the request.
    """

    searches: bool
    words: str

    @property
    def said(self) -> str:
        """The words, and what they ask for."""
        return f'"{self.words}" ({"on" if self.searches else "off"})'


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a request.

    Attributes:
        statement: The order that counts; None if there is none.
        against: The last order that says the opposite.
        unclear: Words about searching that give no order, where nothing else in the request does.
    """

    statement: Statement | None = None
    against: Statement | None = None
    unclear: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A statement and where it stands; ``end`` counts a ``please`` after it as well."""

    start: int
    end: int
    statement: Statement


_NEGATION: Final = re.compile(
    r"(?P<negation>\b(?:do\s+not|does\s+not|did\s+not|don'?t|doesn'?t|didn'?t|never|not|without"
    r"|no\s+(?:need|reason|point)|unnecessary|need\s*n[o']t|needn'?t|should\s*n'?[o']?t|mustn'?t"
    r"|must\s+not|can'?t|cannot|won'?t|wouldn'?t|refrain\s+from|instead\s+of|rather\s+than"
    r"|stop|nor)"
    r"(?:\s+(?:ever|you|to|want|wish|please|simply|actually|even|have|be|being|go|going|ahead"
    r"|and|try|like|me|us|need|for|in|of|any|a|the|see|that|think|we|should|would|plan|planning"
    r"|intend|supposed|use|using|do|doing|run|running|start))*\s+)$"
)
_CLAUSE_END: Final = re.compile(r"[.;!?\n]|,\s+(?:but|and|just|only|so|then)\b|\bbut\b")
_PART_END: Final = re.compile(
    r"[.,:;!?\n()]|\s[-\u2013\u2014]+\s|\b(?:but|because|since|so|then)\b"
)
_PLEASE: Final = re.compile(r",?\s+please\b", re.IGNORECASE)

_WHEN = r"(?:\s+(?:(?:last|previous|the\s+other)\s+\w+|yesterday|before|earlier|so\s+far))?"
#: What follows a training or a search that is told of, not asked for.
_TOLD_AFTER: Final = re.compile(
    rf"^(?:\s+(?:run|runs|job|result|results))?{_WHEN}\s+(?:"
    r"was|were|had|gave|got|took|fail(?:s|ed)|did(?:n't)?|performed|looked|produced|ended|crashed"
    r"|diverged|reached|scored|wasn't|weren't|worked|came|left|cost|overfit(?:ted)?|could|couldn't"
    r"|underperformed|disappointed|plateaued|stalled|ran|went|has\s+(?:been|failed|given)"
    r"|(?:is|are|isn't|aren't)(?:\s+not)?\s+(?:\w+ly\s+|too\s+|so\s+)?(?:enough|bad|poor|worse|weak"
    r"|insufficient|useless|terrible|disappointing|slow|good\s+enough))\b",
    re.IGNORECASE,
)
#: What comes before one that is told of, or compared with.
_TOLD_BEFORE: Final = re.compile(
    r"(?:\b(?:last|previous|earlier|former|yesterday's|old|prior|first)\s+(?:\w+'s\s+)?"
    r"|\b(?:compar(?:e|ed|ing)|versus|vs\.?|beat(?:s|ing)?|improv(?:e|es|ing)\s+(?:on|over)"
    r"|unlike|(?<!rather\s)than|from)\s+(?:it\s+)?(?:with|to)?\s*"
    r"(?:(?:the|a|an|our|my|your|its)\s+)*"
    r"|\b(?:we|i|they|he|she|you|someone|somebody|colleagues?|team)\s+"
    r"(?:(?:have|had|already|just|once|only|all|also)\s+)*"
    r"(?:ran|did|used|tried|made|had|started|performed|applied|turned|switched|disabled|enabled"
    r"|skipped|went|got|trained)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
_WAS_WITHIN: Final = re.compile(r"\b(?:was|were|had\s+been|has\s+been)\b", re.IGNORECASE)
_ASKS: Final = re.compile(
    r"^\W*(?:should|shall|do|does|did|is|are|was|why|what|when|how|which|who)\b", re.IGNORECASE
)
_ANSWER: Final = re.compile(r"^[^.;!?\n]*\?\s*(?P<word>\w+)?", re.IGNORECASE)
_NO: Final = frozenset({"no", "nope", "nah", "not", "never"})
_YES: Final = frozenset({"yes", "yeah", "yep", "sure", "ok", "okay"})


def read_request(request: str) -> Reading:
    """What a request asks for; of several orders the last counts."""
    text = request.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    found = _orders(text)
    if not found:
        mention = re.search(rf"\b{NAMED}", text, re.IGNORECASE)
        return Reading(unclear=" ".join(mention.group().split()) if mention else "")
    # Of statements that end together the longest holds the others: "without turning AutoML off"
    # ends where "AutoML off" does.
    last = max(found, key=lambda each: (each.end, -each.start))
    return Reading(last.statement, _opposite(found, last))


def _opposite(found: list[_Found], last: _Found) -> Statement | None:
    """The last order that says the opposite, parts of longer phrases left out."""
    whole: list[_Found] = []
    for each in sorted(found, key=lambda one: one.start - one.end):
        if all(each.end <= other.start or other.end <= each.start for other in whole):
            whole.append(each)
    searches = last.statement.searches
    against = [each for each in whole if each.statement.searches != searches]
    others = [each for each in against if each.end <= last.start]
    return max(others, key=lambda one: one.end).statement if others else None


def _orders(text: str) -> list[_Found]:
    found = [*_statements(text, OFF, searches=False), *_statements(text, ON, searches=True)]
    if re.search(NAMED, text, re.IGNORECASE):
        found += _statements(text, (rf"\b{PUT}\s+it\s+off\b",), searches=False)
        found += _statements(text, (rf"\b{PUT}\s+it\s+on\b",), searches=True)
    return found


def _statements(text: str, patterns: tuple[str, ...], *, searches: bool) -> Iterator[_Found]:
    for pattern in patterns:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            negation = _negation_before(text, match.start())
            if negation is None and _is_told(text, match):
                continue
            answer = _answered(text, match)
            if answer is None:
                continue
            is_negated = bool(match.groupdict().get("inner")) != (negation is not None)
            start = match.start() if negation is None else negation
            please = _PLEASE.match(text, match.end())
            end = match.end() if please is None else please.end()
            words = " ".join(text[start : match.end()].split())
            yield _Found(start, end, Statement(searches ^ is_negated ^ answer, words))


def _negation_before(text: str, start: int) -> int | None:
    """Where the negation that governs the words from ``start`` on begins, or None."""
    begin = max((clause.end() for clause in _CLAUSE_END.finditer(text, 0, start)), default=0)
    match = _NEGATION.search(text[begin:start].lower())
    return begin + match.start("negation") if match else None


def _is_told(text: str, match: re.Match[str]) -> bool:
    """Whether the words tell of what there was, or compare with it."""
    begin = max((part.end() for part in _PART_END.finditer(text, 0, match.start())), default=0)
    return bool(
        _WAS_WITHIN.search(match.group())
        or _TOLD_AFTER.match(text[match.end() :])
        or _TOLD_BEFORE.search(text[begin : match.start()])
    )


def _answered(text: str, match: re.Match[str]) -> bool | None:
    """Whether a question is answered by no; None for one that gives no order.

    An order is none, a polite question is an order, and so is a question answered by yes.
    """
    begin = max(text.rfind(sign, 0, match.start()) for sign in ".;!?\n") + 1
    question = _ANSWER.match(text[match.end() :])
    if question is None:
        return False
    word = (question["word"] or "").lower()
    if word in _NO:
        return True
    is_question = _ASKS.match(text[begin : match.start()] or " ") is not None
    return None if is_question and word not in _YES else False
