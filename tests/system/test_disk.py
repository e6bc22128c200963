# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, fails, or is read-only: a clear error and an event, serving goes on, nothing acknowledged is lost.

The data directory is a small file system in a mount namespace of this process: it takes root, and ends with the process.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess

import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import pytest

from gtm import SLOW, Scene, eventually, zone_text

ZONE = "cloud-example.com"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
CLONE_NEWNS = 0x20000


def mount(*args, check=True):
    return subprocess.run(["mount", *map(str, args)], check=check, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def namespace():
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNS) != 0 or not mount("--make-rprivate", "/", check=False):
        pytest.skip("no mount namespace of our own here")


@pytest.fixture
def small(namespace):
    """small(path, size): a tmpfs there."""
    mounted = []

    def make(path, size):
        os.makedirs(path, exist_ok=True)
        mount("-t", "tmpfs", "-o", "size=" + size, "tmpfs", path)
        mounted.append(path)
    yield make
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=False)


class Ballast:
    """Fills a directory's file system to the last byte; drop() gives it back."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "ballast")
        with open(self.path, "wb", buffering=0) as f:
            for chunk in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(chunk))

    def drop(self):
        os.unlink(self.path)


class Ledger:
    """Writes, and remembers what was acknowledged."""

    def __init__(self, gtm):
        self.gtm, self.kept, self.n = gtm, {}, 0

    def write(self):
        """The status of one change, that of a few pages of the database."""
        self.n += 1
        name, text = "l%d" % self.n, "%d" % self.n * 3
        r = self.gtm.api("PUT", "zones/%s/rrsets/%s/TXT" % (ZONE, name), {"ttl": 60, "records": [
            '"%s"' % text] + ['"%03d%s"' % (i, "x" * 200) for i in range(40)]})
        if r.status == 201:
            self.kept[name] = text
        else:
            self.refusal = r
        return r.status

    def check(self):
        """All that was acknowledged is stored and served; what was refused is neither."""
        for i in range(1, self.n + 1):
            name = "l%d" % i
            got = self.gtm.rdata("%s.%s" % (name, ZONE), "TXT", tcp=True) if name in self.kept else None
            if got is None:
                assert self.gtm.ask("%s.%s" % (name, ZONE), "TXT").rcode() == dns.rcode.NXDOMAIN
            else:
                assert '"%s"' % self.kept[name] in got and len(got) == 41
            status = self.gtm.api("GET", "zones/%s/rrsets/%s/TXT" % (ZONE, name)).status
            assert status == (200 if name in self.kept else 404)


def update(gtm, name):
    u = dns.update.Update(ZONE)
    u.add(name, 60, "TXT", "x" * 200)
    u.use_tsig(dns.tsigkeyring.from_text({"k": SECRET}), keyname="k", algorithm="hmac-sha256")
    return dns.query.udp(u, gtm.ip, port=gtm.dns[1], timeout=8 * SLOW).rcode()


def test_a_full_disk(world, small):
    gtm = world.gtm(start=False)
    small(gtm.dir, "24m")
    gtm.start()
    gtm.put("tsig-keys/k", {"algorithm": "hmac-sha256", "secret": SECRET})
    gtm.zone(ZONE, zone_text())
    gtm.patch("zones/" + ZONE, update=[{"key": "k", "names": ["*." + ZONE]}], transfer=[{"from": "any"}])
    scene = Scene(world, gtm, {"dc-a": 1, "dc-b": 1}, zone=False)
    scene.domain()
    ledger = Ledger(gtm)
    assert [ledger.write() for _ in range(5)] == [201] * 5
    with gtm.stream("events,health") as events:
        ballast = Ballast(gtm.dir)
        eventually(lambda: ledger.write() != 201, what="the disk is full")
        assert ledger.refusal.status == 503 and "no space left on the disk" in ledger.refusal.body["detail"]
        got = events.wait(lambda e, d: d.get("kind") == "store.failed")
        assert got[1]["severity"] == "critical" and "no space left" in got[1]["text"]
        refused = [ledger.write() for _ in range(5)]
        assert refused == [503] * 5
        assert update(gtm, "by-update") == dns.rcode.SERVFAIL
        # Serving and probing know no disk.
        assert gtm.rdata("ns1." + ZONE) == ["192.0.2.53"]
        scene.down("dc-a", wait=False)
        eventually(lambda: gtm.rdata("www." + ZONE) == scene.values["dc-b"], what="the site that is down is left out")
        scene.up("dc-a", wait=False)
        eventually(lambda: scene.values["dc-a"] in [gtm.rdata("www." + ZONE) for _ in range(4)], what="and comes back")
        assert gtm.get("zones").status == 200 and gtm.api("GET", "/readyz", token=False).status == 200
        ballast.drop()
        eventually(lambda: ledger.write() == 201, what="there is room again")
        events.wait(lambda e, d: d.get("kind") == "store.recovered")
    assert [ledger.write() for _ in range(5)] == [201] * 5
    assert update(gtm, "by-update-2") == dns.rcode.NOERROR
    ledger.check()
    for name in ("engine", "supervisor"):
        gtm.kill(name)
        if name == "supervisor":
            gtm.start()
        eventually(lambda: gtm.rdata("by-update-2." + ZONE, "TXT"), 20)
        eventually(gtm.is_ready)
        ledger.check()
    failed = [e for e in gtm.get("events?limit=1000").body["items"] if e["kind"].startswith("store.")]
    assert [e["kind"] for e in failed][-1:] == ["store.recovered"] or failed[0]["kind"] == "store.recovered"


def test_only_the_engines_journal_lacks_room(world, small, tmp_path):
    """Then the engine is behind on disk, not in what it serves; and a restart must not take half for all."""
    gtm = world.gtm(start=False)
    other, path = str(tmp_path / "other"), os.path.join(gtm.dir, "engine.model")
    small(other, "256k")
    inner = os.path.join(other, "engine.model")
    gtm.start()
    gtm.zone(ZONE, zone_text())
    gtm.stop()
    shutil.copy(path, inner)
    mount("--bind", inner, path)
    try:
        gtm.start()
        ledger = Ledger(gtm)
        assert ledger.write() == 201
        with gtm.stream("events") as events:
            ballast = Ballast(other)
            assert [ledger.write() for _ in range(2)] == [201] * 2, "control has room"
            assert "cannot be written" in events.event("engine.journal_failed")[1]["text"]
        size = os.path.getsize(inner)
        ballast.drop()
        assert ledger.write() == 201  # there would be room for this one: it must not be there without those before it
        assert os.path.getsize(inner) == size
        ledger.check()
        old = gtm.kill("engine")
        eventually(lambda: gtm.pid("engine") not in (None, old) and gtm.is_ready(), 20)
        eventually(lambda: gtm.rdata("l4." + ZONE, "TXT", tcp=True), 20)
        ledger.check()
        ballast = Ballast(other)
        with gtm.stream("events") as events:
            assert ledger.write() == 201
            events.event("engine.journal_failed")
            subprocess.run(["umount", "-l", path], check=True)  # from here on the file is beside the others
            events.event("engine.journal_recovered", timeout=20)
        os.kill(gtm.pid("control"), signal.SIGSTOP)  # without control there is only the journal
        old = gtm.kill("engine")
        try:
            eventually(lambda: gtm.pid("engine") not in (None, old), 20)
            eventually(lambda: gtm.rdata("l%d.%s" % (ledger.n, ZONE), "TXT", tcp=True), 20)
            assert gtm.rdata("l3." + ZONE, "TXT", tcp=True)
        finally:
            os.kill(gtm.pid("control"), signal.SIGCONT)
        eventually(gtm.is_ready, 20)
        ledger.check()
    finally:
        subprocess.run(["umount", "-l", path], check=False, capture_output=True)


def test_a_disk_that_fails(world, namespace, tmp_path):
    """ext4 that has met an error and does not write any more."""
    gtm, image = world.gtm(start=False), tmp_path / "image"
    subprocess.run(["truncate", "-s", "24M", image], check=True)
    if subprocess.run(["/sbin/mkfs.ext4", "-q", image], check=False, capture_output=True).returncode != 0 or not mount(
            "-o", "loop,errors=remount-ro", image, gtm.dir, check=False):
        pytest.skip("no loop devices here")
    try:
        gtm.start()
        gtm.zone(ZONE, zone_text())
        ledger = Ledger(gtm)
        assert [ledger.write() for _ in range(10)] == [201] * 10
        source = subprocess.run(["findmnt", "-no", "SOURCE", gtm.dir], check=True, capture_output=True, text=True).stdout.strip()
        trigger = "/sys/fs/ext4/%s/trigger_fs_error" % os.path.basename(source)
        if not os.path.exists(trigger):
            pytest.skip("no way to make ext4 fail here")
        with gtm.stream("events") as events:
            with open(trigger, "w") as f:
                f.write("1")
            eventually(lambda: ledger.write() != 201)
            assert ledger.refusal.status == 503, ledger.refusal
            assert any(x in ledger.refusal.body["detail"] for x in ("the disk failed", "cannot be written"))
            assert events.event("store.failed")[1]["severity"] == "critical"
        assert gtm.rdata("www." + ZONE) == ["192.0.2.80"]
        gtm.kill("supervisor")
        subprocess.run(["umount", gtm.dir], check=True)
        mount("-o", "loop", image, gtm.dir)  # plays the journal back
        gtm.start()
        ledger.check()
        assert ledger.write() == 201
        gtm.stop()
    finally:
        gtm.stop()
        subprocess.run(["umount", "-l", gtm.dir], check=False, capture_output=True)


def test_a_read_only_disk_at_the_start(world, small):
    gtm = world.gtm(start=False)
    small(gtm.dir, "24m")
    for fresh in (True, False):
        mount("-o", "remount,ro", gtm.dir)
        done = subprocess.run(gtm.command(), capture_output=True, text=True, timeout=20 * SLOW, check=False)
        assert done.returncode not in (0, -6, -11), done
        assert "Read-only file system" in done.stderr and gtm.dir in done.stderr, done.stderr
        mount("-o", "remount,rw", gtm.dir)
        gtm.start()
        if fresh:
            gtm.zone(ZONE, zone_text())
        assert gtm.rdata("www." + ZONE) == ["192.0.2.80"]
        assert gtm.stop() == 0
