"""Data sets on the Hugging Face hub, read by name; the only place here that uses the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from viva.benchmarks.adapters import ADAPTERS
from viva.benchmarks.reading import read_rows_as
from viva.benchmarks.rows import MMLU_SUBJECTS
from viva.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import polars as pl

    from viva.records import ItemsRead

__all__ = ["HUB", "Hub", "read_hub"]


class Hub(NamedTuple):
    """One part of a data set on the hub."""

    name: str
    path: str
    """``hf://datasets/OWNER/NAME/...``, where ``*`` stands for the number of a shard."""
    adapter: str
    file: str
    """The name under which the adapter sees it, which says the part of the set."""


_TABLE = (
    Hub("medqa", "hf://datasets/GBaker/MedQA-USMLE-4-options/phrases_no_exclude_test.jsonl",
        "medqa", "medqa_test.jsonl"),
    Hub("medmcqa", "hf://datasets/openlifescienceai/medmcqa/data/validation-*.parquet",
        "medmcqa_hub", "medmcqa_dev.parquet"),
    Hub("medmcqa_train", "hf://datasets/openlifescienceai/medmcqa/data/train-*.parquet",
        "medmcqa_hub", "medmcqa_train.parquet"),
    Hub("pubmedqa", "hf://datasets/qiaojin/PubMedQA/pqa_labeled/train-*.parquet",
        "pubmedqa_hub", "pubmedqa.parquet"),
    Hub("mmlu_pro", "hf://datasets/TIGER-Lab/MMLU-Pro/data/test-*.parquet",
        "mmlu_pro", "mmlu_pro_test.parquet"),
    *(Hub(f"mmlu_{subject}", f"hf://datasets/cais/mmlu/{subject}/test-*.parquet",
          "mmlu_hub", f"{subject}_test.parquet")
      for subject in MMLU_SUBJECTS),
    Hub("medxpertqa", "hf://datasets/TsinghuaC3I/MedXpertQA/Text/test.jsonl",
        "medxpertqa", "medxpertqa_test.jsonl"),
    Hub("medxpertqa_mm", "hf://datasets/TsinghuaC3I/MedXpertQA/MM/test.jsonl",
        "medxpertqa", "medxpertqa_mm_test.jsonl"),
    Hub("biomed_r1", "hf://datasets/zou-lab/BioMed-R1-Eval/*/test-*.parquet",
        "biomed_r1", "biomed_r1.parquet"),
)  # fmt: skip

HUB: dict[str, Hub] = {hub.name: hub for hub in _TABLE}
"""What can be read with ``read_items("hub:NAME")``."""


def read_hub(name: str, *, benchmark: str | None = None, strict: bool = False) -> ItemsRead:
    """Items of a data set on the hub, by its name in :data:`HUB` or as ``OWNER/NAME/PATH``.

    Raises
    ------
    InputError
        An unknown name; a data set that cannot be read (no network, moved, gated).
    """
    hub = HUB.get(name)
    if hub is None and name.count("/") >= 2:
        hub = Hub(name, f"hf://datasets/{name}", "", name)
    if hub is None:
        near = did_you_mean(f"hub:{name}", [f"hub:{known}" for known in HUB])
        mend = f"{near} Or give hub:OWNER/NAME/PATH"
        raise InputError(f"no data set hub:{name}", mend=mend)
    frame = _fetch(hub.path)
    rows = list(enumerate(frame.iter_rows(named=True), 1))
    adapter = hub.adapter or None
    if adapter:
        missing = ADAPTERS[adapter].required - set(frame.columns)
        if missing:
            raise InputError(
                f"misses {', '.join(sorted(missing))}: the data set has changed",
                where=hub.path,
                mend="Download its file and give the path, with adapter= where needed",
            )
    return read_rows_as(hub.file, rows, adapter, benchmark=benchmark, strict=strict)


def _fetch(path: str) -> pl.DataFrame:
    import polars as pl

    try:
        if path.endswith(".parquet"):
            return pl.read_parquet(path)
        if path.endswith((".jsonl", ".ndjson")):
            return pl.read_ndjson(path)
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"cannot be read from the hub ({str(error).splitlines()[0]})",
            where=path,
            mend="Check the network, and HF_TOKEN for gated data; or download the file",
        ) from None
