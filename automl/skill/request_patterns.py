"""The phrases that ask for a search, or against one, as patterns.

They are matched whatever their case. Whether a phrase is an order at all, or negated, is decided
by who reads them (``request_words``).
"""

from typing import Final

__all__ = ["NAMED", "OFF", "ON", "PUT"]

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
NAMED = rf"(?:{_AUTOML}(?:\s{_BARE})?|{_HPO})"
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
PUT = r"(?:turn|switch|shut|set|keep|leave|put|have|want|with)(?:ing|ting)?"
_BE = r"(?:\s+(?:is|be|being|was|to|should|must|shall|may|can|will|has|have|been|set|=|:))*"
_LINK = rf"(?:\s*[:=]\s*[\"']?|{_BE}\s+)"
_NOT = r"(?P<inner>\s+(?:not|never))?"
_NO_DATA = r"(?!\s+(?:data|set|split|image|batch|example|folder|sample|epoch|schedule)s?\b)\b"

#: After "one run": what makes it another matter.
_NO_MORE = (
    r"(?!\s+(?:of|at|per|in\s+parallel|concurrently|each|for\s+each)\b)"
    rf"(?!\s+with\s+{NAMED})"
)
_HYPER = r"hyper[\s-]?param(?:eter)?s"
_FIXED = (
    r"(?:exactly\s+)?(?:fixed|default|given|same|exact|my\s+own|my|these|those|constant)"
    r"(?:\s+(?:exact|fixed|default))?"
)
#: Hyperparameters that are only where a search begins or goes are not fixed.
_NO_SPACE = (
    r"(?!\s+(?:ranges?|spaces?|bounds?|search|tuning|to\s+(?:search|tune|start)"
    r"|as\s+(?:a\s+|the\s+)?(?:start|baseline|first|initial))\b)"
)

OFF: Final = (
    rf"\b{_OFF_VERB}{_FILLER}{_SEARCH}",
    rf"\b(?:{PUT}{_FILLER})?{NAMED}{_LINK}(?:off|disabled|false)\b",
    rf"\b{_SEARCH}{_BE}{_NOT}{_BE}\s+(?:turned\s+off|switched\s+off|disabled|skipped|avoided)\b",
    rf"\b(?:no|without|w/o|minus|sans|zero)(?:{_FILLER}){_SEARCH}",
    r"\b(?:plain|direct|simple|vanilla)(?:\s+(?:old|single|direct|plain))?\s+(?:model\s+)?"
    rf"(?:train(?:ing)?|fine-?tun(?:e|ing)){_NO_DATA}",
    r"\b(?:regular|normal|ordinary|standard|single|straight|one-off|one-shot|one)\s+training"
    r"(?:\s+(?:run|job))?(?:\s+only)?(?=\s*(?:[.,:;!)]|$)|\s+(?:and|without|for|on|of|please)\b)",
    rf"\b(?:a|one|single|just)\s+(?:single\s+)?(?:plain|simple|direct|normal)\s+run\b{_NO_MORE}",
    rf"\b(?:just|only|exactly)\s+(?:a|one|a\s+single|one\s+single)\s+(?:training\s+)?run\b{_NO_MORE}",
    rf"\b(?:a\s+single|one|a\s+single\s+training)\s+run\s+only\b{_NO_MORE}",
    r"\b(?:just|simply|merely)\s+(?:do\s+|run\s+|a\s+|one\s+|plain\s+)*train(?:ing|s)?"
    rf"(?!\s+(?:for|with|on)\b){_NO_DATA}",
    r"\b(?:only\s+train(?:ing)?|train(?:ing)?\s+(?:it\s+|this\s+|the\s+model\s+)?"
    r"(?:(?:just|only|exactly)\s+)?(?:only|directly|once))"
    r"(?=\s*(?:[.,;!)]|$)|\s+(?:please|only)\b)",
    rf"\b(?:use|using|with|keep(?:ing)?){_FILLER}{_FIXED}\s+{_HYPER}{_NO_SPACE}",
    rf"^\s*{_FIXED}\s+{_HYPER}{_NO_SPACE}",
    rf"\b(?:keep|leave|hold|fix){_FILLER}{_HYPER}\s*(?:fixed|as\s+(?:they\s+are|given)|unchanged|$)",
    rf"\b(?:do\s+not|don't|dont|never)\s+(?:change|touch|vary|modify){_FILLER}{_HYPER}",
    rf"\b{_SEARCH}\s+(?:is|would\s+be)\s+(?:an?\s+)?(?:overkill|unnecessary|pointless|waste)\b",
    rf"\b{NAMED}\s*[:=]\s*(?:no|none|never|0)\b",
    rf"\bno\s+(?:need|use)\s+(?:for|of){_FILLER}{_SEARCH}",
    rf"\b{_SEARCH}(?:\s+is|\s+are)?(?:n't|\s+not|\s+un)\s*(?:needed|necessary|required|wanted)\b",
    r"\b(?:do\s+not|don't|dont|never|without)\s+(?:search(?:ing)?|tun(?:e|ing))"
    r"(?:\s+(?:anything|any\s+hyper[\s-]?param(?:eter)?s?))?(?=\s*(?:[.,;!)]|$))",
)
ON: Final = (
    rf"\b{_ON_VERB}{_FILLER}{_SEARCH}",
    rf"\b(?:{PUT}{_FILLER})?{NAMED}{_LINK}(?:on|enabled|true)\b",
    rf"\b{_SEARCH}{_BE}{_NOT}{_BE}\s+(?:turned\s+on|switched\s+on|enabled|used|run|performed)\b",
    r"\b(?:search|tune|optimi[sz]e|sweep)(?:ing)?\s+(?:for\s+|over\s+)?(?:the\s+|its\s+|my\s+)?"
    r"(?:best\s+)?hyper[\s-]?param(?:eter)?s?\b",
    r"\b(?:find|look\s+for|get|pick)(?:ing)?\s+(?:me\s+)?(?:the\s+|some\s+)?"
    r"(?:best|better|good|optimal)\s+(?:hyper[\s-]?)param(?:eter)?s?\b",
    r"(?<!fine[\s-])\b(?:tune|optimi[sz]e|sweep)\s+(?:it|this|that|them|everything|(?:the|my)\s+model)"
    r"(?!\s+(?:data|later|by\s+hand|manually)\b)\b",
    rf"\b(?:go\s+with|yes\s+to|let){_FILLER}{_SEARCH}",
    rf"\b{NAMED}(?:,?\s+please\b)",
    rf"\b{NAMED}\s*[:=]\s*(?:yes|1)\b",
)
