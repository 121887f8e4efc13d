"""Features with a meaning: what is asked for, how much evidence is given, what the options are.

Word classes are looked up per token, so a text is passed over once however many classes there
are. Counts enter as log(1 + n); ``rate`` features divide by the number of words, so that a class
of words does not merely stand for length.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from viva.strata.text import Question

__all__ = ["CueCounter", "cue_names", "cues"]

_ASK_PHRASES = {
    "diagnosis": r"diagnos[ie]s|diagnosed|most likely (?:has|suffering)|likely condition|suffering"
    r" from|underlying (?:condition|disorder|disease)",
    "management": r"next (?:best |most appropriate )?(?:step|course|action)|manag|treat|therap"
    r"|intervention|administ|prescrib|recommend|initial step|appropriate (?:step|action|response)",
    "next": r"\b(?:next|initial|first|immediate)\b.{0,40}\b(?:step|test|action|management|course"
    r"|intervention|treatment)\b",
    "mechanism": r"mechanism|pathophysiolog|pathogenesis|mode of action|\bacts? (?:by|on|through)"
    r"|mediated by|\bdue to\b|responsible for|\bexplain|underlying",
    "drug_action": r"mechanism of action|mode of action|\bact\w* (?:on|by|via|through)\b|works? by"
    r"|\btarget",
    "cause": r"\bcause|etiolog|\breason|explanation|\bsource|organism|pathogen|\bagent",
    "organism": r"organism|pathogen|bacteri|\bvirus|microb|infect",
    "finding": r"\bfinding|expected|likely to (?:show|reveal|demonstrate|be (?:seen|found|present"
    r"|observed))|would (?:show|reveal|demonstrate)|observed|\bseen\b|characteri|\bfeatures?\b"
    r"|manifestation|associated",
    "complication": r"complication|\brisk|predispos|\bdevelop|sequela|prognos|side effect|adverse",
    "test": r"\btests?\b|imaging|investigation|\bstudy\b|diagnostic|confirm|screening|evaluation"
    r"|workup|modality",
    "truth": r"\b(?:true|false|correct|incorrect|statements?|except|not)\b",
    "molecule": r"deficien|enzyme|\bgenes?\b|mutation|inherit|chromosom|accumulat|protein|defect",
    "anatomy": r"\b(?:nerves?|artery|vein|muscles?|ligament|structures?|location|located|lesion"
    r"|lobe|level|root|bone|derived)\b|innervat|embryo",
    "calculation": r"calculat|how many|how much|probability|percent|\brate\b|ratio|\bvalue|number"
    r" of|\bodds|sensitivity|specificity|predictive|confidence interval|p-value|estimate",
    "study": r"\bstudy\b|\bbias|\btrial|hypothesis|significance|\bpower\b|variable|investigator",
    "drug": r"\bdrugs?\b|medication|\bagent|antibiotic|pharmac|\bdose|vaccin|medicine",
    "ethics": r"physician|disclos|consent|\bethic|response|respond|\btell\b",
    "patient": r"\b(?:this|the|his|her|these|patient|infant|child|boy|girl|woman|man)\b",
    "this_patient": r"\bthis (?:patient|man|woman|child|infant|boy|girl|condition|disease|disorder"
    r"|drug|medication|diagnosis)\b|patient[’']s|\bhis\b|\bher\b",
    "most_likely": r"\bmost (?:likely|probabl)",
    "most_appropriate": r"most appropriate|\bbest\b|optimal|preferred",
    "best_treatment": r"\b(?:best|most (?:appropriate|effective))\b.{0,30}\b(?:treat|therap|manag"
    r"|drug|medication)",
    "definition": r"\bdefin|\bterm\b|called|known as|refers? to|\bnamed?\b|type of|example",
    "commonest": r"most common|commonest|most frequent|\busual|typical|mainly|\bprimar|classic",
    "hypothetical": r"\b(?:if|would|assuming|suppose|after)\b",
    "which_following": r"which of the following",
    "what_first": r"^\W*what\b",
    "which_first": r"^\W*which\b",
    "how": r"\bhow\b",
    "why": r"\bwhy\b",
    "blank": r"_{2,}|:\s*$|-\s*$|\bis\s*$|\bare\s*$",
    "question_mark": r"\?",
    "negated": r"\b(?:not|except|least|false|incorrect|rule out|contraindicated)\b|avoid",
    "chained": r"treatment of|used to treat|of the (?:drug|medication|condition)|condition most"
    r" likely|(?:in|for) this condition|of this (?:drug|disease|condition|patient)|patient[’']s"
    r" (?:condition|symptoms|presentation|disease|diagnosis|disorder|findings)",
    "symptoms": r"symptom|presentation|findings|condition|complaint|\bpain\b",
}
_ASK = [re.compile(pattern) for pattern in _ASK_PHRASES.values()]
_ASK_NEEDED = {
    "diagnosis": r"diagnos|likely|suffering|underlying",
    "management": r"next|manag|treat|therap|intervention|administ|prescrib|recommend|initial"
    r"|appropriate",
    "next": r"next|initial|first|immediate",
    "mechanism": r"mechanism|pathophysiolog|pathogenesis|mode\b|\bacts?\b|mediated|\bdue\b"
    r"|responsible|\bexplain|underlying",
    "drug_action": r"mechanism|mode\b|\bact|works?\b|\btarget",
    "cause": r"\bcause|etiolog|\breason|explanation|\bsource|organism|pathogen|\bagent",
    "organism": r"organism|pathogen|bacteri|\bvirus|microb|infect",
    "finding": r"\bfinding|expected|likely\b|would\b|observed|\bseen\b|characteri|\bfeature"
    r"|manifestation|associated",
    "complication": r"complication|\brisk|predispos|\bdevelop|sequela|prognos|side|adverse",
    "test": r"\btests?\b|imaging|investigation|\bstudy\b|diagnostic|confirm|screening|evaluation"
    r"|workup|modality",
    "truth": r"\b(?:true|false|correct|incorrect|statements?|except|not)\b",
    "molecule": r"deficien|enzyme|\bgenes?\b|mutation|inherit|chromosom|accumulat|protein|defect",
    "anatomy": r"\b(?:nerves?|artery|vein|muscles?|ligament|structures?|location|located|lesion"
    r"|lobe|level|root|bone|derived)\b|innervat|embryo",
    "calculation": r"calculat|how\b|probability|percent|\brate\b|ratio|value|number\b|\bodds"
    r"|sensitivity|specificity|predictive|confidence\b|estimate",
    "study": r"\bstudy\b|\bbias|\btrial|hypothesis|significance|\bpower\b|variable|investigator",
    "drug": r"\bdrugs?\b|medication|\bagent|antibiotic|pharmac|\bdose|vaccin|medicine",
    "ethics": r"physician|disclos|consent|\bethic|response|respond|\btell\b",
    "patient": r"\b(?:this|the|his|her|these|patient|infant|child|boy|girl|woman|man)\b",
    "this_patient": r"\bthis\b|patient\b|\bhis\b|\bher\b",
    "most_likely": r"\bmost\b",
    "most_appropriate": r"most\b|\bbest\b|optimal|preferred",
    "best_treatment": r"\bbest\b|\bmost\b",
    "definition": r"\bdefin|\bterm\b|called|known\b|refers?\b|\bnamed?\b|type\b|example",
    "commonest": r"most\b|commonest|\busual|typical|mainly|\bprimar|classic",
    "hypothetical": r"\b(?:if|would|assuming|suppose|after)\b",
    "which_following": r"which\b",
    "what_first": r"\bwhat\b",
    "which_first": r"\bwhich\b",
    "how": r"\bhow\b",
    "why": r"\bwhy\b",
    "blank": r"",
    "question_mark": r"",
    "negated": r"\b(?:not|except|least|false|incorrect|rule|contraindicated)\b|avoid",
    "chained": r"treatment\b|used\b|drug|medication|condition|disease|patient",
    "symptoms": r"symptom|presentation|findings|condition|complaint|\bpain\b",
}
"""What some word holds wherever the phrase matches: only such phrases are looked for."""
_ASK_ALWAYS = tuple(i for i, name in enumerate(_ASK_PHRASES) if not _ASK_NEEDED[name])

_BODY_WORDS = {
    "presents": r"presents?|brought|comes?|complain\w*|admitted|reports?|evaluat\w+|visits?|seeks?"
    r"|seen",
    "vital": r"blood|pressure|pulse|heart|respirat\w+|temperature|saturation|bpm|hg|bmi",
    "unit": r"mg|g|mmol|meq|iu|mm|cm|kg|ng|pg|ml|dl|fl|mosm|mcg|mmhg",
    "number": r"\d.*",
    "negation": r"no|not|without|denies|denied|negative|unremarkable|normal|absent|never|nor",
    "examination": r"examination|exam|physical|auscultation|palpation|percussion|inspection",
    "imaging": r"xray|ray|radiograph\w*|ct|mri|ultraso\w+|echocardio\w+|biopsy|ecg|ekg"
    r"|electrocardiogra\w+|tomography|smear|culture|endoscopy|colonoscopy|scan|imaging",
    "history": r"history|past|family|medications?|smok\w+|alcohol|drinks|travel\w*|surgery"
    r"|pregnan\w+|gravida",
    "course": r"days?|weeks?|months?|hours?|years?|yesterday|ago|suddenly|gradual\w*"
    r"|progressive\w*|worsen\w*|persist\w*|recurrent|since",
    "named": r"diagnosed|diagnosis|known|confirm\w*|consistent|suspected",
    "treated": r"started|prescribed|treated|begin\w*|administer\w*|received|receives|given"
    r"|initiated|begun|treatment|therapy|underwent",
    "study": r"study|studies|investigator\w*|researcher\w*|experiment\w*|trial|participants"
    r"|subjects|cohort|randomi[sz]ed|confidence|odds|ratio",
    "symptom": r"pain|fever|nausea|vomit\w*|fatigue|cough|dyspnea|breath|headache|weakness|rash"
    r"|loss|diarrhea|swelling|bleeding|edema|tender\w*|numbness|dizz\w*|chills|sweat\w*|bruis\w*"
    r"|pallor|jaundice|lethargy",
    "sign": r"murmur|rales|crackles|wheez\w*|edema|hepatomegaly|splenomegaly|lymphadenopathy"
    r"|guarding|rebound|reflex\w*|erythema\w*|distend\w*|mass|nodule|ulcer\w*|lesion\w*|positive"
    r"|elevated|decreased|increased|diminished|absent",
    "laboratory": r"hemoglobin|hematocrit|leukocyte|platelet\w*|sodium|potassium|chloride"
    r"|creatinine|glucose|urea|bun|bilirubin|ast|alt|albumin|calcium|serum|urinalysis|laborator\w+"
    r"|tsh|bicarbonate|phosphatase",
    "obstacle": r"despite|however|although|but|failed|improvement|refractory|persist\w*|allerg\w*"
    r"|contraindicat\w*|unable|refus\w*|previously|unsuccessful",
    "person": r"asks?|asked|concern\w*|wants?|wishes|states?|worried|request\w*|parents?|mother"
    r"|wife|husband|daughter|son",
    "osteopathic": r"osteopath\w*|sacral|sacrum|somatic|sidebent|rotated|innominate|vertebra\w*",
    "image": r"figure|image|shown|photograph|depicted|exhibit|picture",
}
_BODY_PHRASES = {
    "age": r"\b\d+[- ](?:year|month|week|day|yr)s?[- ]old\b|\baged? \d",
    "named": r"diagnosed with|diagnosis of|a diagnosis|(?:is|was) diagnosed|confirm|consistent"
    r" with|suggest|diagnosis is made|indicative of",
    "unit": r"\d\s?(?:%|°|/)",
}
_BODY_NEEDED = {
    "age": ("old", "age"),
    "named": ("diagnos", "confirm", "suggest", "consistent with", "indicative of"),
    "unit": ("%", "°", "/"),
}
_BODY_PATTERN = {
    name: (re.compile(pattern), _BODY_NEEDED[name]) for name, pattern in _BODY_PHRASES.items()
}
"""Each phrase, and texts one of which is in every match of it."""

_OPTION_WORDS = {
    "combined": r"only|and|both|all|none|above|either|neither",
    "disease": r"\w*(?:itis|osis|emia|oma|pathy)|syndrome|disease|disorder|deficiency|cancer"
    r"|infection|failure|fever|palsy|hernia|rupture|stenosis",
    "test": r"ct|mri|xray|ray|ultraso\w+|biopsy|echocardio\w+|culture|serum|tests?|scan|\w*scopy"
    r"|levels?|smear|assay|count|monitoring|\w*graphy|radiograph\w*",
    "mechanism": r"inhibit\w*|activat\w*|block\w*|increas\w*|decreas\w*|bind\w*|\w*agoni\w*"
    r"|synthesis|production|receptors?|mutation|deposit\w*|formation|defect\w*|impaired|release"
    r"|reuptake|channels?",
    "anatomy": r"nerve|artery|vein|muscle|ligament|lobe|bone|duct|cortex|nucleus|left|right"
    r"|anterior|posterior|lateral|medial",
    "direction": r"high|low|elevated|normal|increased|decreased",
    "sentence": r"is|are|was|were|has|have|will|can|should",
    "organism": r"\w*virus|bacteri\w*|\w*coccus",
    "number": r"\d.*",
    "treatment": r"therapy|surgery|resection|excision|antibiotic\w*|injection|transfusion"
    r"|replacement|\w*ectomy|\w*plasty|repair|drainage|counsel\w*|treatment",
}
_OPTION_FIRST = (
    r"administer|start|begin|perform|obtain|order|refer|continue|discontinue|prescribe|increase"
    r"|decrease|reassure|observe|admit|give|add|stop|measure|repeat|schedule|advise|recommend"
    r"|initiate|switch|intravenous|oral|intramuscular|emergent|surgical|ct|mri|no"
)
_OPTION_LAST = (
    r"\w*(?:ine|ol|ide|ate|one|mab|nib|pril|sartan|statin|mycin|cillin|azole|vir|am|in)|therapy"
    r"|acid"
)
_ARROW = re.compile(r"[↑↓→]")
_LATIN = re.compile(r"^[A-Z][a-z]+ [a-z]{4,}$")
_CAPITALS = re.compile(r"\b[A-Z]{2,}\d*\b")
_SENTENCE_END = re.compile(r"[.?!]\s+[A-Z0-9]|\n+")
_CACHE = 100_000


class CueCounter:
    """Classes of a token, worked out once per distinct token."""

    def __init__(self, classes: dict[str, str]) -> None:
        self.names = tuple(classes)
        self._patterns = [re.compile(pattern) for pattern in classes.values()]
        self._known: dict[str, tuple[int, ...]] = {}

    def classes(self, token: str) -> tuple[int, ...]:
        """Positions of the classes that a lower-case token belongs to."""
        found = self._known.get(token)
        if found is None:
            if len(self._known) >= _CACHE:
                self._known.clear()
            short = token[:64]
            found = tuple(i for i, p in enumerate(self._patterns) if p.fullmatch(short))
            self._known[token] = found
        return found

    def count(self, words: Sequence[str]) -> list[int]:
        """How many of the words are in each class."""
        counts = [0] * len(self.names)
        for found in self._classes(words):
            for i in found:
                counts[i] += 1
        return counts

    def seen(self, words: Sequence[str]) -> set[int]:
        """The classes that any of the words is in."""
        return set().union(*self._classes(words))

    def _classes(self, words: Sequence[str]) -> Iterator[tuple[int, ...]]:
        """The classes of each word that is in any."""
        found = list(map(self._known.get, words))
        if None in found:
            found = list(map(self.classes, words))
        return filter(None, found)


_BODY_COUNTER = CueCounter(_BODY_WORDS)
_OPTION_COUNTER = CueCounter(_OPTION_WORDS)
_ASK_COUNTER = CueCounter(
    {name: rf".*(?:{part}).*" if part else r"(?!)" for name, part in _ASK_NEEDED.items()}
)
_FIRST_COUNTER = CueCounter({"action": _OPTION_FIRST})
_LAST_COUNTER = CueCounter({"drug ending": _OPTION_LAST})


def _stem_names() -> list[str]:
    names = [
        "words",
        "ask words",
        "characters",
        "sentences",
        "ask share",
        "word length",
        "ask word length",
        "distinct words",
        "ask capitals",
    ]
    names += [f"asks: {name}" for name in _ASK_PHRASES]
    for kind in (*_BODY_WORDS, *(f"{name} phrase" for name in _BODY_PATTERN)):
        names += [f"body: {kind}", f"body rate: {kind}"]
    return names


def _option_names() -> list[str]:
    names = ["options", "option words", "option longest", "option spread", "option characters"]
    names += [f"options: {name}" for name in _OPTION_WORDS]
    names += [f"options: {n}" for n in ("action", "drug ending", "arrow", "Latin name", "capitals")]
    names += ["options in stem", "options in ask", "options alike", "option is in stem"]
    return names


_STEM_NAMES, _OPTION_NAMES = tuple(_stem_names()), tuple(_option_names())


def cue_names(*, options: bool) -> tuple[str, ...]:
    """Names of the features of :func:`cues`, in order."""
    return _STEM_NAMES + (_OPTION_NAMES if options else ())


def cues(q: Question, *, options: bool) -> list[float]:
    """Features of one question, in the order of :func:`cue_names`."""
    found = _stem_cues(q)
    return found + _option_cues(q) if options else found


def _asked_for(q: Question) -> list[float]:
    """One flag per kind of asking."""
    ask = q.ask.lower()
    flags = [0.0] * len(_ASK)
    for i in (*_ASK_ALWAYS, *_ASK_COUNTER.seen(q.ask_words)):
        if _ASK[i].search(ask):
            flags[i] = 1.0
    return flags


def _stem_cues(q: Question) -> list[float]:
    words = max(len(q.stem.split()), 1)
    ask_split = q.ask.split()
    ask_words = max(len(ask_split), 1)
    stem_tokens = q.stem_words
    found = [
        math.log1p(words),
        math.log1p(len(ask_split)),
        math.log1p(len(q.stem)),
        math.log1p(1 + len(_SENTENCE_END.findall(q.stem))),
        len(ask_split) / words,
        len(q.stem) / words,
        len(q.ask) / ask_words,
        len(set(stem_tokens)) / max(len(stem_tokens), 1),
        sum(1 for word in ask_split[1:] if word[0].isupper()) / ask_words,
    ]
    found += _asked_for(q)
    counts = _BODY_COUNTER.count(q.body_words)
    body = q.body.lower()
    for pattern, needed in _BODY_PATTERN.values():
        # Looking for what every match holds is far quicker than looking for a match.
        there = any(part in body for part in needed)
        counts.append(len(pattern.findall(body)) if there else 0)
    per = 10.0 / max(words, 10)
    for count in counts:
        found += [math.log1p(count), count * per]
    return found


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _option_cues(q: Question) -> list[float]:
    split = q.option_words
    n = max(len(split), 1)
    lengths = [len(words) for words in split] or [0]
    mean = sum(lengths) / n
    spread = math.sqrt(sum((length - mean) ** 2 for length in lengths) / n)
    found = [
        float(len(split)),
        math.log1p(mean),
        math.log1p(max(lengths)),
        spread / (1 + mean),
        math.log1p(sum(map(len, q.options)) / n),
    ]
    plain = all(map(str.isascii, q.options))
    hits = [0] * len(_OPTION_WORDS)
    for words in split:
        for i in _OPTION_COUNTER.seen(words):
            hits[i] += 1
    found += [hit / n for hit in hits]
    found += [
        _FIRST_COUNTER.count([words[0] for words in split if words])[0] / n,
        _LAST_COUNTER.count([words[-1] for words in split if words])[0] / n,
        0.0 if plain else _share([bool(_ARROW.search(option)) for option in q.options]),
        _share([bool(_LATIN.match(option)) for option in q.options]),
        # Two capitals in a row need one behind the first character.
        _share([not o[1:].islower() and bool(_CAPITALS.search(o)) for o in q.options]),
    ]
    long = [{word for word in words if len(word) > 3} for words in split]
    in_stem, in_ask = set(q.stem_words), set(q.ask_words)
    found.append(sum([len(words & in_stem) / (len(words) or 1) for words in long]) / n)
    found.append(sum([len(words & in_ask) / (len(words) or 1) for words in long]) / n)
    pairs = list(combinations(long, 2))
    alike = sum([len(a & b) / len(a | b) for a, b in pairs if not a.isdisjoint(b)])
    found.append(alike / len(pairs) if pairs else 0.0)
    stem = q.stem.lower()
    found.append(float(any(len(option) > 3 and option.lower() in stem for option in q.options)))
    return found
