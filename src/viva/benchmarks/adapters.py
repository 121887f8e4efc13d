"""Published files -> items: one plain function per format, found by name in one table.

An adapter turns one row of a file into an :class:`~viva.records.Item`, or raises
:class:`~viva.benchmarks.fields.Defect` with the reason why it cannot. Where the file is not a
table of rows (``shape``), :mod:`viva.benchmarks.shapes` makes rows of it first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any, NamedTuple

from viva.benchmarks._sample import pubmedqa_test
from viva.benchmarks.fields import Defect, Options, absent, integer, literal, one_of, target, text
from viva.benchmarks.fields import options as read_options
from viva.records import LETTERS, Choice, Choices, Group, Item

__all__ = ["ADAPTERS", "Adapter", "Where", "adapter_for", "canonical_id", "label_contradictions"]

Row = Mapping[str, Any]


class Where(NamedTuple):
    """Where a row stands: what an adapter may need beside its fields."""

    file: str
    """The path, or ``rows`` and ``frame`` where there is no file."""
    position: int
    """0-based position of the row in its file."""

    @property
    def stem(self) -> str:
        """Lower-case file name without suffixes."""
        return PurePath(self.file).name.lower().split(".", 1)[0]

    @property
    def words(self) -> frozenset[str]:
        """Words of the last two parts of the path: where a file says which part of a set it is."""
        path = PurePath(self.file.lower())
        parts = [*path.parts[-2:-1], self.stem]
        return frozenset(re.split(r"[^a-z0-9]+", " ".join(parts)))


class Adapter(NamedTuple):
    """How to read one format."""

    read: Callable[[Row, Where], Item]
    required: frozenset[str]
    """Fields of every row."""
    about: str
    shape: str = "rows"
    """``rows``, or the reader in :mod:`viva.benchmarks.shapes` that makes rows of the file."""
    fits: Callable[[Iterable[Row]], bool] | None = None
    """Tells apart formats with the same fields."""


_MMLU_FIRST = {  # medagents-benchmark counts rows over all subjects of MMLU
    "anatomy": (100, 135),
    "clinical_knowledge": (487, 265),
    "college_biology": (752, 144),
    "college_medicine": (1196, 173),
    "medical_genetics": (7284, 100),
    "professional_medicine": (12165, 272),
}


def canonical_id(benchmark: str, item_id: str | int) -> str:
    """The id that an item has here, from one that it has in other tools' files.

    MedQA rows lose leading zeros (MIRAGE writes ``0007``); numbers of MMLU rows over all subjects
    (medagents-benchmark) become ``subject-000``; MIRAGE's PubMedQA ids are PMIDs as here. Ids that
    need no change, or are unknown, come back as they are.
    """
    name = str(item_id).strip()
    number = integer(name)
    if number is None:
        return name
    if benchmark.startswith("medqa"):
        return str(number)
    if benchmark == "mmlu_med":
        for subject, (first, rows) in _MMLU_FIRST.items():
            if first <= number < first + rows:
                return f"{subject}-{number - first:03d}"
    return name


def _meta(row: Row, **names: str) -> dict[str, Any]:
    """Fields worth keeping, under plain names, where the row has them."""
    return {
        new: row[old].strip() if isinstance(row[old], str) else row[old]
        for new, old in names.items()
        if not absent(row.get(old))
    }


_REPEATED = re.compile(r"\s*\b(?:answer choices|options)\s*:\s*(?=\(?A[).:])", re.I)


def without_option_list(question: str, found: Options) -> str:
    """The stem without the list of its options at the end ("Answer Choices: (A) ... (B) ...").

    Cut only where what follows the heading holds every option's text.
    """
    for start in _REPEATED.finditer(question):
        tail = " ".join(question[start.end() :].split())
        if start.start() and all(" ".join(t.split()) in tail for t in found.texts):
            return question[: start.start()].rstrip()
    return question


def _lettered_key(row: Row, found: Options) -> Choice:
    """The key from a letter or number in ``answer_idx`` (or ``label``), beside its text."""
    name = next((row[n] for n in ("answer_idx", "label") if not absent(row.get(n))), None)
    answer = row.get("answer")
    by_text = [i for i, t in enumerate(found.texts) if not absent(answer) and t == str(answer).strip()]
    if name is None:
        return Choice(one_of(answer, found))
    if isinstance(name, (list, tuple)):
        if len(name) != 1:
            raise Defect("answer names several options")
        name = name[0]
    number = integer(name)
    if number is None:
        letter = text(name, "no answer").strip("().").upper()
        if letter not in found.names:
            raise Defect("key outside the options")
        index = found.names.index(letter)
        if by_text and index not in by_text:
            raise Defect("answer and its letter contradict each other")
        return Choice(index)
    # Numbers are 0-based in some files and 1-based in others: the text decides where it can.
    if len(by_text) == 1:
        if number not in (by_text[0], by_text[0] + 1):
            raise Defect("answer and its letter contradict each other")
        return Choice(by_text[0])
    if not 0 <= number < len(found.texts):
        raise Defect("key outside the options")
    return Choice(number)


def _group(row: Row) -> Group | None:
    value = literal(row.get("group"))
    if absent(value):
        return None
    if isinstance(value, Mapping):
        return Group(
            text(value.get("id"), "group has no id"),
            str(value.get("role") or "member"),
            str(value.get("relation") or "original"),
        )
    return Group(
        text(value, "group has no id"),
        str(row.get("role") or "member"),
        str(row.get("relation") or "original"),
    )


def _stratum(value: Any) -> str | None:
    if absent(value):
        return None
    name = str(value).strip().casefold()
    if name not in ("reasoning", "knowledge"):
        raise Defect("stratum is neither reasoning nor knowledge")
    return name


def _probability(value: Any) -> float | None:
    if absent(value):
        return None
    try:
        p = float(value)
    except (TypeError, ValueError):
        raise Defect("p_reasoning is outside 0..1") from None
    if not 0 <= p <= 1:
        raise Defect("p_reasoning is outside 0..1")
    return p


_GENERIC = frozenset(
    "benchmark item_id question options answer context stratum stratum_definition p_reasoning "
    "group role relation meta target key content_hash".split()
)


def generic(row: Row, where: Where) -> Item:
    """The generic items file; unknown columns are kept in ``meta``."""
    found = read_options(row.get("options"))
    meta = literal(row.get("meta"))
    if not isinstance(meta, Mapping):
        meta = {} if absent(meta) else {"meta": meta}
    extra = {k: v for k, v in row.items() if k not in _GENERIC and not absent(v)}
    stratum, p = _stratum(row.get("stratum")), _probability(row.get("p_reasoning"))
    definition = row.get("stratum_definition")
    if absent(definition):
        definition = "given" if stratum or p is not None else None
    if "answer" in row:
        key: Choice | Choices = target(row["answer"], found)
    else:  # our own table, which holds positions
        positions = row.get("key") or []
        chosen = target([int(k) for k in positions], found)
        single = row.get("target") == "choice" and isinstance(chosen, Choices)
        key = Choice(chosen.indices[0]) if single and isinstance(chosen, Choices) else chosen
    return Item(
        benchmark=text(row.get("benchmark"), "no benchmark"),
        item_id=text(row.get("item_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=key,
        context=None if absent(row.get("context")) else _passages(row["context"]),
        stratum=stratum,
        stratum_definition=None if definition is None else str(definition),
        p_reasoning=p,
        group=_group(row),
        meta={**extra, **meta},
    )


def _passages(value: Any) -> str:
    value = literal(value)
    if isinstance(value, (list, tuple)):
        return "\n".join(str(v).strip() for v in value if not absent(v))
    return str(value).strip()


def biomed_r1(row: Row, where: Where) -> Item:
    """BioMed-R1-Eval: its split is kept as a definition of its own, its traces in ``meta``."""
    found = read_options(row.get("options"))
    p = _probability(row.get("reasoning_prob"))
    threshold = None if absent(row.get("reasoning_threshold")) else float(row["reasoning_threshold"])
    flag = row.get("is_reasoning")
    if isinstance(flag, str):
        flag = {"true": True, "false": False, "1": True, "0": False}.get(flag.strip().casefold())
    by_p = None if p is None or threshold is None else p >= threshold
    is_reasoning = by_p if absent(flag) else bool(flag)
    meta: dict[str, Any] = {}
    if threshold is not None:
        meta["reasoning_threshold"] = threshold
    if by_p is not None and is_reasoning != by_p:
        meta["label_contradicts_probability"] = True
    for name in sorted(k for k in row if re.fullmatch(r"adversarial_trace_\d+", k)):
        meta[name] = row[name] or ""  # an empty trace is a trace that was not given
    return Item(
        benchmark=text(row.get("dataset_name"), "no benchmark"),
        item_id=text(row.get("id"), "no item_id"),
        question=without_option_list(text(row.get("question"), "no question"), found),
        options=found.texts,
        target=_lettered_key(row, found),
        stratum=None if is_reasoning is None else "reasoning" if is_reasoning else "knowledge",
        stratum_definition=None if is_reasoning is None else "biomed-r1",
        p_reasoning=p,
        meta=meta,
    )


def label_contradictions(items: Any) -> int:
    """Items whose given label contradicts the probability and threshold given beside it."""
    return sum("label_contradicts_probability" in (m or "") for m in items["meta"])


def _part(where: Where) -> str:
    """Which part of a set a file holds, by its name; the test part has no suffix."""
    for part in ("train", "dev"):
        if part in where.words:
            return f"_{part}"
    return "_dev" if where.words & {"val", "valid", "validation"} else ""


def medqa(row: Row, where: Where) -> Item:
    """MedQA (USMLE), 4 or 5 options; the id is the 0-based row."""
    found = read_options(row.get("options"))
    name = "medqa" if len(found.texts) == 4 else f"medqa_{len(found.texts)}options"
    return Item(
        benchmark=name + _part(where),
        item_id=str(where.position),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=_lettered_key(row, found),
        meta=_meta(row, exam="meta_info"),
    )


def _medmcqa(row: Row, where: Where, first: int) -> Item:
    found = read_options({c: row.get(f"op{c}") for c in "abcd"})
    number = integer(row.get("cop"))
    if number is None or number < 0:  # the test part is published without keys, as -1
        raise Defect("no answer")
    if not 0 <= number - first < len(found.texts):
        raise Defect("key outside the options")
    part = _part(where)
    return Item(
        benchmark="medmcqa_train" if part == "_train" else "medmcqa",
        item_id=text(row.get("id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(number - first),
        meta=_meta(row, subject="subject_name", topic="topic_name", choice_type="choice_type",
                   explanation="exp"),
    )  # fmt: skip


def medmcqa(row: Row, where: Where) -> Item:
    """MedMCQA as its authors publish it: ``cop`` is 1-based."""
    return _medmcqa(row, where, 1)


def medmcqa_hub(row: Row, where: Where) -> Item:
    """MedMCQA as on the Hugging Face hub: ``cop`` is 0-based, -1 where there is no key."""
    return _medmcqa(row, where, 0)


def _numbers_from_zero(rows: Iterable[Row]) -> bool:
    numbers = {integer(row.get("cop")) for row in rows}
    return bool(numbers & {0, -1}) and 4 not in numbers


def careqa(row: Row, where: Where) -> Item:
    """CareQA (Spanish specialist exams, in English): ``cop`` is 1-based, some rows are all NaN."""
    if all(absent(v) for v in row.values()):
        raise Defect("every field is empty")
    found = read_options({"ABCD"[i]: row.get(f"op{i + 1}") for i in range(4)})
    number = integer(row.get("cop"))
    if number is None:
        raise Defect("no answer")
    if not 1 <= number <= len(found.texts):
        raise Defect("key outside the options")
    return Item(
        benchmark="careqa",
        item_id=text(row.get("unique_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(number - 1),
        meta=_meta(row, category="category", year="year", exam_id="exam_id"),
    )


def mmlu(row: Row, where: Where) -> Item:
    """One subject of MMLU: question, four options and a letter, without a header."""
    subject = re.sub(r"_(test|val|dev)$", "", where.stem)
    found = read_options([row.get(c) for c in "ABCD"])
    letter = text(row.get("answer"), "no answer")
    if letter not in ("A", "B", "C", "D"):
        raise Defect("key outside the options")
    return Item(
        benchmark="mmlu_med" if subject in _MMLU_FIRST else f"mmlu_{subject}",
        item_id=f"{subject}-{where.position:03d}",
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice("ABCD".index(letter)),
        meta={"subject": subject},
    )


def mmlu_hub(row: Row, where: Where) -> Item:
    """MMLU as on the Hugging Face hub: ``choices`` and a 0-based ``answer``, with its subject."""
    subject = text(row.get("subject"), "no subject")
    found = read_options(row.get("choices"))
    return Item(
        benchmark="mmlu_med" if subject in _MMLU_FIRST else f"mmlu_{subject}",
        item_id=f"{subject}-{where.position:03d}",
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(one_of(row.get("answer"), found)),
        meta={"subject": subject},
    )


def mmlu_pro(row: Row, where: Where) -> Item:
    """MMLU-Pro: up to 10 options, a letter and its 0-based position, which must agree."""
    found = read_options([o for o in literal(row.get("options")) or [] if o != "N/A"])
    index = one_of(integer(row.get("answer_index")), found)
    if not absent(row.get("answer")) and str(row["answer"]).strip() != LETTERS[index]:
        raise Defect("answer and its letter contradict each other")
    category = text(row.get("category"), "no category")
    return Item(
        benchmark=f"mmlu_pro_{category.replace(' ', '_')}",
        item_id=text(row.get("question_id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(index),
        meta=_meta(row, source="src"),
    )


_DECISIONS = ("yes", "no", "maybe")


def pubmedqa(row: Row, where: Where) -> Item:
    """PubMedQA, expert-labelled: the abstract without its conclusion is the context."""
    if isinstance(row.get("context"), Mapping):  # the hub's layout
        contexts, labels = row["context"].get("contexts"), row["context"].get("labels")
        row = {"_key": row.get("pubid"), "QUESTION": row.get("question"), "CONTEXTS": contexts,
               "LABELS": labels, "final_decision": row.get("final_decision")}  # fmt: skip
    decision = text(row.get("final_decision"), "no answer").lower()
    if decision not in _DECISIONS:
        raise Defect("key outside the options")
    name = text(row.get("_key", row.get("id")), "no item_id")
    return Item(
        # The authors' other 500 are the folds for cross-validation.
        benchmark="pubmedqa" if name in pubmedqa_test() else "pubmedqa_cv",
        item_id=name,
        question=text(row.get("QUESTION"), "no question"),
        options=_DECISIONS,
        target=Choice(_DECISIONS.index(decision)),
        context=_passages(row.get("CONTEXTS") or "") or None,
        meta=_meta(row, year="YEAR"),
    )


def _question_type(row: Row) -> str | None:
    value = row.get("question_type")
    return None if absent(value) else {"Reasoning": "reasoning", "Understanding": "knowledge"}.get(
        str(value).strip()
    )  # fmt: skip


def medxpertqa(row: Row, where: Where) -> Item:
    """MedXpertQA, text and images: its Reasoning/Understanding labels become given strata."""
    found = read_options(row.get("options"))
    name = text(row.get("id"), "no item_id")
    label = _question_type(row)
    meta = _meta(row, medical_task="medical_task", body_system="body_system")
    images = [i.get("image_path") if isinstance(i, Mapping) else i for i in row.get("images") or []]
    if images:
        meta["images"] = images
    return Item(
        benchmark="medxpertqa_mm" if name.startswith("MM-") or images else "medxpertqa",
        item_id=name,
        question=without_option_list(text(row.get("question"), "no question"), found),
        options=found.texts,
        target=_lettered_key(row, found),
        stratum=label,
        stratum_definition="medxpertqa" if label else None,
        meta=meta,
    )


def frenchmedmcqa(row: Row, where: Where) -> Item:
    """FrenchMedMCQA: one to five right options out of five."""
    found = read_options(row.get("answers"))
    letters = [str(a).strip().upper() for a in row.get("correct_answers") or []]
    if any(a not in found.names for a in letters):
        raise Defect("key outside the options")
    part = _part(where)
    return Item(
        benchmark="frenchmedmcqa" + part if part == "_train" else "frenchmedmcqa",
        item_id=text(row.get("id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=target([found.names.index(a) for a in letters], found),
        meta=_meta(row, subject="subject_name", type="type"),
    )


def medhalt(row: Row, where: Where) -> Item:
    """Med-HALT, fake questions: the right answer is to say that one does not know."""
    found = read_options(row.get("options"), digits=True)
    honest = [i for i, t in enumerate(found.texts) if t.casefold().rstrip(". ") == "i do not know"]
    if not honest:
        raise Defect("answer is not among the options")
    if len(honest) > 1:
        raise Defect("answer matches two options")
    return Item(
        benchmark="medhalt_fake",
        item_id=text(row.get("id"), "no item_id"),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(honest[0]),
        meta=_meta(row, source="dataset", subject="subject_name", topic="topic_name"),
    )


def medagents(row: Row, where: Where) -> Item:
    """medagents-benchmark: several sets in one layout, whose ids are turned into those used here."""
    found = read_options(row.get("options"))
    question = text(row.get("question"), "no question")
    name = text(row.get("realidx"), "no item_id")
    context: str | None = None
    if not absent(row.get("subject")):
        benchmark = "mmlu_med"
        name = canonical_id(benchmark, name)
        if not name.startswith(f"{row['subject']}-"):
            raise Defect("realidx lies outside its subject")
    elif not absent(row.get("category")):
        benchmark = f"mmlu_pro_{row['category']}"
    elif found.texts == _DECISIONS:
        benchmark = "pubmedqa"
        context, _, question = question.rpartition("\n")
    elif not absent(row.get("meta_info")) and len(found.texts) == 4:
        benchmark = "medqa"
    elif re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name):
        benchmark = "medmcqa"
    else:
        benchmark = _by_file_name(where)
    return Item(
        benchmark=benchmark,
        item_id=name,
        question=without_option_list(question, found),
        options=found.texts,
        target=_lettered_key(row, found),
        context=context or None,
        meta=_meta(row, subject="subject", source="src", exam="meta_info"),
    )


def _by_file_name(where: Where) -> str:
    """A benchmark's name from the name of its file, or of its folder where the file says little."""
    from viva.benchmarks.cards import find_name

    stem = re.sub(r"[_-]?(test|hard|questions|data)\b", "", where.stem.replace("-", "_")).strip("_")
    stem = re.sub(r"_(test|test_hard|hard)$", "", stem)
    if not stem or stem in ("train", "dev", "val", "validation", "rows", "frame"):
        folder = PurePath(where.file).parent.name.lower()
        stem = f"{folder}_{stem}".strip("_") if folder and stem else folder or stem or "items"
    return find_name(stem) or stem


def lettered(row: Row, where: Where) -> Item:
    """Question, options and the letter of the answer, as many evaluation suites keep their sets."""
    found = read_options(row.get("options"))
    name = next((row[n] for n in ("id", "idx", "question_id") if not absent(row.get(n))), None)
    return Item(
        benchmark=_by_file_name(where),
        item_id=str(where.position) if name is None else text(name, "no item_id"),
        question=without_option_list(text(row.get("question"), "no question"), found),
        options=found.texts,
        target=_lettered_key(row, found),
        meta=_meta(row, exam="meta_info"),
    )


def huatuo(row: Row, where: Where) -> Item:
    """HuatuoGPT-o1's training demonstration: MedQA-style items with an open-ended twin."""
    found = read_options(row.get("options"))
    return Item(
        benchmark="huatuo_demo",
        item_id=str(where.position),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=_lettered_key(row, found),
        meta=_meta(row, open_question="Open-ended Verifiable Question",
                   open_answer="Ground-True Answer"),
    )  # fmt: skip


_OPTION_LINE = re.compile(r"^[ \t]*Option ([A-Z])[ \t]*:", re.M)


def instruction(row: Row, where: Where) -> Item:
    """Self-BioRAG's training sets: question and options are inside the text of an instruction."""
    instances = literal(row.get("instances"))
    if not isinstance(instances, Mapping):
        raise Defect("no question")
    body = text(instances.get("input"), "no question")
    pieces = _OPTION_LINE.split(body)
    question = re.sub(r"^\s*question\s*:\s*", "", pieces[0], flags=re.I).strip()
    pairs = list(zip(pieces[1::2], pieces[2::2], strict=True))
    found = read_options([{"letter": letter, "text": option.strip()} for letter, option in pairs])
    output = text(instances.get("output"), "no answer")
    letter = re.fullmatch(r"Answer:\s*\(?([A-Z])\)?\.?", output)
    name = re.sub(r"[^a-z]", "", str(row.get("name", "")).casefold())
    return Item(
        benchmark="medmcqa_train" if "medmcqa" in name else "medqa_train",
        item_id=str(where.position),  # their ids name the task, not the item
        question=text(question, "no question"),
        options=found.texts,
        target=Choice(one_of(letter[1] if letter else output, found)),
    )


def casimedicos(row: Row, where: Where) -> Item:
    """CasiMedicos-Arg: exam cases rebuilt from tagged tokens; options are numbered from 1."""
    found = read_options(row.get("options"), digits=True)
    name = text(row.get("answer"), "no answer")
    if name not in found.names:
        raise Defect("key outside the options")
    spanish = bool(where.words & {"es", "spanish"})
    return Item(
        benchmark=("casimedicos_es" if spanish else "casimedicos") + _part(where),
        item_id=str(where.position),
        question=text(row.get("question"), "no question"),
        options=found.texts,
        target=Choice(found.names.index(name)),
        meta=_meta(row, specialty="type", explanation="explanation"),
    )


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


ADAPTERS: dict[str, Adapter] = {
    "generic": Adapter(generic, _fields("benchmark item_id question options answer"),
                       "the generic items file"),
    "viva": Adapter(generic, _fields("benchmark item_id question options target key"),
                    "an items table written by Viva"),
    "biomed_r1": Adapter(biomed_r1, _fields("id question options dataset_name reasoning_prob"),
                         "BioMed-R1-Eval"),
    "medagents": Adapter(medagents, _fields("realidx question options answer_idx"),
                         "medagents-benchmark, all sets"),
    "medqa": Adapter(medqa, _fields("question options answer answer_idx meta_info"),
                     "MedQA, 4 or 5 options"),
    "huatuo": Adapter(huatuo, {"question", "options", "answer_idx", "Complex_CoT"} | _fields("answer"),
                      "HuatuoGPT-o1 demonstration data"),
    "medmcqa_hub": Adapter(medmcqa_hub, _fields("id question opa opb opc opd cop"),
                           "MedMCQA from the hub (cop 0-based)", fits=_numbers_from_zero),
    "medmcqa": Adapter(medmcqa, _fields("id question opa opb opc opd cop"),
                       "MedMCQA (cop 1-based)"),
    "careqa": Adapter(careqa, _fields("unique_id question op1 op2 op3 op4 cop"), "CareQA"),
    "mmlu_pro": Adapter(mmlu_pro, _fields("question_id question options answer_index category"),
                        "MMLU-Pro"),
    "mmlu_hub": Adapter(mmlu_hub, _fields("question subject choices answer"),
                        "MMLU from the hub"),
    "pubmedqa": Adapter(pubmedqa, _fields("QUESTION CONTEXTS final_decision"),
                        "PubMedQA, expert-labelled"),
    "pubmedqa_hub": Adapter(pubmedqa, _fields("pubid question context final_decision"),
                            "PubMedQA from the hub"),
    "medxpertqa": Adapter(medxpertqa, _fields("id question options question_type"),
                          "MedXpertQA, text and images"),
    "frenchmedmcqa": Adapter(frenchmedmcqa, _fields("id question answers correct_answers"),
                             "FrenchMedMCQA (several right options)"),
    "medhalt": Adapter(medhalt, _fields("id question options split_type dataset"),
                       "Med-HALT, fake questions"),
    "instruction": Adapter(instruction, _fields("name instruction instances"),
                           "Self-BioRAG training sets (MedQA, MedMCQA)"),
    "mmlu": Adapter(mmlu, _fields("question A B C D answer"),
                    "MMLU, one CSV file per subject, no header", shape="headerless"),
    "casimedicos": Adapter(casimedicos, _fields("question options answer"),
                           "CasiMedicos-Arg, tagged tokens", shape="tokens"),
    "lettered": Adapter(lettered, _fields("question options answer_idx"),
                        "question, options and the letter of the answer"),
}  # fmt: skip
"""Every format that can be read, in the order in which a file is tried against them."""


def adapter_for(rows: Iterable[Row], shape: str = "rows") -> str | None:
    """The name of the first adapter whose required fields the rows have; None where none fits."""
    seen = list(rows)
    fields = {name for row in seen for name in row}
    for name, adapter in ADAPTERS.items():
        if adapter.shape == shape and adapter.required <= fields:
            if adapter.fits is None or adapter.fits(seen):
                return name
    return None
