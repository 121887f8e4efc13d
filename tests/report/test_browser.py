"""The page in a real browser: nothing runs but its own script, nothing is fetched."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from made_summary import BENCHMARKS, MODELS, make_disagreements, make_summary, make_unread

from viva import report

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver") or ""

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER), reason="needs chromium and chromedriver on the path"
)

HOSTILE = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=2</script>",
    "</title><script>window.pwned=3</script>",
    "</style><script>window.pwned=4</script>",
    "<img src=x onerror=window.pwned=5>",
    '"><svg onload=window.pwned=6>',
    "'><a href='javascript:window.pwned=7'>x</a>",
    "javascript:window.pwned=8",
    "<iframe srcdoc='<script>parent.pwned=9</script>'></iframe>",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eesrever\u2066x",
    "{{ 7 * 7 }}{% for x in y %}${window.pwned=10}",
    "]]><!--<script>window.pwned=11</script>",
    "\u2028window.pwned=12\u2029//",
    "=cmd|' /C calc'!A0",
    "<meta http-equiv=refresh content='0;url=https://example.com/'>",
    "<base href=https://example.com/>",
    "<link rel=stylesheet href=https://example.com/x.css>",
    "x" * 400,
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def visit(
    browser: Any, page: Path, width: int = 1200, scheme: str = "light", script: bool = True
) -> list[str]:
    """Open a page; the addresses that were asked for come back, console messages fail."""
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    phone = width < 500
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": phone},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {
            "features": [
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]
        },
    )
    browser.get(page.as_uri())
    console = browser.get_log("browser")
    assert console == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events
             if e["method"] == "Network.requestWillBeSent"]  # fmt: skip
    return [url for url in asked if not url.startswith(("data:", "about:"))]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    benchmarks = {f"{text}": (text, 100 + k, 0.5, 4) for k, text in enumerate(HOSTILE[:12])}
    summary = make_summary(HOSTILE, benchmarks)
    bad = HOSTILE[0] + HOSTILE[4] + HOSTILE[5]
    summary["verdict"] |= {"headline": bad, "sentences": list(HOSTILE)}
    summary["splitter"] |= {
        "caution": bad,
        "definition_in_words": bad,
        "text_view": bad,
        "measures": {bad: {bad: {"estimate": 0.5}}},
    }
    summary["settings"] |= {
        "command": bad,
        "answers": list(HOSTILE),
        "viva": bad,
        "created": bad,
        "versions": {bad: bad},
        "hashes": {bad: bad},
    }
    summary["data_quality"]["notes"] = list(HOSTILE)
    summary["data_quality"]["left_out"] = [
        {"file": t, "reason": t, "rows": 1, "examples": [t]} for t in HOSTILE
    ]
    for model in summary["models"].values():
        model["unread_reasons"] = dict.fromkeys(HOSTILE, 3)
        model["scoring"] = bad
    for benchmark, text in zip(summary["benchmarks"].values(), HOSTILE, strict=False):
        benchmark |= {"source": text, "licence": text, "known_defects": [text]}
    unread = [
        {"model": t, "benchmark": t, "item_id": t, "status": t, "reason": t, "text": t}
        for t in HOSTILE
    ]
    disagreements = [
        {
            "benchmark": t,
            "item_id": t,
            "question": t,
            "options": [t, t],
            "key": t,
            "answers": {t: "A", "other": t},
        }
        for t in HOSTILE
    ]
    folder = tmp_path_factory.mktemp("hostile")
    return report.write(summary, folder, disagreements=disagreements, unread=unread)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report.write(
        make_summary(), tmp_path_factory.mktemp("usual"),
        disagreements=make_disagreements(), unread=make_unread(),
    )  # fmt: skip


def test_hostile_text_is_inert(browser: Any, hostile: Path) -> None:
    from selenium.webdriver.common.by import By

    assert visit(browser, hostile) == [hostile.as_uri()]
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert browser.execute_script("return window.pwned") is None
    assert browser.execute_script("return document.scripts.length") == 1
    foreign = "img,iframe,object,embed,base,form,meta[http-equiv=refresh],[onerror],[onload]"
    assert browser.find_elements(By.CSS_SELECTOR, foreign) == []
    assert browser.find_elements(By.CSS_SELECTOR, "a:not([href^='#'])") == []
    text = browser.execute_script("return document.body.textContent")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "<U+202E>esrever" in text
    assert "{{ 7 * 7 }}" in text


def test_hostile_names_in_downloads(browser: Any, hostile: Path) -> None:
    visit(browser, hostile)
    text = browser.execute_script("return viva.csv(document.querySelector('table.data'))")
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "\t"))]
    assert any(cell.startswith("'=cmd") for row in rows for cell in row)
    svg = browser.execute_script("return viva.svg(document.getElementById('figure-gap'))")
    tree = ElementTree.fromstring(svg)  # well-formed
    assert not [node for node in tree.iter() if node.tag.endswith("}script")]


def test_a_second_policy_stops_what_escaping_would_miss(browser: Any, usual: Path) -> None:
    page = usual.with_name("injected.html")
    text = usual.read_text(encoding="utf-8")
    page.write_text(
        text.replace("</main>", "<script>window.pwned=1</script><img src=x onerror=pwned=2></main>")
    )
    browser.get(page.as_uri())
    assert browser.execute_script("return window.pwned") is None
    browser.get_log("browser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 700, 1000, 1400])
def test_fits_any_width_and_asks_for_nothing(
    browser: Any, usual: Path, width: int, scheme: str
) -> None:
    assert visit(browser, usual, width, scheme) == [usual.as_uri()]
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(17, 20, 23)") == (scheme == "dark")


def test_long_names_and_many_models_fit_a_phone(browser: Any, tmp_path: Path) -> None:
    models = tuple(f"{'very-long-' * 12}{k}" for k in range(40))
    page = report.write(make_summary(models), tmp_path)
    for width in (380, 1200):
        visit(browser, page, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_text_in_drawings_stays_inside_and_apart(browser: Any, usual: Path) -> None:
    """No label leaves its drawing and no two labels of a drawing cover one another."""
    for width in (380, 1400):
        visit(browser, usual, width)
        faults = browser.execute_script(
            """
            const faults = [];
            for (const drawing of document.querySelectorAll('svg.drawing')) {
              if (!drawing.getBoundingClientRect().width) continue;
              const box = drawing.viewBox.baseVal;
              const texts = Array.from(drawing.querySelectorAll('text'), (node) =>
                [node.textContent, node.getBBox()]).filter((t) => t[1].width);
              texts.forEach(([word, a], i) => {
                if (a.x < -0.5 || a.x + a.width > box.width + 0.5 || a.y < -1
                    || a.y + a.height > box.height + 1) faults.push(['outside', word]);
                for (const [other, b] of texts.slice(i + 1)) {
                  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
                  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
                  if (across > 1 && down > 4) faults.push(['covers', word, other]);
                }
              });
            }
            return faults;
            """
        )
        assert faults == []


def test_rows_of_tables_stay_low_on_a_phone(browser: Any, usual: Path) -> None:
    visit(browser, usual, 380)
    tallest = browser.execute_script(
        "return Math.max(...Array.from(document.querySelectorAll("
        "'.heat tbody tr, .matrix tbody tr, .main tbody tr'), (row) => row.offsetHeight))"
    )
    assert 20 < tallest < 80


def test_fonts_inside_the_page_are_used(browser: Any, usual: Path) -> None:
    visit(browser, usual)
    faces = browser.execute_async_script(
        "const done = arguments[0]; document.fonts.ready.then(() => done("
        "Array.from(document.fonts, (f) => [f.family.replaceAll('\"', ''), f.status])))"
    )
    assert sorted(map(tuple, faces)) == [("Viva Sans", "loaded"), ("Viva Serif", "loaded")]


def test_csv_holds_every_number_unrounded(browser: Any, usual: Path) -> None:
    visit(browser, usual)
    summary = make_summary()
    text = browser.execute_script(
        "return viva.csv(document.querySelector('#figure-gap table.data'))"
    )
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 2 * len(MODELS)
    for row in rows:
        gap = summary["models"][row["model"]]["gap"][row["estimator"]]
        assert float(row["gap (points)"]) == pytest.approx(gap["estimate"], abs=1e-6)
        assert float(row["low"]) == pytest.approx(gap["low"], abs=1e-6)
        assert float(row["high"]) == pytest.approx(gap["high"], abs=1e-6)
        assert float(row["n"]) == gap["n"]
        assert row["benchmarks"].split(", ") == gap["benchmarks"]


def test_latex_is_a_table(browser: Any, usual: Path, tmp_path: Path) -> None:
    visit(browser, usual)
    text = browser.execute_script(
        "return viva.latex(document.querySelector('#figure-gap table.data'))"
    )
    body = text[text.index("\\midrule") : text.index("\\bottomrule")].splitlines()[1:]
    assert len(body) == 2 * len(MODELS)
    spec = re.search(r"begin\{tabular\}\{([lr]+)\}", text)
    assert spec
    assert spec.group(1) == "llrrrrrrll"
    for line in body:
        assert len(re.findall(r"(?<!\\)&", line)) == len(spec.group(1)) - 1
        assert line.endswith(r"\\")
    assert not re.search(r"(?<!\\)[%#_]", text.split("\n", 1)[1])
    assert "\u2212" not in text


def test_svg_stands_alone_in_light_colours(browser: Any, usual: Path) -> None:
    visit(browser, usual, scheme="dark")
    for figure in ("figure-gap", "figure-sweep", "figure-robustness", "figure-keys"):
        svg = browser.execute_script(f"return viva.svg(document.getElementById('{figure}'))")
        tree = ElementTree.fromstring(svg)
        assert tree.tag.endswith("svg")
        assert "var(" not in svg
        assert 'fill="#ffffff"' in svg
    assert browser.execute_script("return document.documentElement.dataset.theme") is None


def test_buttons_tabs_and_links_work(browser: Any, usual: Path, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.wait import WebDriverWait

    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    visit(browser, usual)
    for kind in ("csv", "latex", "svg"):
        button = browser.find_element(By.CSS_SELECTOR, f"#figure-gap button[data-do={kind}]")
        browser.execute_script("arguments[0].click()", button)
    wanted = {"viva-gap.csv", "viva-gap.tex", "viva-gap.svg"}
    WebDriverWait(browser, 10).until(lambda _: {p.name for p in tmp_path.iterdir()} >= wanted)

    first = browser.find_element(By.ID, "tab-all")
    first.send_keys(Keys.ARROW_RIGHT)
    shown = [p.get_attribute("id") for p in browser.find_elements(By.CSS_SELECTOR, ".tab")
             if p.is_displayed()]  # fmt: skip
    assert shown == ["scope-knowledge"]

    browser.execute_script("location.hash = '#cite-deepseek-r1-within'")
    target = browser.find_element(By.ID, "cite-deepseek-r1-within")
    WebDriverWait(browser, 5).until(lambda _: target.is_displayed())
    assert "within-benchmark reasoning gap" in target.text

    theme = browser.find_element(By.ID, "theme")
    browser.execute_script("arguments[0].click()", theme)
    assert browser.execute_script("return document.documentElement.dataset.theme") == "dark"


def test_reads_without_script(browser: Any, usual: Path) -> None:
    from selenium.webdriver.common.by import By

    try:
        visit(browser, usual, script=False)
        scopes = browser.find_elements(By.CSS_SELECTOR, ".tab")
        assert len(scopes) == 4
        assert all(scope.is_displayed() for scope in scopes)
        tools = browser.find_elements(By.CSS_SELECTOR, ".tools")
        assert not any(tool.is_displayed() for tool in tools)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_prints_all_scopes_in_light_colours(browser: Any, usual: Path, tmp_path: Path) -> None:
    import base64

    visit(browser, usual, scheme="dark")
    made = browser.execute_cdp_cmd(
        "Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True}
    )
    file = tmp_path / "page.pdf"
    file.write_bytes(base64.b64decode(made["data"]))
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed: the PDF was made but not read")
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    ).stdout
    for scope in ("All items", "Knowledge items", "Reasoning items", "The gap"):
        assert scope in text
    assert "Light / dark" not in text
    assert "LaTeX" not in text


def test_one_benchmark_one_model(browser: Any, tmp_path: Path) -> None:
    summary = make_summary(("m",), {"medqa": BENCHMARKS["medqa"]}, given=True, cost=False)
    page = report.write(summary, tmp_path)
    assert visit(browser, page, 380) == [page.as_uri()]
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 380
