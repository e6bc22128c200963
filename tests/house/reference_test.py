# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/reference is what the tables say: `reference_test.py PROGRAM [--write]`."""
import pathlib
import subprocess
import sys

PAGES = ["model", "configuration", "events"]


def main() -> int:
    program, folder = sys.argv[1], pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference"
    stale = []
    for page in PAGES:
        text = subprocess.run([program, page], check=True, capture_output=True, text=True).stdout
        path = folder / f"{page}.md"
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(str(path))
    for path in stale:
        print(f"{path} is stale: run `./dev docs`")
    return 1 if stale else 0


sys.exit(main())
