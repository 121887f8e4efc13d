"""Make a virtual environment and install the checkout into it, saying what is downloaded.

Run by the Makefile with whatever Python is on the machine, so it uses the standard library only
and must be readable by old versions, if only to say that they are too old.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

NEEDED = (3, 11)
_UNITS = {"bytes": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}
_DOWNLOAD = re.compile(r"Downloading (\S+?)(?:\.metadata)? \(([\d.]+) (bytes|kB|MB|GB)\)")
_CACHED = re.compile(r"Using cached (\S+?)(?:\.metadata)? \(([\d.]+) (bytes|kB|MB|GB)\)")
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
        last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
        sys.exit(
            f"cannot create {venv}: {' '.join(last) or 'venv failed'}. "
            "On Debian and Ubuntu: apt install python3-venv"
        )


def pip_install(venv, arguments):
    """Run pip, print one line per large file, and return (MB downloaded, MB from the cache)."""
    command = [str(_interpreter(venv)), "-m", "pip", "--no-input", "install"]
    command += ["--disable-pip-version-check", "--progress-bar", "off", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    lines, fetched, cached = [], 0.0, 0.0
    for raw in process.stdout:
        line = raw.strip()
        lines.append(line)
        for pattern, verb in ((_DOWNLOAD, "downloading"), (_CACHED, "from cache")):
            match = pattern.search(line)
            if match:
                size = float(match.group(2)) * _UNITS[match.group(3)]
                if verb == "downloading":
                    fetched += size
                else:
                    cached += size
                if size >= _LISTED_FROM:
                    _say(f"  {verb} {match.group(1)} ({size:.1f} MB)")
        if line.startswith("Installing collected packages"):
            _say("  installing {} packages".format(line.count(",") + 1))
    if process.wait():
        _say("\n".join(lines[-15:]))
        sys.exit("pip failed: see the lines above")
    return fetched, cached


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
    fetched = cached = 0.0
    if arguments.torch or arguments.torch_index:
        first = [arguments.torch or "torch"]
        if arguments.torch_index:
            first += ["--index-url", arguments.torch_index]
        fetched, cached = pip_install(arguments.venv, first)
    more = pip_install(arguments.venv, ["--editable", f".{extras}"])
    fetched, cached = fetched + more[0], cached + more[1]
    seconds = time.monotonic() - started
    _say(f"installed: {fetched:.0f} MB downloaded, {cached:.0f} MB from a cache, {seconds:.0f} s")


if __name__ == "__main__":
    main()
