"""Entry points of other packages: found by name, loaded late, never fatal."""

from __future__ import annotations

import sys

import pytest

from viva import _plugins


@pytest.fixture
def package(install):
    """A package on the path that adds one good and one broken format."""

    def make(name: str) -> str:
        entries = {
            "format.good": f"{name}:read",
            "format.broken": f"{name}_absent:read",
            "adapter.other": f"{name}:read",
            "stranger": f"{name}:read",
        }
        install(name, "def read(path):\n    return path\n", entries)
        return name

    return make


def test_names_are_listed_without_importing(package):
    package("viva_plugin_test_a")
    assert _plugins.names("format") == ["broken", "good"]
    assert _plugins.names("adapter") == ["other"]
    assert "viva_plugin_test_a" not in sys.modules


def test_a_good_one_is_loaded(package):
    package("viva_plugin_test_b")
    read = _plugins.load("format", "good")
    assert read is not None
    assert read("x") == "x"
    assert _plugins.load("format", "nothing of this name") is None


def test_a_broken_one_is_reported_by_name_and_left_out(package):
    package("viva_plugin_test_c")
    with pytest.warns(UserWarning, match=r"format\.broken of viva_plugin_test_c.*ModuleNotFound"):
        found = _plugins.table("format")
    assert list(found) == ["good"]


@pytest.mark.filterwarnings("ignore:format.broken")
@pytest.mark.filterwarnings("ignore:adapter.other")
def test_the_second_of_one_name_is_reported(package):
    package("viva_plugin_test_d")
    package("viva_plugin_test_e")
    with pytest.warns(UserWarning, match=r"format\.good of viva_plugin_test_e is not used"):
        _plugins.names("format")
    # Warned of once only: the names are kept.
    assert _plugins.load("format", "good").__module__ == "viva_plugin_test_d"


def test_an_unknown_kind_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="kind is 'nonsense'"):
        _plugins.names("nonsense")


ALL = """
from viva.benchmarks import Adapter
from viva.formats import Export, Format
from viva.methods import Answer, Method
from viva.models import BackendKind, Capabilities, Completion
from viva.records import Choice, Item

def read(opened, reading):
    for row, values in opened.rows:
        reading.add(row, benchmark="b", item_id=values["q"], model="m", text=values["a"])

def write(items, responses, scores, manifest, path, *, prompts=None):
    path.write_text(str(items.height))
    return [path]

class Model:
    model, connections, capabilities = "parrot", 2, Capabilities()

    def settings(self):
        return {"parrot": True}

    async def generate(self, request):
        return Completion(request.messages[-1].content[-1], finish_reason="stop")

    async def probe(self):
        return self.capabilities

    async def close(self):
        pass

async def last(item, client, *, sampling, prompt=None, shout: bool = False):
    from viva.models import Message, Request
    said = await client.generate(Request((Message("user", item.question),), sampling=sampling))
    return Answer(said.text.upper() if shout else said.text)

FORMAT = Format("theirs", (("q",), ("a",)), lambda o: o.columns >= {"q", "a"}, read)
EXPORT = Export("a count", write)
BACKEND = BackendKind("parrot/NAME", lambda rest, options: Model())
METHOD = Method("the last word", last)
"""


def test_another_package_adds_to_every_table_of_a_run(install, tmp_path):
    kinds = ("format", "export", "backend", "method")
    install("viva_others", ALL, {f"{kind}.theirs": f"viva_others:{kind.upper()}" for kind in kinds})
    import viva
    from viva.formats import read_responses
    from viva.runs import export

    rows = [
        {"benchmark": "b", "item_id": str(i), "question": f"Which? {x}", "options": ["no", "yes"],
         "answer": "B"}
        for i, x in enumerate("ab")
    ]  # fmt: skip
    run = viva.evaluate(
        model="theirs/x", benchmark=rows, method="theirs", parameters={"shout": True},
        out=tmp_path / "run",
    )  # fmt: skip
    assert (run.done, run.planned) == (2, 2)
    read = read_responses(run.folder).responses
    assert read.select("model", "method", "text").rows() == [
        ("parrot", "theirs(shout=true)", "A"), ("parrot", "theirs(shout=true)", "B"),
    ]  # fmt: skip
    assert export(run.folder, "theirs", tmp_path / "out.txt")[0].read_text() == "2"
    assert read_responses([{"q": "1", "a": "A"}], format="theirs").responses["text"].to_list() == [
        "A"
    ]


def test_what_has_another_shape_or_one_of_our_names_is_said(install):
    install(
        "viva_misfits",
        "from viva.methods import METHODS\nours = METHODS['cot']\n",
        {"method.cot": "viva_misfits:ours", "method.odd": "viva_misfits:METHODS"},
    )
    from viva.methods import METHODS, methods

    with pytest.warns(UserWarning) as said:
        assert methods() == METHODS
    assert [str(each.message) for each in said] == [
        "method.cot of another package is not used: Viva has one of that name",
        "method.odd of another package is not used: it is a dict, not a Method",
    ]
