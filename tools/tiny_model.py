"""Write a tiny language model of random weights, to try a server and `viva eval` with.

``python tools/tiny_model.py FOLDER [--seed S]`` needs the extra hf and downloads nothing. The
model has seen nothing but a second of training on the form of an answer, so that its text can be
read; what it answers is chance.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the arguments and write the model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="another seed is another model")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from tiny import tiny_model

    tiny_model(arguments.folder, seed=arguments.seed, answers=True)
    print(f"{arguments.folder}: about 150,000 parameters, seed {arguments.seed}")


if __name__ == "__main__":
    main()
