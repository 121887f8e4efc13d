"""Near duplicates: seconds, peak memory, and how many planted ones are found.

    python bench/duplicates.py [--sizes 10000 50000]

The questions are made: words of a Zipf-like vocabulary, lengths as in medical benchmarks (most
short, a third vignettes), boilerplate that many share. Every tenth item is copied with one kind
of edit. Decoys share a template, a stem or an option list, and are no duplicates.
"""

from __future__ import annotations

import argparse
import random
import resource
import time

from viva.analysis.duplicates import near_duplicates
from viva.records import Choice, Item, items_frame

ENDINGS = [
    "Which of the following is the most likely diagnosis?",
    "Which of the following is the most appropriate next step in management?",
    "Which of the following statements is true?",
    "All of the following are true except",
]
VITALS = "His temperature is 37 C, blood pressure is {} mm Hg, pulse is {} per minute."
ONSETS = ["b", "br", "c", "cl", "d", "f", "g", "gl", "h", "l", "m", "n", "p", "ph", "r", "s", "st"]
RIMES = ["a", "e", "i", "o", "u", "an", "er", "in", "on", "ia", "is", "um", "ol", "ine", "ase"]


class Maker:
    """Made questions over one vocabulary."""

    def __init__(self, seed: int = 0, words: int = 20_000) -> None:
        self.random = random.Random(seed)
        made: dict[str, None] = {}
        while len(made) < words:
            syllables = self.random.randint(1, 4)
            made["".join(self._syllable() for _ in range(syllables))] = None
        self.words = list(made)
        total = 0.0
        self.cumulative = [total := total + 1 / (rank + 10) for rank in range(words)]

    def _syllable(self) -> str:
        return self.random.choice(ONSETS) + self.random.choice(RIMES)

    def text(self, n: int) -> str:
        return " ".join(self.random.choices(self.words, cum_weights=self.cumulative, k=n))

    def rare(self) -> str:
        return self.words[self.random.randrange(len(self.words) // 2, len(self.words))]

    def options(self) -> tuple[str, ...]:
        return tuple(self.text(self.random.randint(1, 6)) for _ in range(4))

    def item(self, name: str) -> Item:
        kind = self.random.random()
        age = self.random.randint(18, 90)
        if kind < 0.33:
            vitals = VITALS.format(self.random.randint(90, 190), self.random.randint(50, 130))
            stem = (
                f"A {age}-year-old man comes to the physician because of {self.text(60)}. {vitals}"
            )
            stem += f" {self.text(20)}. {self.random.choice(ENDINGS)}"
        elif kind < 0.9:
            stem = f"{self.text(self.random.randint(6, 18))} in {age} patients is"
        else:
            # Decoys: one template, one rare word; or nothing but boilerplate.
            stem = self.random.choice(
                [f"Which of the following is a feature of {self.rare()}?", ENDINGS[2], ENDINGS[3]]
            )
        return Item("made", name, stem, self.options(), Choice(0))

    def edited(self, item: Item, kind: str, name: str) -> Item:
        words = item.question.split()
        options = list(item.options)
        if kind == "words":
            for _ in range(max(1, len(words) // 16)):
                words[self.random.randrange(len(words))] = self.text(1)
        elif kind == "typing":
            for _ in range(max(1, len(words) // 16)):
                at = self.random.randrange(len(words))
                word = words[at]
                cut = self.random.randrange(len(word))
                words[at] = word[:cut] + word[cut + 1 :]
        elif kind == "number":
            words = [
                "".join(str((int(c) + 3) % 10) if c.isdigit() else c for c in word)
                for word in words
            ]
        elif kind == "order":
            words.insert(self.random.randrange(len(words)), self.text(1))
            self.random.shuffle(options)
        elif kind == "options":
            options = list(self.options())
        elif kind == "more options":
            options += self.options()
        return Item("copy", name, " ".join(words), tuple(options), Choice(0))


KINDS = ["words", "typing", "number", "order", "options", "more options"]


def planted(n: int, seed: int = 0) -> tuple[list[Item], dict[tuple[int, int], str]]:
    """About n items and, for each planted pair of rows, the kind of its edit."""
    maker = Maker(seed)
    items = [maker.item(f"i{row}") for row in range(n * 10 // 11)]
    pairs: dict[tuple[int, int], str] = {}
    for row in range(0, len(items) - 1, 10):
        item = items[row]
        if "of the following" in item.question[:25] or item.question.startswith("All of"):
            continue  # a decoy: with other options it is another question
        kind = KINDS[len(pairs) % len(KINDS)]
        pairs[(row, len(items))] = kind
        items.append(maker.edited(item, kind, f"c{row}"))
    return items, pairs


def measure(n: int) -> tuple[float, float, float, dict[str, float]]:
    """Seconds, processor seconds, precision, and recall by kind of edit."""
    items, pairs = planted(n)
    frame = items_frame(items)
    start, start_cpu = time.perf_counter(), time.process_time()
    near = near_duplicates(frame)
    seconds, processor = time.perf_counter() - start, time.process_time() - start_cpu
    found = {(int(a), int(b)) for a, b in near.pairs}
    precision = sum(pair in pairs for pair in found) / max(len(found), 1)
    recall = {}
    for kind in KINDS:
        of_kind = [pair for pair, made in pairs.items() if made == kind]
        recall[kind] = sum(pair in found for pair in of_kind) / len(of_kind)
    return seconds, processor, precision, recall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    for n in parser.parse_args().sizes:
        seconds, processor, precision, recall = measure(n)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        kinds = ", ".join(f"{kind} {share:.3f}" for kind, share in recall.items())
        print(f"{n} items: {seconds:.1f} s (processor {processor:.1f} s), peak {peak:.2f} GB")
        print(f"  precision {precision:.4f}")
        print(f"  recall by edit: {kinds}")


if __name__ == "__main__":
    main()
