"""Make the list of names that the splitter recognises from the published vocabularies.

    python tools/build_names.py ../shared/data

Reads the Disease Ontology (CC0), the nodes of Hetionet (CC0) and RABBITS (Apache-2.0).
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from pathlib import Path

TOKEN = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*")
TOO_COMMON = {
    "disease": {"disease", "syndrome", "infection", "disease of"},
    "drug": set(
        "water oxygen alcohol glucose ethanol calcium iron copper zinc dopamine histamine insulin"
        " generic brand".split()
    ),
}


def plain(name: str) -> str:
    return " ".join(TOKEN.findall(name.lower()))


def tsv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def main(shared: Path) -> None:
    diseases = {plain(row["label"]) for row in tsv(shared / "knowledge/humando_isa.tsv")}
    nodes = tsv(shared / "knowledge/hetionet-v1.0-nodes.tsv")
    kinds = {"disease": diseases}
    for kind, label in (("drug", "Compound"), ("symptom", "Symptom"), ("anatomy", "Anatomy")):
        kinds[kind] = {plain(row["name"]) for row in nodes if row["kind"] == label}
    with (shared / "rabbits/generic_to_brand.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            kinds["drug"].add(plain(row["generic"]))
            kinds["drug"].update(plain(b) for b in re.findall(r"'([^']+)'", row["brand"]))
    sections = []
    for kind, found in kinds.items():
        kept = {n for n in found if len(n) > 3 and n.count(" ") < 5} - TOO_COMMON.get(kind, set())
        sections.append("\n".join(sorted(kept)))
        print(f"{kind}: {len(kept):,} names")
    target = Path(__file__).parents[1] / "src/viva/strata/weights/names.txt.gz"
    target.write_bytes(gzip.compress("\n\n".join(sections).encode(), 9, mtime=0))
    print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
