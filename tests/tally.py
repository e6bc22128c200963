#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One line over all suites: "N passed, N failed". Exits 1 unless all ran and passed.

usage: tally.py MESON_TESTLOG.json [JUNIT.xml]...
A report that is missing or torn counts as one failure: its suite did not come to its end.
"""

import json
import sys
import xml.etree.ElementTree as xml

PASSED = {'OK', 'EXPECTEDFAIL'}


def count_meson(path):
    """(passed, failed, skipped); meson writes one JSON object a line."""
    with open(path, encoding='utf-8') as log:
        results = [json.loads(line)['result'] for line in log if line.strip()]
    passed, skipped = sum(r in PASSED for r in results), results.count('SKIP')
    return passed, len(results) - passed - skipped, skipped


def count_junit(path):
    cases = list(xml.parse(path).iter('testcase'))
    bad = sum(case.find('failure') is not None or case.find('error') is not None for case in cases)
    skipped = sum(case.find('skipped') is not None for case in cases)
    return len(cases) - bad - skipped, bad, skipped


def main(paths):
    total = [0, 0, 0]
    for path in paths:
        try:
            counts = (count_junit if path.endswith('.xml') else count_meson)(path)
        except (OSError, ValueError, KeyError, xml.ParseError) as error:
            print(f'{path}: {error}', file=sys.stderr)
            counts = (0, 1, 0)
        total = [a + b for a, b in zip(total, counts)]
    passed, failed, skipped = total
    if skipped:
        print(f'({skipped} skipped)', file=sys.stderr)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
