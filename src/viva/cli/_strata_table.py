"""How well a splitter splits, as a table."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["show_evaluation"]


def _cell(found: dict[str, float] | None, *, interval: bool = True, signed: bool = False) -> str:
    if found is None or math.isnan(found["estimate"]):
        return "-"
    estimate = f"{found['estimate']:{'+' if signed else ''}.3f}"
    if not interval:
        return estimate
    # Ends without the leading zero, so that two intervals fit a line of 80.
    low, high = (f"{found[end]:.3f}".replace("0.", ".", 1) for end in ("low", "high"))
    return f"{estimate} [{low},{high}]"


_WIDE = 120
"""Columns from which every interval is shown."""
_NAMES = {
    "auroc": "AUROC",
    "length_matched_auroc": "length-matched AUROC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "kappa": "Cohen's kappa",
    "ece": "ECE, 10 bins",
    "debiased_ece": "ECE, debiased",
}


def show_evaluation(report: dict[str, Any], console: Any) -> None:
    """Print how well the splitter, and what it is compared with, split held-out questions.

    Parameters
    ----------
    report : dict
        As :func:`viva.strata.evaluate` returns it.
    console : rich.console.Console
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    methods = report["methods"]
    wide = console.width >= _WIDE
    table = Table(
        title=f"{report['definition']}, {report['text_view']}: {report['n']:,} questions, "
        f"{report['reasoning']:,} reasoning; held out ({report['cross_fitted']})",
        caption=f"Labels by {report['annotators']}. Brackets: 95 % bootstrap intervals over "
        "questions."
        + ("" if wide else f" A terminal of {_WIDE} columns shows those of the baselines."),
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("measure", no_wrap=True)
    for method in methods:
        table.add_column(method if wide else method.split()[0], justify="right", no_wrap=True)
    table.add_column("splitter − TF-IDF" if wide else "gain", justify="right")
    inside = False
    for measure in methods["splitter"]:
        name = _NAMES.get(measure)
        if name is None:
            if not inside:
                table.add_row("AUROC inside (n)")
            benchmark = measure.removeprefix("inside ")
            name = f" {benchmark} ({report['inside'][benchmark]['n']:,})"
        inside = measure not in _NAMES
        cells = [
            _cell(methods[method].get(measure), interval=wide or method == "splitter")
            for method in methods
        ]
        gain = _cell(report["gains"].get(measure), signed=True)
        table.add_row(name, *cells, gain if wide else gain.replace("0.", ".", 1))
    console.print(table)
    for rule, found in report["thresholds"].items():
        console.print(f"threshold of the best {_NAMES.get(rule, 'Youden index')}: {_cell(found)}")
    if report["curve"]:
        curve = Table(title="learning curve")
        for name in ("labels", "AUROC", "length-matched AUROC"):
            curve.add_column(name, justify="right")
        for count, auroc, matched in report["curve"]:
            curve.add_row(f"{count:,}", f"{auroc:.3f}", f"{matched:.3f}")
        console.print(curve)
