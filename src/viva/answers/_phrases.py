"""The tables of words by which models commit to an answer, deny one, or decline.

All patterns run on folded lower-case text (:mod:`viva.answers._fold`) and are bounded: no
pattern looks further than a few hundred characters from where it starts.
"""

from __future__ import annotations

import re

from viva.answers._alternation import by_letter

__all__ = [
    "ATTRIBUTION",
    "CONCLUDES",
    "CONCLUDES_ASCII",
    "CONDITION",
    "CONTRAST",
    "COPULA",
    "CORRECTION",
    "CUE",
    "CUE_BEFORE",
    "DENIAL_AFTER",
    "DENIAL_BEFORE",
    "DENIAL_FAR",
    "DISCLAIMER",
    "DISCOUNT_AFTER",
    "DISCOUNT_BEFORE",
    "ELSEWHERE",
    "FILLER",
    "FOLLOWERS",
    "HYPOTHESIS",
    "JOIN",
    "LABEL",
    "NEGATION",
    "NULL",
    "OTHER",
    "OTHER_SUBJECT",
    "QUALIFIER",
    "REFUSAL",
    "RETRACTION",
    "SPECIES",
    "STRONG_CUE",
    "STRONG_NOUN",
    "TRIGGER",
    "TRIGGER_ASCII",
    "TRIGGER_FIRST",
    "UNREAL",
    "VERBS_AFTER",
]


def _words(*rows: str) -> str:
    return "|".join(word for row in rows for word in row.split("|"))


# --- what announces an answer -------------------------------------------------------------------

_NOUNS = _words(
    r"answers?(?:\W{0,3}(?:choice|option|letter|key|code|index|idx|id|label|selection|text)\b)?|"
    r"ans",
    r"option|choice|response|diagnosis|solution|prediction|conclusion|selection|decision|verdict",
    r"output|guess|vote|judge?ment|alternative|letter|statement|final|boxed|fbox|key|impression",
    r"correct(?=\s{0,3}:)",
    r"exception(?= (?:is|here is|to this is)\b)",
    # Spanish, Portuguese, French, Italian, German, Dutch, Nordic, Slavic, Turkish, Vietnamese
    r"respuesta|opci[oó]n|respostas?|letra|alternativa|op[cç][aã]o|r[eé]ponse|risposta|opzione",
    r"antwort|l[oö]sung|antwoord|svar|svaret|vastaus|odpowied[zź]|odpov[eě][dď]|cevap|yan[iı]t",
    r"đáp án|câu trả lời|jawaban|ответ|відповідь|απάντηση",
    r"الإجابة|الجواب|उत्तर|विकल्प",
)
_NOUNS_CJK = "答案|选项|選項|答え|正解|解答|回答|정답|답"
_BEST = r"(?:single |only |obvious |clear )?(?:best|correct|right|most \w+)"
_VERBS = (
    r"choos(?:e|ing)|chose|select(?:ed|ing)?|pick(?:s|ed|ing)?|opt(?:ing)? for|"
    r"go(?:ing)? (?:with|for)|"
    r"went with|vot(?:e|ing) for|settl(?:e|ed|ing) on|lean(?:ing|s)? towards?|stick(?:ing)? with|"
    r"answer(?:ing)? with|i(?:'d| would) say|i(?:'d| would) (?:answer|guess)|leaving|leaves|"
    r"my answer would be|left with|leav(?:es|ing) us with|let(?:'s| us) say|"
    r"(?:chang|switch|revis|updat)(?:e|es|ed|ing)? (?:my|the) (?:final )?(?:answer|choice|response)"
    r"(?: from [^.\n]{1,40}?)? to|chang(?:e|ed|ing) my mind(?=[:,])|"
    rf"mak(?:es|ing)(?= (?:(?!\b(?:not?|less|un\w+)\b)[^.,;\n]){{1,60}} the {_BEST})|"
    r"(?:point(?:s|ing)? to|confident (?:in|about)|agree with|consistent with|supports?|receive|"
    r"recommend|prescribe)"
    r"(?=\s{1,3}(?:option |choice |answer )?[(\[' ]{0,2}[a-z][)\]' ]{0,2}(?:[.,;:!\n]|$))"
)
_VERBS_CJK = r"(?:应该|应当|应|故|因此|所以|我)?(?:选择|選擇|选|選)(?:项|項)?"
_CONCLUSIONS = (
    r"therefore|thus|hence|so|consequently|accordingly|in (?:conclusion|summary|short)|overall|"
    r"ultimately|finally|to conclude|by (?:process of )?(?:elimination|exclusion)|"
    r"here(?<=[;,.] here)|here(?<=but here)|因此|所以|综上|故"
)
_CORRECTIONS = (
    r"wait|actually|correction|i meant?|make that|scratch that|oops|on second thought|"
    r"on reflection|sorry|rather(?=[,:] )|(?:edit|update)(?=:)|"
    r"no(?=,? (?:it's|it is|wait|the answer))|"
    r"no(?<=[.;?!] no)(?=[.;:-]{1,3} )|no(?<=[-:>.,;?!] no)(?=, )|"
    r"let me correct(?: that| myself)?"
)
_PREDICATES = (
    r"correct|right|best|true|most|answer|accurate|likely|richtig|korrekt|correcte?[ao]?|correta|"
    r"bonne|corretta|正确|正確|对"
)
_IT = (
    r"it(?: i|')s|its(?= [a-z]\W{0,3}$)|i (?:now )?(?:think|believe|guess)|"
    r"it (?:must|should|would|has to|ought to) be|must be|should be"
)

_SPACED = (
    rf"(?:(?P<verb>{by_letter(_VERBS)})\b|(?P<noun>{by_letter(_NOUNS)})(?![a-z])|"
    rf"(?P<concl>{by_letter(_CONCLUSIONS)})(?![a-z])|(?P<corr>{by_letter(_CORRECTIONS)})\b|"
    rf"(?P<it>{by_letter(_IT)})\b)"
)
TRIGGER_ASCII = re.compile(rf"[^a-z]{_SPACED}")
TRIGGER_FIRST = re.compile(_SPACED)
TRIGGER = re.compile(rf"(?P<cjk>{_NOUNS_CJK}|{_VERBS_CJK})|(?<![a-z]){_SPACED}")
"""Where an answer may be announced; the group names the kind and spans it. Text without a foreign
letter is searched with the cheaper pattern, which finds what starts the text by itself."""

STRONG_NOUN = re.compile(
    r"answer|ans\b|boxed|fbox|prediction|selection|verdict|respuesta|resposta|r[eé]ponse|risposta|"
    r"antwoord|antwort|svar|vastaus|odpov|odpow|cevap|yan[iı]t|đáp|câu|jawaban|ответ|відп|απάν|"
    r"الإجابة|الجواب|उत्तर"
)
"""Nouns that announce without an adjective; the others need one (:data:`QUALIFIER`) or a colon."""

QUALIFIER = re.compile(
    r"\b(?:correct|best|right|final|chosen|selected|true|appropriate|likely|suitable|accurate|my|"
    r"correcta|correta|correcte|bonne|corretta|richtige|korrekte)\b[^.\n?!]{0,30}$"
    r"|\b(?:most|likely)\b[^.\n?!]{0,40}$"
)
OTHER = re.compile(
    r"\b(?:another|other|alternative|second|next|possible|previous|earlier|initial|original|first|"
    r"eliminated|excluded|rejected|tempting|wrong|incorrect|each|every|any|which|what|whose|common|popular|obvious|usual)"
    r"\s+(?:\w+\s+){0,2}$"
)
ELSEWHERE = re.compile(
    r"\b(?:previous|earlier|your|their|his|her|other|another|not|never|cannot|no|"
    r"unlikely|less likely|"
    r"nicht|kein|não)\b|n'"
)
"""Words between noun and verb that make the announcement one about something else."""

"""Adjectives that take the announcement back: *another possible answer is C*."""

COPULA = re.compile(
    r"\b(?:is|was|be|are|remains|becomes|equals|es|sería|é|seria|est|serait|è|sarebbe|ist|lautet|"
    r"wäre|(?<=odpowiedź )to|là|adalah|est[aá]|هي|هو|है)\b|=|(?:是|为|為|は|가|은|는)"
)
LABEL = re.compile(
    r"(?:\s(?:correct[ae]?s?|correta|corretta|finale?s?|exactes?|"
    r"giusta))?(?:\s{0,3}\([^()\n]{0,40}\))?\s{0,20}(?:'\s{0,3})?(?:[:=>]|-{1,3}>?(?=\s)|"
    r"\?(?=\s)|'s(?=\s))"
)
"""What turns a noun into a label: a colon, a dash, an equals sign, the end of a tag."""

_FILLERS = (
    r"the|most likely|very likely|likely|probably|possibly|maybe|perhaps|definitely|certainly|"
    r"clearly|indeed|"
    r"therefore|thus|hence|simply|just|still|actually|now|best|correct|most \w{3,14}|as follows|"
    r"that|is|be|given by|represented by|listed as|found in|option|options|choice|choices|answer|"
    r"letter|alternative|statement|number|value|id|label|index|either|both|between|donc|entonces|"
    r"portanto|quindi|also|of course|"
    r"la|le|el|die|der|das|het|opci[oó]n|op[cç][aã]o|letra|alternativa|lettre|r[eé]ponse|antwort|"
    r"buchstabe|option|lettera|opzione|optie|вариант|विकल्प|الخيار"
)
FILLER = re.compile(
    rf"(?:{by_letter(_FILLERS)})(?![a-z])"
    r"|选项|選項|选择|選択肢|应该|应当|应|选|選|是|为|為|项|項|第|は|은|는"
)
"""Words that may stand between the announcement and the answer."""

# --- what takes an option out -------------------------------------------------------------------

NEGATION = re.compile(
    r"(?:not|never|neither|nor|isn't|wasn't|aren't|cannot|can't|anything but|incorrect|wrong|"
    r"unlikely|no|nicht|no es|n'est pas)(?![a-z])|不是|不选|非"
)
CONTRAST = re.compile(r"\b(?:but(?: rather)?|rather|instead|it is|it's|sondern|sino)\b|而是")
DENIAL_BEFORE = re.compile(
    r"(?:\b(?:not|never|no|than|instead of|unlike|over|nor|neither|except|"
    r"(?:any|every)thing but|all but|excluding|excludes?|"
    r"rul(?:e|es|ed|ing) out|as opposed to|versus|vs\.?|without|against|distinguish(?:ed)? from|"
    r"differentiat(?:e|ed|ing) (?:it )?from|eliminat(?:e|es|ed|ing)|isn't|wasn't|aren't|doesn't|"
    r"avoid(?:s|ed|ing)?|contraindicates?|compared (?:to|with)|other than|less likely)|"
    r"n't|不是|排除)"
    r"(?:\s+(?:the|an?|to|be|by|option|choice|answer|just|simply|likely|typically|associated with|"
    r"due to|caused by|consistent with|suggestive of|"
    r"because of))*(?:\s+[(\['\s]{0,3}[a-z][)\]'\s.:]{0,4})?[\s:('\[]*$"
)
"""Words directly before an option that deny it, read backwards from the option."""

DENIAL_FAR = re.compile(
    r"(?:\b(?:not|unlikely|never|cannot|rules? out|ruled out|absence of|lack of|no (?:evidence|"
    r"signs?|history|indication|suggestion))\b|n't\b)[^,;.]{0,120}$"
)
"""A denial anywhere before an option in its clause; for prose without an announcement."""

DENIAL_AFTER = re.compile(
    r"[^.,;\n]{0,60}?(?:"
    r"\b(?:is|are|was|were|would be|can be|could be|should be|must be|seems?|appears?|being|as)\s+"
    r"(?:\w+ly\s+|also\s+|much\s+|thus\s+|therefore\s+|both\s+)?(?:not|n't|never|incorrect|wrong|"
    r"unlikely|less|false|excluded|ruled out|eliminated|contraindicated|inappropriate|unrelated|"
    r"avoided|discarded|irrelevant|inconsistent|rare|uncommon|inaccurate|the wrong|"
    r"an? (?:incorrect|wrong|less))\b"
    r"|\b(?:isn't|aren't|wasn't|weren't|does not|doesn't|do not|don't|did not|didn't|cannot|can't|"
    r"would not|wouldn't|could not|couldn't|should not|shouldn't|may not|is ruled out)\b"
    r"|不正确|错误|不对)"
)
"""A predicate after an option that denies it."""

_OTHERS = (
    r"user|you|colleagues?|students?|friends?|professor|teacher|specialists?|they|he|she|someone|"
    r"some|many|most people|people|patient|physicians?|doctors?|clinicians?|textbook|prompt|hint|"
    r"system|majority|others?|experts?|one"
)
ATTRIBUTION = re.compile(
    rf"\b(?:{_OTHERS})(?:'s)?\s+(?:(?:might|may|would|could|will|often|commonly|also|tend to|"
    r"want to|initially|previously)\s+){0,3}$"
)
"""Somebody else is the subject of the verb that follows."""

DISCOUNT_BEFORE = re.compile(
    r"\b(?:whether|tempting|tempted|initially|at first|originally|such as|including|for example|"
    r"(?:initial|original|earlier|previous|common) (?:assumption|thought|answer|impression|guess|"
    r"diagnosis|response|hypothesis|misconception)|"
    r"other options|first (?:thought|glance|instinct)|might (?:think|say|argue|assume|suggest)|"
    r"could (?:think|say|argue|assume)|may (?:think|say|argue|assume)|would (?:think|argue|assume)|"
    r"(?:don't|do not|cannot|can't|not) (?:think|believe|agree|say|mean|conclude|imply)|disagree|"
    r"doubt|deny|no way|wrong(?:ly)? to|mistake|why (?:is|not|isn't)|no longer|"
    rf"(?:{_OTHERS})(?:'s)? (?:\w+ ){{0,2}}?"
    r"(?:say|says|said|think|thinks|thought|believe|"
    r"believes|believed|claim|claims|claimed|suggest|suggests|suggested|state|states|stated|argue|"
    r"argues|argued|propose|proposes|proposed|choose|chooses|chose|picked|insist|insists|assume|"
    r"assumes|consider|considers|mention|mentions|mentioned|convinced|confident|"
    r"sure|belief|claim|opinion|suggestion|assertion|idea|notion|view))\b[^.\n?!,;]{0,80}$"
    r"|\b(?:at first(?: glance| sight)?|initially|originally|superficially),[^.\n?!,;]{0,80}$"
)
"""The announcement is not the model's own, not real or not final."""

HYPOTHESIS = re.compile(
    r"\b(?:if(?! (?:i |we )?(?:had|have|must|were|am|forced|pressed|pushed|required))|unless|"
    r"suppose|supposing|assuming|had(?! to)|were(?! to))\b(?:(?!\bbut\b)[^.\n?!;]){0,140}$"
)
UNREAL = re.compile(r"\b(?:would|could|might|were|had|was)\b")
"""A hypothesis takes an announcement back only where it is put as unreal."""

DISCOUNT_AFTER = re.compile(
    r"[^.\n?!]{0,60}?(?:,|;|-)?\s{0,3}(?:(?:but|which|however|though|yet|and)\b,?\s+)?"
    r"(?:this|that|it|which|he|she|they)(?:'s| is| was| would be| are)\s+"
    r"(?:\w+ly\s+)?(?:wrong|incorrect|not (?:correct|right|true|the)|mistaken|a mistake|false)\b"
)
OTHER_SUBJECT = re.compile(
    r"\b(?:another|other|alternative|second|previous|earlier|initial(?:ly)?|less likely|unlikely|"
    r"least|cannot|can't|incorrect|wrong|not|differential|while|although|though)\b[^.,;]{0,60}$"
)
"""The subject of a verb of being is not the answer."""
CONDITION = re.compile(r"[^.\n?!;]{0,25}?\b(?:if|unless|only if|only when|provided|had)\b(?! true)")
RETRACTION = re.compile(
    r"\b(?:wait|no|hmm|actually|hold on|oops|sorry)\b[^.\n?!]{0,40}?\b(?:that|this|it)(?:'s| is|"
    r" was)"
    r"(?:n't| not| \w+ly)? ?(?:wrong|incorrect|right|correct|a mistake|mistaken)\b"
    r"|\bi (?:made a mistake|was wrong|take (?:that|it) back)\b"
)
CORRECTION = re.compile(
    r"\b(?:wait|actually|on second thought|correction|scratch that|i mean|make that|hold on|"
    r"let me (?:re|correct|double|think again)|re-?(?:consider|evaluat|think|examin|assess)\w*|"
    r"(?:up)?on (?:re\w+|further|closer|second)|just kidding|never ?mind|strike that|nope|"
    r"(?:edit|update)(?=:)|i made a mistake|i was wrong|my mistake|oops|"
    r"changed? my (?:mind|answer)|apologi[sz]e|sorry|"
    r"(?:that|this|which)(?: is|'s| was) (?:\w+ly )?(?:incorrect|wrong|mistaken|a mistake|"
    r"not (?:right|correct))|or rather)\b|(?:^|[-:>.,;?!] |\bhmm,? )no\b(?=[,.;:!-])"
)

# --- what is no answer --------------------------------------------------------------------------

NULL = (
    (
        "answer is not on the list",
        re.compile(
            r"(?:none|neither|no|zero)\b(?:\s+(?:one\s+)?of\s+(?:the|these|those|them|"
            r"all))?(?:\s+\w+){0,3}?\s*"
            r"\b(?:above|options?|choices?|answers?|listed|provided|given|correct|apply|match\w*|"
            r"these|those|them)\b|(?:none|no|nil)\s*(?:$|[.\"'}\],;\n])"
            r"|not\s+(?:\w+\s+){0,2}?(?:listed|provided|given|included|among|in the|on the|present|"
            r"offered|mentioned|specified|available|one of|any of|applicable)"
            r"|n/a\b|missing\b|other\b(?=\s*(?:$|[.\"'}\]]))"
        ),
    ),
    (
        "refused",
        re.compile(
            r"(?:it\s+)?(?:cannot|can not|can't|could not|couldn't|unable|impossible|not possible|"
            r"not able|not enough|not sufficient|insufficient|inconclusive|indeterminate|"
            r"undetermined|undeterminable|uncertain|unclear|unknown|unsure|not clear|not certain|"
            r"not sure|not determin\w+|not conclusive|lack of (?:information|evidence)|"
            r"no (?:information|evidence|answer|clear|definitive|specific|sufficient)|need more|"
            r"more information|further information|i (?:cannot|can't|don't know|do not know)|"
            r"not answerable|undefined|null\b|unanswerable|depends on)"
        ),
    ),
)
"""Contents of an answer slot that commit to nothing on the list, by reason."""

REFUSAL = re.compile(
    r"\b(?:(?:cannot|can not|can't|could not|couldn't|unable to|not able to|impossible to|"
    r"not possible to|difficult to) (?:\w+ ){0,2}?(?:determine|be determined|answer|provide|decide|"
    r"choose|select|say|conclude|identify|assist|help|comply|fulfil+|offer|give|diagnose|tell|"
    r"know)|"
    r"(?:insufficient|not enough|no sufficient|inadequate|lack of|without (?:more|further|"
    r"additional)) "
    r"(?:information|data|evidence|context|details?)|i (?:do not|don't) know|i am not sure|"
    r"i'm not sure|"
    r"i'm sorry|i am sorry|as an ai|not a (?:doctor|medical professional)|"
    r"need more (?:information|context)|"
    r"content management policy|content filter|consult (?:a|your|with a) (?:doctor|physician|"
    r"healthcare|"
    r"qualified|medical)|none of the (?:options|choices|above|answers)|no sé|je ne sais pas|"
    r"ich wei(?:ß|ss) (?:es )?nicht)|无法(?:确定|判断|回答)|不知道|不能确定"
)

DISCLAIMER = re.compile(
    r"\b(?:as an ai|not a (?:doctor|medical professional)|consult (?:a|your|with a)\b|"
    r"cannot (?:provide|give|offer) (?:\w+ )?(?:medical )?advice|medical advice)"
)
"""A disclaimer after what was said takes nothing back."""

# --- small words --------------------------------------------------------------------------------

JOIN = re.compile(
    r"\s{0,9}(?:(?P<strong>/|&|\+|\b(?:and/or|and|or|y|o|et|ou|und|oder|e)\b|和|或|与|及|と|、)|"
    r"(?P<weak>[,;]))\s{0,9}(?:(?:and|or|possibly|maybe|perhaps|also|even|either|both|option|"
    r"choice|answer|letter)\s{1,9}){0,3}[(\[']{0,2}\s{0,3}"
)
"""What joins two answers into several."""

FOLLOWERS = frozenset(
    "because since as is are and or but due given for which with would was were not rather instead "
    "over based in from if correct right appears seems must should will can option choice answer "
    "being represents describes states indicates refers corresponds remains matches has that this "
    "however although though while whereas therefore thus so by on at per only than first before "
    "after vs versus over fits best most likely definitely i we it the considering according where "
    "when according also y o et ou und oder porque ya car parce weil da denn por".split()
)
"""Words that may follow a bare letter which is an answer, not a word or a part of a name."""

VERBS_AFTER = frozenset(
    "is are was were would can could may might has have does do did causes caused acts binds seems "
    "appears will should must typically usually often also cannot can't isn't doesn't presents "
    "refers involves works occurs results leads requires inhibits increases decreases".split()
)

SPECIES = frozenset(
    "trachomatis coli difficile diff pylori aureus albicans pneumoniae perfringens botulinum "
    "tetani "
    "jejuni cereus anthracis pyogenes agalactiae epidermidis faecalis faecium neoformans immitis "
    "fumigatus falciparum vivax ovale malariae burgdorferi pallidum meningitidis gonorrhoeae "
    "influenzae pertussis typhi dysenteriae cholerae vulnificus aeruginosa cepacia marcescens "
    "vaginalis lamblia histolytica gondii carinii jirovecii canis solium saginata stercoralis "
    "lumbricoides vermicularis mansoni haematobium japonicum hominis baumannii fragilis leprae "
    "tuberculosis avium kansasii marinum quintana henselae burnetii rickettsii prowazekii psittaci "
    "elegans melanogaster cerevisiae musculus sapiens monocytogenes mirabilis viridans mutans "
    "capsulatum dermatitidis schenckii furfur tonsurans cruzi brucei donovani".split()
)
"""Second names of species whose first name is one letter: *E. coli* is not option E."""

_CONCLUDES = (
    r"therefore\b|thus\b|hence\b|consequently\b|accordingly\b|in (?:conclusion|summary|short)\b|"
    r"ultimately\b|finally\b|to conclude\b|more likely\b|we can conclude\b|it follows\b|so,?\s"
)
CONCLUDES = re.compile(rf"(?<![a-z])(?:{by_letter(_CONCLUDES)})|因此|所以|综上|故")
CONCLUDES_ASCII = re.compile(rf"[^a-z](?:{by_letter(_CONCLUDES)})")
"""The same for ASCII text behind its first word, cheaper to look for."""

STRONG_CUE = re.compile(
    r"\b(?:most|best|correct|likely|appropriate|answer|diagnosis|therefore|thus|hence|recommend\w*|"
    r"is indicated|"
    r"should|choose|suggests?|consistent|conclusion|conclude)\b"
)
"""Words of a sentence that decides between the options."""

CUE = re.compile(
    r"\b(?:most|best|preferred|correct|right|likely|answer|option|choice|diagnosis|diagnosed|"
    r"therefore|thus|"
    r"hence|so|conclusion|consistent with|suggests?|suggestive|indicates?|indicative|confirms?|"
    r"should|choose|select|recommended|appropriate|indicated|is (?:the|due|caused|called|known)|"
    r"caused by|due to|points? (?:to|towards?)|characteristic|classic|representing|represents)\b"
    r"|答案|正确|诊断|最"
)
"""Words of a sentence that leads to an option."""

CUE_BEFORE = re.compile(r"\bis an?\b")
"""A cue only where the option follows it: *this is a stroke*, not *a stroke is an emergency*."""
