"""Make a virtual environment and install the checkout into it, saying what is downloaded.

Run by the Makefile with whatever Python is on the machine, so it uses the standard library only
and must be readable by old versions, if only to say that they are too old.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

NEEDED = (3, 11)
_UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}
_DOWNLOAD = re.compile(r"Downloading (\S+?)(?:\.metadata)? \(([\d.]+) (bytes|kB|MB|GB)\)")
_CACHED = re.compile(r"Using cached (\S+?)(?:\.metadata)? \(([\d.]+) (bytes|kB|MB|GB)\)")
_ON_DISK = re.compile(r"Processing (\S+\.whl)")
_LISTED_FROM = 1.0  # MB: smaller files are counted, not listed


def _say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _interpreter(venv):
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_venv(venv):
    """Create the environment, or stop with one line that says how to mend it."""
    if _interpreter(venv).exists():
        return
    _say(f"creating {venv} with Python {sys.version.split()[0]}")
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(venv)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        shutil.rmtree(str(venv), ignore_errors=True)  # half an environment would look like one
        last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
        sys.exit(
            f"cannot create {venv}: {' '.join(last) or 'venv failed'}. "
            "On Debian and Ubuntu: apt install python3-venv"
        )


def pip_install(venv, arguments):
    """Run pip, print one line per large file, and return (MB downloaded, MB found on this disk)."""
    command = [str(_interpreter(venv)), "-m", "pip", "--no-input", "install"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    lines, fetched, local = [], 0.0, 0.0
    for raw in process.stdout:
        line = raw.strip()
        lines.append(line)
        downloaded, cached, on_disk = (p.search(line) for p in (_DOWNLOAD, _CACHED, _ON_DISK))
        if downloaded or cached:
            match = downloaded or cached
            name, size = match.group(1), float(match.group(2)) * _UNITS[match.group(3)]
        elif on_disk and os.path.isfile(on_disk.group(1)):
            name, size = os.path.basename(on_disk.group(1)), os.path.getsize(on_disk.group(1)) / 1e6
        else:
            name, size = "", 0.0
        fetched += size if downloaded else 0.0
        local += 0.0 if downloaded else size
        if size >= _LISTED_FROM:
            _say(f"  {'downloading' if downloaded else 'from this disk'} {name} ({size:.1f} MB)")
        if line.startswith("Installing collected packages"):
            _say("  installing {} packages".format(line.count(",") + 1))
    if process.wait():
        _say("\n".join(lines[-15:]))
        sys.exit("pip failed: see the lines above")
    return fetched, local


def main():
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(f"Viva needs Python 3.11 or newer, this is {found}: try make PYTHON=python3.12")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(".venv"))
    parser.add_argument("--extras", default="", help="comma-separated extras of the project")
    parser.add_argument("--torch", help="requirement installed before the hf extra")
    parser.add_argument("--torch-index", help="index to take torch from, such as a CPU one")
    arguments = parser.parse_args()

    started = time.monotonic()
    make_venv(arguments.venv)
    extras = f"[{arguments.extras}]" if arguments.extras else ""
    _say(f"installing viva{extras} into {arguments.venv}")
    fetched = local = 0.0
    if arguments.torch or arguments.torch_index:
        first = [arguments.torch or "torch"]
        if arguments.torch_index:
            first += ["--index-url", arguments.torch_index]
        fetched, local = pip_install(arguments.venv, first)
    more = pip_install(arguments.venv, ["--editable", f".{extras}"])
    fetched, local = fetched + more[0], local + more[1]
    seconds = time.monotonic() - started
    _say(f"installed: {fetched:.0f} MB downloaded, {local:.0f} MB from this disk, {seconds:.0f} s")


if __name__ == "__main__":
    main()
