"""The robustness chapter in a real browser: inert, whole at every width, text inside the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_browser import HOSTILE, browser, pytestmark, visit
from test_robustness_chapter import LEVELS, answers

import viva

__all__ = ["browser", "pytestmark"]  # the fixture, and what it needs


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of the analysis and that of the audit, names hostile throughout."""
    folder = tmp_path_factory.mktemp("hostile")
    items, clean, misled = answers(dict(zip(LEVELS, (0.1, 0.2, 0.4, 0.7), strict=True)), n=60)
    more = []
    for k, text in enumerate(HOSTILE):
        name = text[:60] or "m"
        sure = {"model": name, "confidence": 0.4 + 0.03 * k}
        more += [{**row, **sure, "response": text + row["response"]} for row in clean]
        more += [
            {**row, "model": name, "probe": f"{text}@prefill"}
            for row in misled
            if row["probe"].startswith("misleading_start.long")
        ]
    settings = {"labels": "given", "resamples": 100}
    everything = clean + misled + more
    viva.analyse_probes(everything, everything, items=items, out=folder / "probes", **settings)
    viva.audit(items, [everything], out=folder / "audit", **settings)
    return {name: folder / name / "report.html" for name in ("probes", "audit")}


@pytest.mark.parametrize("name", ["probes", "audit"])
def test_hostile_names_and_texts_are_inert(browser: Any, pages: dict[str, Path], name: str) -> None:
    assert visit(browser, pages[name]) == [pages[name].as_uri()]
    assert browser.execute_script("return window.pwned") is None
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.find_elements("css selector", "iframe, base, link[rel=stylesheet]") == []
    assert pages[name].stat().st_size < 6_000_000


@pytest.mark.parametrize("name", ["probes", "audit"])
@pytest.mark.parametrize("width", [360, 800, 1300])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_any_width(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    visit(browser, pages[name], width, scheme)
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= inner


def test_labels_of_the_figures_stay_inside_and_apart(browser: Any, pages: dict[str, Path]) -> None:
    visit(browser, pages["probes"])
    wrong = browser.execute_script("""
        const found = [];
        for (const svg of document.querySelectorAll('.flows svg, .response svg')) {
            const frame = svg.getBoundingClientRect(), seen = [];
            for (const text of svg.querySelectorAll('text')) {
                const box = text.getBoundingClientRect();
                if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                    box.bottom > frame.bottom + 1) found.push('outside: ' + text.textContent);
                for (const [other, words] of seen)
                    if (box.left < other.right - 1 && other.left < box.right - 1 &&
                        box.top < other.bottom - 4 && other.top < box.bottom - 4)
                        found.push(words + ' / ' + text.textContent);
                seen.push([box, text.textContent]);
            }
        }
        return found""")
    assert wrong == []


def test_reads_without_script(browser: Any, pages: dict[str, Path]) -> None:
    visit(browser, pages["probes"], script=False)
    assert "Settings" in browser.find_element("css selector", "main").text
