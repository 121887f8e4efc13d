"""Make docs/images/report.png: the top of the report of the bundled sample, as a browser shows it.

``python tools/report_picture.py [FOLDER]`` takes the report in FOLDER (as written by ``--out``), or
audits the bundled answers first. Needs Chromium or Chrome on the path.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "report.png"
WIDTH, HEIGHT, SCALE = 1180, 1360, 1.25


def main() -> None:
    """Audit where no folder is given, and take the picture."""
    browser = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if browser is None:
        sys.exit("needs chromium or google-chrome on the path")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        if len(sys.argv) == 1:
            import viva

            viva.audit(answers="sample", out=folder)
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--force-device-scale-factor={SCALE}",
                f"--screenshot={PICTURE}",
                (folder / "report.html").resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
        )
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
