"""The house itself: light imports, module sizes, documented names, and what is shipped."""

from __future__ import annotations

import ast
import csv
import gzip
import hashlib
import importlib
import io
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import pytest

import viva
from viva import _summary

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "viva"

HEAVY = (
    "jinja2",
    "matplotlib",
    "numpy",
    "pandas",
    "polars",
    "pydantic",
    "rich",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
    "typer",
)
"""Packages that ``import viva`` must not load."""

LONGEST_MODULE = 400
LONG_FOR_A_REASON = {
    "src/viva/records.py": "three records, their frames and their schemas belong together",
    "src/viva/_summary.py": "one shape, read as a whole",
}
"""Modules longer than that, and why they are not cut."""

PROMISES = "6d286e4b89d8323497e2069db9cf57be611d5411fcf883116ae06c2e57a147b0"
"""SHA-256 over the ids and sentences of docs/papers.toml."""

LARGEST_SAMPLE = 8 * 2**20
"""Bytes of data in the wheel: the limit of the bundled sample."""


def modules() -> list[str]:
    """Every module of the package, imported or not."""
    return sorted(["viva", *(m.name for m in pkgutil.walk_packages(viva.__path__, "viva."))])


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    return set(done.stdout.split())


def test_importing_viva_is_light():
    assert loaded_by("import viva") & set(HEAVY) == set()
    assert (
        loaded_by("import viva; dir(viva); viva.InputError; viva.__version__") & set(HEAVY) == set()
    )


def test_the_check_for_light_imports_can_fail():
    assert "numpy" in loaded_by("import viva, numpy")


def test_reading_an_answer_needs_the_standard_library_only():
    assert loaded_by("import viva.answers") & set(HEAVY) == set()


NEEDS = {
    "viva.inspect_tasks": "inspect_ai",  # Inspect itself imports it
    "viva.training._callback": "transformers",
    "viva.training._trl": "trl",
    **{f"viva.models._{name}": "torch" for name in ("batches", "caches", "decoding", "drawing")},
}
"""Modules of an extra that nothing imports where it is not installed."""


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_and_exports_what_exists(name):
    place = SOURCE.parent.joinpath(*name.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    tree = ast.parse(file.read_text("utf-8"))
    if not name.endswith(("._version", ".__main__")):
        assert ast.get_docstring(tree), f"{name} has no docstring"
    if name.endswith(".__main__"):
        return
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="an extra that is not installed")
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.__all__ names {public}, which is not there"


def public_definitions():
    """Where each function, class and method without a leading underscore is, and its docstring."""
    for path in sorted(SOURCE.rglob("*.py")):
        if re.search(r"(^|/)_(?!_)", path.relative_to(SOURCE).as_posix()):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        inside = [(path, node, node.name) for node in tree.body if hasattr(node, "name")]
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                inside += [
                    (path, method, f"{node.name}.{method.name}")
                    for method in node.body
                    if isinstance(method, ast.FunctionDef)
                ]
        for place, node, name in inside:
            if not any(part.startswith("_") for part in name.split(".")):
                yield f"{place.relative_to(ROOT)}:{node.lineno} {name}", ast.get_docstring(node)


def test_every_public_definition_has_a_docstring():
    definitions = list(public_definitions())
    assert len(definitions) > 20
    assert [where for where, docstring in definitions if not docstring] == []


def test_modules_are_short():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sorted(SOURCE.rglob("*.py"))
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_MODULE
    }
    assert set(long) <= set(LONG_FOR_A_REASON), f"longer than {LONGEST_MODULE} lines: {long}"


def test_no_room_is_empty():
    for folder in SOURCE.iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            files = [p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"]
            assert files, f"{folder.name} is empty"


def test_nothing_evaluates_or_unpickles():
    """Model output is hostile: no call in the package can run it."""
    forbidden = {"eval", "exec", "compile", "__import__"}
    serialisers = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, f"{where}: {node.func.id}()"
            if isinstance(node, ast.Import):
                assert not {a.name.split(".")[0] for a in node.names} & serialisers, where
            if isinstance(node, ast.ImportFrom) and node.module:
                assert node.module.split(".")[0] not in serialisers, where
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), where
                assert node.value.value is False, where


def test_the_layers_name_every_room():
    """A room that is missing from the contract could import anything."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = [c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    named = {
        name.strip("() ").removeprefix("viva.")
        for layer in contract["layers"]
        for name in re.split("[|:]", layer)
    }
    rooms = {m.name for m in pkgutil.iter_modules(viva.__path__)} - {"_version", "__main__"}
    assert rooms <= named, f"not in the layers of pyproject.toml: {sorted(rooms - named)}"


def imported_by(folder: str) -> dict[str, str]:
    """Packages of others that the files of a folder import, each with one of the files."""
    files = list((ROOT / folder).rglob("*.py"))
    beside = [ROOT / name for name in ("tests", "tools", "bench") if folder != "src"]
    own = set(sys.stdlib_module_names) | {"viva"} | {path.stem for path in files}
    own |= {path.stem for room in beside for path in room.rglob("*.py")}
    found: dict[str, str] = {}
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                top = name.split(".")[0]
                if top not in own:
                    found[top] = str(path.relative_to(ROOT))
    return found


DISTRIBUTIONS = {
    "PIL": "pillow",
    "inspect_ai": "inspect-ai",
    "lm_eval": "lm-eval",
    "ir_measures": "ir-measures",
    "markdown_it": "markdown-it-py",
    "rouge_score": "rouge-score",
    "sentence_transformers": "sentence-transformers",
    "sklearn": "scikit-learn",
}
"""Packages whose distribution has another name, or that come with another's."""


def test_every_import_is_declared():
    """What is imported but not declared works on the author's machine only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def named(requirements: list[str]) -> set[str]:
        return {re.split(r"[\s\[<>=!~;]", r)[0] for r in requirements}

    core = named(project["dependencies"])
    extras = project["optional-dependencies"]
    used = core | named([r for name in extras if name != "dev" for r in extras[name]])
    for folder, declared in (
        ("src", used),
        ("tests", used | named(extras["dev"])),
        ("tools", used | named(extras["dev"]) | {"fontTools"}),  # for its author, not for check
        ("bench", used | named(extras["dev"])),
    ):
        missing = {
            package: file
            for package, file in imported_by(folder).items()
            if DISTRIBUTIONS.get(package, package) not in declared
        }
        assert not missing, f"imported but not declared in pyproject.toml: {missing}"


def test_the_schema_of_the_summary_is_a_schema():
    schema = _summary.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"models": {}}, schema)


def test_the_promises_are_whole():
    """States and notes of docs/papers.toml change; which systems and which sentences do not."""
    papers = tomllib.loads((ROOT / "docs" / "papers.toml").read_text("utf-8"))["paper"]
    assert len(papers) == len({paper["id"] for paper in papers}) == 107
    text = "\n".join(f"{paper['id']}\t{paper['works_when']}" for paper in papers)
    assert hashlib.sha256(text.encode()).hexdigest() == PROMISES


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the tracked and untracked files of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_ships_types_licence_and_notice(wheel):
    names = wheel.namelist()
    assert "viva/py.typed" in names
    for wanted in ("LICENSE", "NOTICE", "METADATA", "entry_points.txt"):
        assert any(n.endswith(wanted) and ".dist-info/" in n for n in names), wanted
    (entry,) = [n for n in names if n.endswith("entry_points.txt")]
    assert "viva = viva.cli:main" in wheel.read(entry).decode()


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {t for t in top if not t.endswith(".dist-info")} == {"viva"}
    assert not [n for n in wheel.namelist() if n.endswith((".pkl", ".pickle", ".joblib", ".pyc"))]


def test_the_wheel_holds_every_file_of_the_package(wheel):
    """Data too: what is in the checkout's package must be there after an installation."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "src/viva"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    if not listed:
        pytest.skip("not a git checkout: the list of tracked files is not known")
    wanted = {n.removeprefix("src/") for n in listed.split("\0") if n and (ROOT / n).is_file()}
    assert wanted <= set(wheel.namelist())


def test_the_bundled_data_is_small(wheel):
    size = sum(i.file_size for i in wheel.infolist() if not i.filename.endswith((".py", ".html")))
    assert size <= LARGEST_SAMPLE, f"{size / 2**20:.1f} MiB of data in the wheel"


# What must not be passed on ------------------------------------------------------------------


def entries(shared: Path) -> tuple[list[str], list[str]]:
    """Files that must not be passed on, and those that may."""
    manifest = json.loads((shared / "MANIFEST.json").read_text("utf-8"))
    sides: dict[str, list[str]] = {"no": [], "share-alike": [], "yes": [], "attribution": []}
    for entry in manifest:
        sides[entry["redistributable"]].append(entry["file"])
    return sides["no"] + sides["share-alike"], sides["yes"] + sides["attribution"]


def _texts_of_row(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [t for v in value.values() for t in _texts_of_row(v)]
    if isinstance(value, list):
        return [t for v in value for t in _texts_of_row(v)]
    return []


def texts(path: Path) -> list[str]:
    """The longer pieces of prose of a data file, spacing made equal."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    text = raw.decode("utf-8", errors="replace")
    name = path.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        pieces = [t for line in text.splitlines() if line for t in _texts_of_row(json.loads(line))]
    elif name.endswith(".json"):
        pieces = _texts_of_row(json.loads(text))
    elif name.endswith(".csv"):
        csv.field_size_limit(2**30)
        pieces = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    else:
        pieces = text.splitlines()
    pieces = [re.sub(r"\s+", " ", p).strip() for p in pieces]
    return [p for p in pieces if len(p) >= 100]


def kept_text() -> str:
    """Everything the repository would hold, decompressed, spacing made equal."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    parts = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        raw = path.read_bytes()
        if name.endswith(".parquet"):
            import polars as pl

            parts.append(pl.read_parquet(path).write_ndjson())
            continue
        if name.endswith(".gz"):
            raw = gzip.decompress(raw)
        text = raw.decode("utf-8", errors="ignore")
        if name.removesuffix(".gz").endswith(".jsonl"):
            text = "\n".join(
                t for line in text.splitlines() if line for t in _texts_of_row(json.loads(line))
            )
        parts.append(text)
    return re.sub(r"\s+", " ", "\n".join(parts))


def held_by(text: str, pieces: Iterable[str]) -> set[str]:
    """The pieces that occur in a text, found in one pass over it."""
    import polars as pl

    found = pl.Series([text]).str.extract_many(sorted(pieces), overlapping=True)
    return set(found[0])


def test_a_passage_is_found_wherever_it_stands():
    assert held_by("before, the passage, after", ["the passage", "another"]) == {"the passage"}


@pytest.mark.shared
def test_nothing_that_must_not_be_passed_on_is_in_the_repository(shared):
    """Neither whole files nor passages of sets that are share-alike or without a licence."""
    barred, free = entries(shared)
    assert barred
    assert free
    pieces: dict[str, str] = {}
    for name in barred:
        here = sorted({piece[:100] for piece in texts(shared / name)})
        # Every file is looked at; of a long one, some hundred pieces spread over it.
        pieces.update(dict.fromkeys(here[:: max(1, len(here) // 300)], name))
    assert len(pieces) > 1000
    kept = held_by(kept_text(), pieces)
    # Many of the barred sets quote free ones: a passage that a free set holds may be kept.
    if kept:
        kept -= held_by("\n".join(t for name in free for t in texts(shared / name)), kept)
    assert not kept, sorted((pieces[piece], piece) for piece in kept)[:5]


@pytest.mark.shared
def test_no_barred_file_is_copied_whole(shared):
    manifest = json.loads((shared / "MANIFEST.json").read_text("utf-8"))
    barred, _ = entries(shared)
    hashes = {entry["sha256"]: entry["file"] for entry in manifest if entry["file"] in barred}
    for path in ROOT.rglob("*"):
        if path.is_file() and not {".git", ".venv"} & set(path.relative_to(ROOT).parts):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert digest not in hashes, f"{path.relative_to(ROOT)} is {hashes[digest]}"


def test_no_two_test_files_have_one_name():
    """Without packages among the tests, the second of two would not be collected."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_no_pattern_has_a_possessive_group():
    """Python before 3.11.5 matches them wrongly (python/cpython#106052)."""
    possessive = re.compile(r"(?<![\\\[])\)(?:[*+?]|\{\d+,?\d*\})\+|\(\?>")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(SOURCE.rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if possessive.search(line) and re.search(r"r[f]?[\"']", line)
    ]
    assert found == []
