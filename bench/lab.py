# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share: the test suite's gtmd and backends, a scratch directory, and one way to show numbers."""
import contextlib
import os
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))

import gtm as harness  # noqa: E402


@contextlib.contextmanager
def lab(**options):
    """A started gtmd in a scratch directory; it and the backends made by `backend` are stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="gtm-bench-") as directory, contextlib.ExitStack() as stack:
        g = harness.Gtm(directory, **options)
        stack.callback(g.stop)
        g.start()
        g.backends = []

        def backend(**kw):
            b = harness.Backend(**kw)
            stack.callback(b.stop)
            return b

        g.backend = backend
        yield g


def quantile(values, q):
    """The smallest value that at least the fraction q of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * q // 1).__int__() - 1)]


def show(what, seconds, target=None):
    """One line: median, p95, extremes in ms, and the target beside them."""
    ms = [s * 1000 for s in seconds]
    print("%-44s p50 %8.1f  p95 %8.1f  min %8.1f  max %8.1f ms  n %d%s" % (
        what, quantile(ms, 0.5), quantile(ms, 0.95), min(ms), max(ms), len(ms), "   target " + target if target else ""))


def machine():
    with open("/proc/loadavg") as f:
        load = f.read().split()[0]
    print("machine: %d cores, load %s" % (os.cpu_count(), load))
