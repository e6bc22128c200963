# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of event kinds is what the sources raise, no more and no less: `events_test.py PROGRAM`."""
import pathlib
import re
import subprocess
import sys

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"
TABLE = SRC / "model" / "event_kinds.c"
# Looks like one, but is a file of the data directory.
OTHERS = {"engine.model", "engine.verdicts", "engine.history"}


def main() -> int:
    text = subprocess.run([sys.argv[1], "events"], check=True, capture_output=True, text=True).stdout
    told = re.findall(r"^\| `([a-z_.]+)`", text, re.M)
    nouns = {kind.split(".")[0] for kind in told}
    raised = {}
    for path in SRC.rglob("*.c"):
        # Field tables and gtmctl name members by paths such as "probe.source".
        if path == TABLE or path.parent.name in ("cli", "sim") or path.stem.startswith("config"):
            continue
        for word in re.findall(r'"([a-z]+\.[a-z_]+)"', path.read_text()):
            if word.split(".")[0] in nouns and word not in OTHERS:
                raised.setdefault(word, path.relative_to(SRC))
    problems = ["%s is raised in %s, but no row of %s" % (k, raised[k], TABLE.name) for k in sorted(set(raised) - set(told))]
    problems += ["%s is a row of %s, but nobody raises it" % (k, TABLE.name) for k in sorted(set(told) - set(raised))]
    problems += ["%s stands there twice" % k for k in sorted({k for k in told if told.count(k) > 1})]
    if len(told) < 10 or len(raised) < 10:
        problems.append("%d rows, %d raised: this test does not see them" % (len(told), len(raised)))
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
