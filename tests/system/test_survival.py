# SPDX-License-Identifier: GPL-3.0-or-later
"""What is promised when things die: nothing acknowledged is lost, no query is lost, no dead address is answered."""
import contextlib
import http.client
import os
import random
import signal
import socket
import threading
import time

import pytest

from gtm import SLOW, Asker, Scene, eventually, zone_text

NAME = "www.cloud-example.com"
DOMAIN = "domains/%s/A" % NAME


class Ledger(threading.Thread):
    """Writes without pause and notes what was acknowledged: the last value of each object."""

    def __init__(self, gtm, number):
        super().__init__(daemon=True)
        self.gtm, self.number = gtm, number
        self.acknowledged, self.attempted, self.count = {}, {}, 0
        self.halt = threading.Event()
        self.problems = []

    def run(self):
        n = 0
        while not self.halt.is_set():
            n += 1
            path = "templates/w%d-%d" % (self.number, n % 7)
            remark = "write %d" % n
            self.attempted.setdefault(path, set()).add(remark)
            try:
                r = self.gtm.api("PUT", path, {"spec": {"protocol": "tcp", "remark": remark}})
            except (OSError, http.client.HTTPException):
                self.halt.wait(0.003)  # nobody there: leave the interpreter to the others
                continue
            if r.status in (200, 201):
                self.acknowledged[path] = remark
                self.count += 1
                self.attempted[path] = set()  # what was tried before an acknowledged one has been overwritten
            elif r.status not in (503,):
                self.problems.append(r)

    def stop(self):
        self.halt.set()
        self.join(30 * SLOW)
        assert not self.is_alive() and not self.problems, self.problems

    def check(self):
        """Everything acknowledged is there, or something that was tried after it and may have been committed."""
        assert self.acknowledged
        for path, remark in self.acknowledged.items():
            got = self.gtm.spec(path)["remark"]
            assert got == remark or got in self.attempted[path], (path, got, remark)


class Questioner(threading.Thread):
    """Asks the same question over and over; notes every loss, the longest wait and all answers."""

    def __init__(self, gtm, name=NAME, timeout=2.0):
        super().__init__(daemon=True)
        self.asker = Asker(gtm, name, timeout=timeout)
        self.halt = threading.Event()
        self.asked, self.lost, self.longest, self.answers = 0, 0, 0.0, {}
        self.problems = []

    def run(self):
        while not self.halt.is_set():
            before = time.monotonic()
            self.asked += 1
            try:
                self.answers[self.asker.ask()] = time.monotonic()
            except socket.timeout:
                self.lost += 1
            except AssertionError as e:
                self.problems.append(str(e))
            self.longest = max(self.longest, time.monotonic() - before)

    def __enter__(self):
        self.start()
        eventually(lambda: self.asked > 10)
        return self

    def __exit__(self, *unused):
        self.halt.set()
        self.join(10 * SLOW)
        self.asker.close()
        print("%d questions, %d lost, longest %.1f ms" % (self.asked, self.lost, self.longest * 1000))
        assert not self.problems, self.problems[:3]


@pytest.fixture
def scene(world, gtm):
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    s.domain("sequence")
    gtm.until_health("pools/dc-a", "ok")
    gtm.until_health("pools/dc-b", "ok")
    return s


@pytest.mark.parametrize("victim", ["control", "engine", "supervisor"])
def test_nothing_acknowledged_is_lost(gtm, scene, victim):
    writers = [Ledger(gtm, i) for i in range(3)]
    for w in writers:
        w.start()
    rng = random.Random(victim)
    for _ in range(6):
        target = sum(w.count for w in writers) + 5
        eventually(lambda: sum(w.count for w in writers) > target, 20)
        time.sleep(rng.uniform(0, 0.1))  # the random point
        pid = gtm.kill(victim)
        if victim == "supervisor":
            gtm.start(timeout=20)
        else:
            eventually(lambda: gtm.pid(victim) not in (None, pid), 20)
            gtm.wait_ready(20)
    # And they can write again.
    before = [w.count for w in writers]
    eventually(lambda: all(w.count > n for w, n in zip(writers, before)), 20)
    for w in writers:
        w.stop()
    for w in writers:
        w.check()
    gtm.restart()
    for w in writers:
        w.check()
    assert scene.answers() == scene.values["dc-a"]


def test_what_is_acknowledged_is_also_served_after_kill(gtm, scene):
    """DNS, too, says what was acknowledged last, whatever was killed right after the reply."""
    path = "zones/cloud-example.com/rrsets/ledger/TXT"
    for i, victim in enumerate(["control", "engine", "supervisor"] * 2):
        gtm.must("PUT", path, {"ttl": 1, "records": ['"%d"' % i]})
        pid = gtm.kill(victim)
        if victim == "supervisor":
            gtm.start()
        if victim == "engine":
            eventually(lambda: gtm.pid("engine") not in (None, pid))
        assert gtm.rdata("ledger.cloud-example.com", "TXT") == ['"%d"' % i]
        gtm.wait_ready()
        assert gtm.must("GET", path)["records"] == ['"%d"' % i]


def test_control_gives_way_to_answers(gtm):
    def nice(name):
        pid = gtm.pid(name)
        return {os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in os.listdir("/proc/%d/task" % pid)}
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice("engine") == {mine}
    assert nice("control") == {min(mine + 10, 19)}


def test_killing_control_loses_no_query(gtm, scene):
    with Questioner(gtm) as q:
        for _ in range(3):
            pid = gtm.kill("control")
            eventually(lambda: gtm.pid("control") not in (None, pid), 10)
            gtm.wait_ready()
    assert q.lost == 0
    assert set(q.answers) == {tuple(scene.values["dc-a"])}


def test_engine_is_back_from_its_snapshot(gtm, scene):
    """Queries wait in the sockets the supervisor holds; the new engine answers them, however often it dies."""
    control = gtm.pid("control")
    os.kill(control, signal.SIGSTOP)  # from its snapshot alone
    try:
        for _ in range(8):
            gtm.kill("engine")
            before = time.monotonic()
            with Asker(gtm, NAME, timeout=3) as asker:
                assert asker.ask() == tuple(scene.values["dc-a"])
            print("engine back after %.0f ms" % ((time.monotonic() - before) * 1000))
    finally:
        os.kill(control, signal.SIGCONT)
    gtm.wait_ready()
    gtm.patch(DOMAIN, ttl=9)
    assert gtm.ask(NAME).answer[0].ttl == 9


def test_failover_goes_on_with_control_stopped(gtm, scene):
    control = gtm.pid("control")
    os.kill(control, signal.SIGSTOP)
    try:
        scene.down("dc-a", wait=False)
        eventually(lambda: scene.answers() == scene.values["dc-b"])
        scene.up("dc-a", wait=False)
        eventually(lambda: scene.answers() == scene.values["dc-a"])
    finally:
        os.kill(control, signal.SIGCONT)
    gtm.until_health("addresses/dc-a-1", "ok")
    scene.down("dc-a")


def test_failover_goes_on_while_control_dies_again_and_again(gtm, scene):
    halt = threading.Event()

    def assassin():
        while not halt.is_set():
            with contextlib.suppress(ProcessLookupError, AssertionError):
                gtm.kill("control")

    t = threading.Thread(target=assassin, daemon=True)
    t.start()
    try:
        with Questioner(gtm) as q:
            for _ in range(2):
                scene.down("dc-a", wait=False)
                eventually(lambda: scene.answers() == scene.values["dc-b"])
                scene.up("dc-a", wait=False)
                eventually(lambda: scene.answers() == scene.values["dc-a"])
        assert q.lost == 0
    finally:
        halt.set()
        t.join()
    gtm.wait_ready(20)  # the restart backs off while it dies young
    assert gtm.spec(DOMAIN)["enabled"] is True


def remove_database(gtm):
    gone = [f for f in os.listdir(gtm.dir) if "engine" not in f and f != "admin.token" and not f.endswith(".sock")]
    assert gone
    for f in gone:
        os.unlink(os.path.join(gtm.dir, f))
    return gone


def test_engine_starts_without_database(gtm, scene):
    """The database has become a directory: control cannot run. The engine answers and fails over from its snapshot."""
    scene.down("dc-a")
    assert gtm.stop() == 0
    database = [f for f in remove_database(gtm) if not f.endswith(("-wal", "-shm"))][0]
    os.mkdir(os.path.join(gtm.dir, database))
    gtm.start(ready=False)
    gtm.may_die.add(0)  # control ends with an error again and again; that is the point
    assert eventually(scene.answers) == scene.values["dc-b"]
    scene.up("dc-a", wait=False)
    eventually(lambda: scene.answers() == scene.values["dc-a"])
    assert gtm.process.poll() is None


def test_verdicts_are_restored(gtm, scene):
    """The first answer after a start is never the dead address: engine killed, all restarted, all killed."""
    scene.down("dc-a")
    dead = scene.values["dc-a"][0]
    for how in ("engine", "term", "kill", "engine"):
        if how == "engine":
            gtm.kill("engine")
        else:
            gtm.restart(signal.SIGTERM if how == "term" else signal.SIGKILL, ready=False)
        first = eventually(lambda: scene.gtm.rdata(NAME, timeout=1.0), 5)
        assert first == scene.values["dc-b"] and dead not in first
        assert set(gtm.draw(NAME, 20)) == {tuple(scene.values["dc-b"])}
    gtm.wait_ready()


def test_cold_start_with_a_dead_site(gtm, scene):
    """No verdicts at all: serving waits for one round of probes, so the dead site is never answered."""
    scene.down("dc-a")
    assert gtm.stop() == 0
    for f in os.listdir(gtm.dir):
        if f.startswith("engine"):
            os.unlink(os.path.join(gtm.dir, f))
    gtm.start(ready=False)
    assert eventually(lambda: scene.gtm.rdata(NAME, timeout=1.0)) == scene.values["dc-b"]
    assert set(gtm.draw(NAME, 20)) == {tuple(scene.values["dc-b"])}


def test_site_that_died_while_we_were_down(gtm, scene):
    """The restored verdict says up; the backend is gone: it leaves within `fall` probes of the start."""
    assert gtm.stop() == 0
    scene.down("dc-a", wait=False)
    gtm.start()
    eventually(lambda: scene.answers() == scene.values["dc-b"])


def test_no_query_is_lost_while_things_change(gtm, scene):
    with Questioner(gtm) as q:
        for i in range(10):
            gtm.patch(DOMAIN, ttl=i + 1)
            gtm.zone("cloud-example.com", zone_text(more="more%d IN A 192.0.2.1" % i))
            gtm.zone("other%d.test" % i, zone_text("other%d.test" % i))
        scene.down("dc-a")
        gtm.process.send_signal(signal.SIGHUP)
        scene.up("dc-a")
    assert q.lost == 0
    assert set(q.answers) == {tuple(v) for v in scene.values.values()}


def test_a_write_while_the_engine_is_dead_stands(gtm, scene):
    os.kill(gtm.pid("engine"), signal.SIGSTOP)
    r = gtm.api("PUT", "templates/t", {"spec": {"protocol": "tcp"}})
    assert r.status == 201 and r.headers["GTM-Applied"] == "0"
    os.kill(gtm.pid("engine"), signal.SIGCONT)
    assert gtm.spec("templates/t")["protocol"] == "tcp"
    gtm.patch(DOMAIN, ttl=7)
    assert gtm.ask(NAME).answer[0].ttl == 7


def test_sigterm_ends_in_order(gtm, scene):
    before = time.monotonic()
    assert gtm.stop() == 0
    print("stopped in %.0f ms" % ((time.monotonic() - before) * 1000))
    assert gtm.pids() == []


def test_restart_keeps_everything(gtm, scene):
    gtm.must("PUT", "zones/cloud-example.com/rrsets/kept/A", {"ttl": 5, "records": ["192.0.2.44"]})
    before = gtm.config()
    for how in (signal.SIGTERM, signal.SIGKILL):
        gtm.restart(how)
        assert gtm.config() == before
        assert gtm.rdata("kept.cloud-example.com") == ["192.0.2.44"]
        assert scene.answers() == scene.values["dc-a"]
        assert gtm.rdata(NAME, "TXT") == ['"from the zone"']
