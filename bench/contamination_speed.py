"""Search for contamination: megabytes a second and peak memory.

    python bench/contamination_speed.py [--items 10000] [--megabytes 100]

Items and text are made (see bench/duplicates.py): every five-hundredth row of the text holds an
item, some with edits; the others are prose over the same vocabulary with exam boilerplate.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from viva._files.texts import read_texts
from viva.analysis.contamination import contamination
from viva.records import Item, items_frame

sys.path.insert(0, str(Path(__file__).parent))
from duplicates import Maker


def write(file: Path, items: list[Item], maker: Maker, megabytes: float) -> dict[int, str]:
    """Rows of training text as JSON Lines; gives which rows hold which item."""
    rng = random.Random(1)
    prose = [maker.text(250) for _ in range(400)]
    size, row, planted = 0, 0, {}
    with file.open("w", encoding="utf-8") as out:
        while size < megabytes * 1e6:
            row += 1
            text = rng.choice(prose)[rng.randrange(40) :]
            if row % 500 == 0:
                item = rng.choice(items)
                copy = maker.edited(item, rng.choice(["words", "order"]), "c")
                text = f"{text}\n{copy.question}\n" + "\n".join(copy.options)
                planted[row] = item.item_id
            else:
                text += " " + maker.item("x").question
            line = json.dumps({"text": text})
            out.write(line + "\n")
            size += len(line) + 1
    return planted


def peak() -> float:
    """Peak memory of the process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--megabytes", type=float, default=100)
    given = parser.parse_args()
    maker = Maker(0)
    items = [maker.item(f"i{n}") for n in range(given.items)]
    frame = items_frame(items)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "training.jsonl"
        planted = write(file, items, maker, given.megabytes)
        size, before = file.stat().st_size / 1e6, peak()
        marks = [(time.perf_counter(), time.process_time())]

        def texts() -> Iterator[tuple[str, int, str]]:
            # The first text is asked for when the index is made.
            marks.append((time.perf_counter(), time.process_time()))
            yield from (("t", row, text) for row, text in read_texts(file))

        found = contamination(frame, texts())
        marks.append((time.perf_counter(), time.process_time()))
    index, index_cpu = (b - a for a, b in zip(marks[0], marks[1], strict=True))
    seconds, processor = (b - a for a, b in zip(marks[1], marks[2], strict=True))
    hit = {(row, item) for row, item in found.flags.select("row", "item_id").iter_rows()}
    reached = sum((row, item) in hit for row, item in planted.items())
    print(f"{given.items} items, {size:.0f} MB, {found.rows} rows")
    for what, took in (("wall clock", seconds), ("processor", processor)):
        print(f"  {what}: {took:.1f} s, {size / took:.1f} MB/s")
    print(f"  before that, index: {index:.1f} s (processor {index_cpu:.1f} s)")
    print(f"peak {peak():.2f} GB, of which before the search {before:.2f} GB")
    print(f"planted rows found: {reached} of {len(planted)}; flags {found.flags.height}")
    texts_of = {item.item_id: item.question for item in items}
    for row, item in planted.items():
        if (row, item) not in hit:
            print(f"  not found: {texts_of[item][:90]}")


if __name__ == "__main__":
    main()
