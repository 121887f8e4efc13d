"""The checks of `make check` find what they are there to find."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


def tool(name: str):
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(f"tool_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def links(tmp_path):
    module = tool("check_links")
    module.ROOT = tmp_path
    return module


def test_links_that_lead_nowhere_are_found(links, tmp_path):
    (tmp_path / "other.md").write_text("# One thing\n\n## One thing\n\n## `viva audit`, again\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[good](other.md) [good](other.md#one-thing) [good](other.md#one-thing-1)\n"
        "[good](other.md#viva-audit-again) [good](https://example.org/nothing) [good](#here)\n\n"
        "# Here\n"
    )
    assert links.findings(page) == []
    page.write_text("[bad](nowhere.md) [bad](other.md#two) ![bad](p.png) [bad](/etc/hostname)\n")
    assert len(links.findings(page)) == 4


def test_blocks_of_unknown_kind_are_found(links, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\n1\n```\n\n```text\n1\n```\n")
    assert links.findings(page) == []
    page.write_text("```bash\nls\n```\n\n```\nls\n```\n")
    assert len(links.findings(page)) == 2


@pytest.mark.parametrize(
    "line",
    [
        "<<<<<<< " + "HEAD",
        "# TO" + "DO: later",
        "path = '/" + "home/somebody/data'",
        "raise NotImplemented" + "Error",
        "break" + "point()",
    ],
)
def test_text_that_must_not_be_there_is_found(tmp_path, line):
    module = tool("check_text")
    module.ROOT = tmp_path
    file = tmp_path / "file.py"
    file.write_text("a = 1\n")
    assert module.findings(file) == []
    file.write_text(f"a = 1\n{line}\n")
    assert [found.split(":")[1] for found in module.findings(file)] == ["2"]


def test_what_pip_fetches_is_added_up(monkeypatch, tmp_path, capsys):
    module = tool("install")
    wheel = tmp_path / "near-1-py3-none-any.whl"
    wheel.write_bytes(b"0" * 2_000_000)
    log = (
        "Collecting big\n"
        "  Downloading big-1-cp311-manylinux.whl.metadata (500 kB)\n"
        "  Downloading big-1-cp311-manylinux.whl (53.9 MB)\n"
        "  Using cached old-2-py3-none-any.whl (1.5 MB)\n"
        f"Processing {wheel}\n"
        "Installing collected packages: a, b, c\n"
    )

    class Process:
        stdout = io.StringIO(log)

        def wait(self):
            return 0

    monkeypatch.setattr(module.subprocess, "Popen", lambda *a, **k: Process())
    fetched, local = module.pip_install(tmp_path, ["x"])
    assert (round(fetched, 3), round(local, 3)) == (54.4, 3.5)
    printed = capsys.readouterr().out
    assert "downloading big-1-cp311-manylinux.whl (53.9 MB)" in printed
    assert "installing 3 packages" in printed


def test_an_old_python_is_told_so(monkeypatch):
    module = tool("install")
    monkeypatch.setattr(module.sys, "version_info", (3, 9, 1))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer, this is 3\.9"):
        module.main()


def test_a_page_that_is_behind_is_found(monkeypatch, tmp_path, capsys):
    module = tool("build_docs")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    monkeypatch.setattr(module, "PAGES", {"page.md": lambda: "new\n"})
    monkeypatch.setattr(sys, "argv", ["build_docs.py", "--check"])
    assert module.main() == 1
    assert "behind" in capsys.readouterr().out
    assert not (tmp_path / "page.md").exists()
    monkeypatch.setattr(sys, "argv", ["build_docs.py"])
    assert module.main() == 0
    monkeypatch.setattr(sys, "argv", ["build_docs.py", "--check"])
    assert module.main() == 0


def test_the_page_of_benchmarks_shows_every_card_format_and_rule():
    from viva.benchmarks import ADAPTERS, CARDS

    page = tool("build_docs").benchmarks()
    assert (TOOLS.parent / "docs" / "benchmarks.md").read_text("utf-8") == page, "run: make docs"
    for name in CARDS:
        assert f"\n### {name}\n" in page
    for name in ADAPTERS:
        assert f"| `{name}` | " in page
    assert "| a single letter (b, B) | the option with this letter |" in page


def test_a_state_without_its_command_is_found(monkeypatch, tmp_path):
    module = tool("build_docs")
    monkeypatch.setattr(module, "DOCS", tmp_path)
    (tmp_path / "papers.toml").write_text('[[paper]]\nid = "a"\nstate = "works"\n')
    with pytest.raises(SystemExit, match="go together"):
        module.papers()
    (tmp_path / "papers.toml").write_text('[[paper]]\nid = "a"\nstate = "nearly"\n')
    with pytest.raises(SystemExit, match="nearly"):
        module.papers()


def test_make_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=TOOLS.parent, capture_output=True, text=True)
    assert done.returncode == 0
    for target in ("audit", "test", "check", "bench", "docs", "clean"):
        assert f"make {target} " in done.stdout
