# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test gets a World; whatever it started is stopped with it, and the logs of a failed test are shown."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gtm as harness  # noqa: E402


class World:
    def __init__(self, directory):
        self.directory = directory
        self.gtms, self.backends, self.finals = [], [], []

    def gtm(self, start=True, **kw):
        directory = self.directory / ("gtm%d" % len(self.gtms))
        directory.mkdir(parents=True, exist_ok=True)
        g = harness.Gtm(directory, **kw)
        self.gtms.append(g)
        return g.start() if start else g

    def backend(self, **kw):
        b = harness.Backend(**kw)
        self.backends.append(b)
        return b

    def finally_(self, fn):
        self.finals.append(fn)

    def close(self):
        """Stop everything; tell what did not end well, or was complained about in a log."""
        problems = []
        for fn in reversed(self.finals):
            fn()
        for g in self.gtms:
            try:
                code = g.stop()
                if code not in (None, 0) and not (code == -9 and 9 in g.may_die):
                    problems.append("gtmd ended with %s" % code)
            except AssertionError as e:
                problems.append(str(e))
            problems += g.complaints()
        for b in self.backends:
            b.stop()
        assert not problems, "\n".join(problems)

    def log(self):
        return "\n".join(g.log() for g in self.gtms)


def _world(request, directory):
    w = World(directory)
    request.node.worlds = getattr(request.node, "worlds", []) + [w]
    return w


@pytest.fixture
def world(request, tmp_path):
    w = _world(request, tmp_path)
    yield w
    w.close()


@pytest.fixture
def gtm(world):
    return world.gtm()


@pytest.fixture(scope="module")
def shared_world(request, tmp_path_factory):
    """For modules whose tests only look, or touch names of their own."""
    w = _world(request, tmp_path_factory.mktemp("shared"))
    yield w
    w.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    for node in (item, item.getparent(pytest.Module)):
        for w in getattr(node, "worlds", []):
            if w.gtms:
                report.sections.append(("gtmd log", w.log()[-20000:]))
