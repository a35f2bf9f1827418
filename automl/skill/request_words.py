"""What a request in plain English says about searching: on, off, or nothing.

The words are looked for as *statements*: a phrase that asks for a search or against one, with the
negation before it, if any ("do not turn off AutoML" asks for one). Where a request holds several
statements the last one counts, as it does when people correct themselves.
"""

import re
from dataclasses import dataclass

__all__ = ["Statement", "statement_in"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a request asks for.

    Attributes:
        searches: True for a search, False for one plain training.
        words: The words that say so, as they stand in the request.
    """

    searches: bool
    words: str


_AUTOML = r"(?:auto[\s_-]?ml(?:[\s_-]policy)?)"
_HPO = (
    r"(?:hpo|hyper[\s-]?param(?:eter)?s?[\s-](?:search(?:es|ing)?|tuning|optimi[sz]ation|sweeps?"
    r"|exploration)|hyper[\s-]?param(?:eter)?s?[\s-]hpo|hyperopt|automatic\stuning)"
)
# Bare words count only where nothing after them says what is searched or tuned: "no search over
# batch sizes" still asks for a search.
_BARE = (
    r"(?:(?:search(?:es|ing)?|tuning|sweep(?:s|ing)?)"
    r"(?!\s+(?:of|over|for|in|on|with|through|across|space|spaces|results?|engine|range)\b))"
)
_SEARCH = rf"(?:{_AUTOML}(?:\s{_BARE})?|{_HPO}|{_BARE})"
_NAMED = rf"(?:{_AUTOML}(?:\s{_BARE})?|{_HPO})"
_FILLER = r"(?:\s+(?:the|any|all|a|an|of|this|that|our|my|your|using|use|doing|running|more))*\s+"
_FORM = r"(?:s|ed|d|ing|ping|ped|ning|t)?"

_OFF_VERB = (
    rf"(?:(?:turn|switch|shut){_FORM}\s+off|disabl(?:e|es|ed|ing)|deactivat(?:e|es|ed|ing)"
    rf"|(?:skip|avoid|drop|omit|bypass|exclud|remov){_FORM}e?|leav(?:e|ing)\s+out|stop\s+using)"
)
_ON_VERB = (
    r"(?:(?:turn|switch)(?:ing)?\s+on|enabl(?:e|es|ed|ing)|activat(?:e|es|ed|ing)|us(?:e|es|ing)"
    r"|run(?:s|ning)?|do(?:ing)?|perform(?:ing)?|start(?:ing)?|want(?:ing)?|need(?:ing)?|with"
    r"|tr(?:y|ying)|appl(?:y|ying)|keep(?:ing)?|go\s+for|include|including)"
)
_PUT = r"(?:turn|switch|shut|set|keep|leave|put|have|want|with)(?:ing|ting)?"
_BE = r"(?:\s+(?:is|be|being|was|to|should|must|shall|may|can|will|has|have|been|set|=|:))*"
_LINK = rf"(?:\s*[:=]\s*[\"']?|{_BE}\s+)"
_NOT = r"(?P<inner>\s+(?:not|never))?"
_NO_DATA = r"(?!\s+(?:data|set|split|image|batch|example|folder|sample|epoch|schedule)s?\b)\b"

_OFF = (
    rf"\b{_OFF_VERB}{_FILLER}{_SEARCH}",
    rf"\b(?:{_PUT}{_FILLER})?{_NAMED}{_LINK}(?:off|disabled|false)\b",
    rf"\b{_SEARCH}{_BE}{_NOT}{_BE}\s+(?:turned\s+off|switched\s+off|disabled|skipped|avoided)\b",
    rf"\b(?:no|without|w/o|minus|sans|zero)(?:{_FILLER}){_SEARCH}",
    r"\b(?:plain|direct|simple|vanilla)(?:\s+(?:old|single|direct|plain))?\s+(?:model\s+)?"
    rf"(?:train(?:ing)?|fine-?tun(?:e|ing)){_NO_DATA}",
    r"\b(?:regular|normal|ordinary|standard|single|one-off)\s+training"
    r"(?:\s+(?:run|job|only))?(?=\s*(?:[.,;!)]|$)|\s+(?:and|without|for|on|of|please)\b)",
    r"\b(?:just|simply|merely)\s+(?:do\s+|run\s+|a\s+|one\s+|plain\s+)*train(?:ing|s)?"
    rf"(?!\s+(?:for|with|on)\b){_NO_DATA}",
    r"\b(?:only\s+train(?:ing)?|train(?:ing)?\s+(?:it\s+|the\s+model\s+)?(?:only|directly|once))"
    r"(?=\s*(?:[.,;!)]|$)|\s+please\b)",
    rf"\bno\s+(?:need|use)\s+(?:for|of){_FILLER}{_SEARCH}",
    rf"\b{_SEARCH}(?:\s+is|\s+are)?(?:n't|\s+not|\s+un)\s*(?:needed|necessary|required|wanted)\b",
    r"\b(?:do\s+not|don't|dont|never|without)\s+(?:search(?:ing)?|tun(?:e|ing))"
    r"(?:\s+(?:anything|any\s+hyper[\s-]?param(?:eter)?s?))?(?=\s*(?:[.,;!)]|$))",
)
_ON = (
    rf"\b{_ON_VERB}{_FILLER}{_SEARCH}",
    rf"\b(?:{_PUT}{_FILLER})?{_NAMED}{_LINK}(?:on|enabled|true)\b",
    rf"\b{_SEARCH}{_BE}{_NOT}{_BE}\s+(?:turned\s+on|switched\s+on|enabled|used|run|performed)\b",
    r"\b(?:search|tune|optimi[sz]e|sweep)(?:ing)?\s+(?:for\s+|over\s+)?(?:the\s+|its\s+|my\s+)?"
    r"(?:best\s+)?hyper[\s-]?param(?:eter)?s?\b",
)
_NEGATION = re.compile(
    r"(?P<negation>\b(?:do\s+not|does\s+not|did\s+not|don'?t|doesn'?t|didn'?t|never|not|without"
    r"|no\s+(?:need|reason|point)|unnecessary|need\s*n[o']t|needn'?t|should\s*n'?[o']?t|mustn'?t"
    r"|must\s+not|can'?t|cannot|won'?t|wouldn'?t|refrain\s+from|instead\s+of|rather\s+than"
    r"|stop|nor)"
    r"(?:\s+(?:ever|you|to|want|wish|please|simply|actually|even|have|be|being|go|going|ahead"
    r"|and|try|like|me|us|need|for|in|of|any|a|the|see|that|think|we|should|would|plan|planning"
    r"|intend|supposed|use|using|do|doing|run|running|start))*\s+)$"
)
_CLAUSE_END = re.compile(r"[.;!?\n]|,\s+(?:but|and|just|only|so|then)\b|\bbut\b")


def statement_in(request: str) -> Statement | None:
    """The last statement about searching in a request, or None if it holds none."""
    text = request.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    statements = [
        *_statements(text, _OFF, searches=False),
        *_statements(text, _ON, searches=True),
    ]
    if re.search(_NAMED, text, re.IGNORECASE):
        statements += _statements(text, (rf"\b{_PUT}\s+it\s+off\b",), searches=False)
        statements += _statements(text, (rf"\b{_PUT}\s+it\s+on\b",), searches=True)
    if not statements:
        return None
    # Of statements that end together the longest holds the others: "without turning AutoML off"
    # ends where "AutoML off" does.
    end = max(stop for _, stop, _ in statements)
    return min((entry for entry in statements if entry[1] == end), key=lambda entry: entry[0])[2]


def _statements(
    text: str, patterns: tuple[str, ...], *, searches: bool
) -> list[tuple[int, int, Statement]]:
    statements = []
    for pattern in patterns:
        for match in re.finditer(pattern, text, re.IGNORECASE):
            start = match.start()
            is_negated = bool(match.groupdict().get("inner"))
            negation = _negation_before(text, start)
            if negation is not None:
                start, is_negated = negation, not is_negated
            words = " ".join(text[start : match.end()].split())
            statements.append((start, match.end(), Statement(searches != is_negated, words)))
    return statements


def _negation_before(text: str, start: int) -> int | None:
    """Where the negation that governs the words from ``start`` on begins, or None."""
    begin = max((clause.end() for clause in _CLAUSE_END.finditer(text, 0, start)), default=0)
    match = _NEGATION.search(text[begin:start].lower())
    return begin + match.start("negation") if match else None
