# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones that are replaced whole: all of a file or nothing, with what came after it, whatever dies."""
import http.client
import os
import random
import shutil
import sqlite3
import threading
import time

import pytest

from gtm import SLOW, Scene, eventually

HEAD = "$TTL 60\n@ IN SOA ns1 host 1 3600 900 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.1\n"
ZONE = "large.example"
NAMES = 20000


def put(gtm, zone, text):
    return gtm.api("PUT", "zones/%s/file" % zone, text, {"Content-Type": "text/dns"})


def generated(version, names=NAMES):
    return HEAD + "$GENERATE 1-%d h$ TXT v%d\n" % (names, version)


def exported(gtm, zone=ZONE):
    """name -> text of every TXT record of the zone, as the store has it."""
    text = gtm.must("GET", "zones/%s/file" % zone)
    rows = (line.split("\t") for line in text.splitlines() if "\tTXT\t" in line)
    return {row[0]: row[4].strip('"') for row in rows}


def there(gtm, name, rdtype="TXT"):
    """The records, or none."""
    return gtm.rdata(name, rdtype) if gtm.ask(name, rdtype).rcode() == 0 else []


class Writer(threading.Thread):
    """Replaces the zone, then adds records to it one by one; over and over. Notes what was acknowledged."""

    def __init__(self, gtm):
        super().__init__(daemon=True)
        self.gtm = gtm
        self.version = self.acknowledged = 0  # of the file
        self.added = self.tried = 0           # records above the acknowledged file
        self.halt = threading.Event()
        self.problems = []

    def write(self, what):
        try:
            r = what()
        except (OSError, http.client.HTTPException):
            return False
        if r.status not in (200, 201, 503):
            self.problems.append(r)
        return r.status in (200, 201)

    def run(self):
        while not self.halt.is_set():
            self.version += 1
            if not self.write(lambda: put(self.gtm, ZONE, generated(self.version))):
                self.halt.wait(0.01)
                continue
            self.acknowledged, self.added, self.tried = self.version, 0, 0
            while self.added < 5 and not self.halt.is_set():
                self.tried = self.added + 1
                path = "zones/%s/rrsets/add%d/TXT" % (ZONE, self.added)
                value = {"ttl": 1, "records": ["add%d" % self.version]}
                if self.write(lambda: self.gtm.api("PUT", path, value)):
                    self.added += 1
                else:
                    self.halt.wait(0.01)

    def stop(self):
        self.halt.set()
        self.join(30 * SLOW)
        assert not self.is_alive() and not self.problems, self.problems

    def check(self, names):
        """One version of the file, the acknowledged or one tried later, and what was added to it."""
        versions = {names["h%d" % i] for i in range(1, NAMES + 1)}
        assert len(versions) == 1, sorted(versions)
        version = int(versions.pop()[1:])
        added = {k: v for k, v in names.items() if k.startswith("add")}
        assert self.acknowledged <= version <= self.version
        assert set(added.values()) <= {"add%d" % version}
        if version == self.acknowledged:
            assert self.added <= len(added) <= max(self.added, self.tried), (self.added, self.tried, added)
        else:
            assert not added
        return "v%d" % version


@pytest.mark.parametrize("victim", ["control", "engine", "supervisor"])
def test_all_of_a_file_or_nothing(world, victim):
    gtm = world.gtm()
    w = Writer(gtm)
    w.start()
    rng = random.Random(victim)
    for _ in range(6):
        seen = w.acknowledged
        eventually(lambda: w.acknowledged > seen, 30)
        time.sleep(rng.uniform(0, 0.3))  # the random point: in a file or in what is added
        pid = gtm.kill(victim)
        if victim == "supervisor":
            gtm.start(timeout=20)
        else:
            eventually(lambda: gtm.pid(victim) not in (None, pid), 20)
            gtm.wait_ready(20)
    w.stop()
    for how in (None, "engine", "supervisor"):
        if how is not None:
            pid = gtm.kill(how)
            if how == "supervisor":
                gtm.start(timeout=20)
            else:
                eventually(lambda: gtm.pid(how) not in (None, pid), 20)
            gtm.wait_ready(20)
        names = exported(gtm)
        version = w.check(names)
        for i in rng.sample(range(1, NAMES + 1), 50):
            eventually(lambda: gtm.rdata("h%d.%s" % (i, ZONE), "TXT") == ['"%s"' % version])
        for i in range(6):
            want = ['"%s"' % names["add%d" % i]] if "add%d" % i in names else []
            eventually(lambda: there(gtm, "add%d.%s" % (i, ZONE)) == want)


def test_changes_beside_a_large_one_keep_their_order(world):
    """Files of one zone from two clients, records of it and of another from a third: what is served is what is stored."""
    gtm = world.gtm()
    assert put(gtm, "other.example", HEAD).status == 201
    assert put(gtm, ZONE, generated(0)).status == 201
    problems = []

    def files(first):
        for version in range(first, 12, 2):
            r = put(gtm, ZONE, generated(version))
            if r.status != 200:
                problems.append(r)

    threads = [threading.Thread(target=files, args=(n,)) for n in (1, 2)]
    for t in threads:
        t.start()
    n = 0
    while any(t.is_alive() for t in threads):
        for zone in (ZONE, "other.example"):
            r = gtm.must("PUT", "zones/%s/rrsets/add/TXT" % zone, {"ttl": 1, "records": [str(n)]})
            assert r["records"] == ['"%d"' % n]
        eventually(lambda: gtm.rdata("add.other.example", "TXT") == ['"%d"' % n])
        n += 1
    for t in threads:
        t.join()
    assert not problems, problems
    assert n > 0
    for turn in range(2):
        stored = exported(gtm)
        assert {stored["h%d" % i] for i in range(1, NAMES + 1)} == {stored["h1"]}
        for name in ("h1", "h7777", "h%d" % NAMES, "add"):
            want = ['"%s"' % stored[name]] if name in stored else []
            eventually(lambda: there(gtm, "%s.%s" % (name, ZONE)) == want)
        pid = gtm.kill("engine")
        eventually(lambda: gtm.pid("engine") not in (None, pid), 20)
        gtm.wait_ready(20)


def test_files_that_differ_in_any_way(world):
    """Little or much, before, between and behind what is there: the file is what is stored and served, the serial rises."""
    gtm = world.gtm()
    rng = random.Random(20261125)
    names, serial = {}, 0
    for turn in range(60):
        for _ in range(rng.choice((0, 1, 1, 2, 5, 300))):
            name = "".join(rng.choice("abz09-") for _ in range(rng.randrange(1, 6))).strip("-") or "x"
            name = ".".join(name[i:i + 2].strip("-") or "y" for i in range(0, len(name), 2))
            if rng.random() < 0.4 and names:
                names.pop(rng.choice(sorted(names)))
            else:
                names[name] = "t%d" % turn
        lines = ["%s TXT %s\n" % item for item in names.items()]
        rng.shuffle(lines)
        r = put(gtm, ZONE, HEAD + "".join(lines))
        assert r.status in (200, 201) and r.body["records"] == len(names) + 3, r
        assert exported(gtm) == names
        soa = int(gtm.rdata(ZONE, "SOA")[0].split()[2])
        assert soa == serial + 1 if r.body["changed"] else soa == serial
        serial = soa
        for name in rng.sample(sorted(names), min(len(names), 5)):
            assert gtm.rdata("%s.%s" % (name, ZONE), "TXT") == ['"%s"' % names[name]]


def test_failover_while_zones_are_replaced(world):
    """The zone of a steered name is replaced again and again; its domain goes on, and follows its pools."""
    gtm = world.gtm()
    scene = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    scene.domain("sequence")
    gtm.until_health("pools/dc-a", "ok")
    gtm.until_health("pools/dc-b", "ok")
    halt = threading.Event()
    problems = []

    def replace():
        version = 0
        while not halt.is_set():
            version += 1
            r = put(gtm, "cloud-example.com", generated(version))
            if r.status != 200:
                problems.append(r)

    t = threading.Thread(target=replace, daemon=True)
    t.start()
    try:
        for _ in range(3):
            scene.down("dc-a", wait=False)
            eventually(lambda: scene.answers() == scene.values["dc-b"])
            scene.up("dc-a", wait=False)
            eventually(lambda: scene.answers() == scene.values["dc-a"])
    finally:
        halt.set()
        t.join(30 * SLOW)
    assert not problems, problems


def test_a_restored_backup_is_all_that_is_served(world):
    """Records that came after the backup are gone from the answers, too, though the engine remembers them."""
    gtm = world.gtm()
    assert put(gtm, "kept.example", HEAD + "old A 192.0.2.7\n").status == 201
    assert put(gtm, "bare.example", HEAD).status == 201
    gtm.must("PUT", "zones/kept.example/rrsets/row/A", {"ttl": 5, "records": ["192.0.2.8"]})
    assert gtm.stop() == 0
    database = os.path.join(gtm.dir, "gtm.db")
    shutil.copy(database, database + ".backup")
    gtm.start()
    gtm.must("PUT", "zones/kept.example/rrsets/new/A", {"ttl": 5, "records": ["192.0.2.9"]})
    gtm.must("PUT", "zones/bare.example/rrsets/new/A", {"ttl": 5, "records": ["192.0.2.9"]})
    gtm.delete("zones/kept.example/rrsets/row/A")
    assert gtm.stop() == 0
    with sqlite3.connect(database + ".backup") as db:
        db.execute("UPDATE meta SET value = '' WHERE key = 'lineage'")  # as store_backup leaves it
    db.close()
    os.replace(database + ".backup", database)
    gtm.start()
    eventually(lambda: there(gtm, "new.kept.example", "A") == [])
    assert gtm.rdata("old.kept.example") == ["192.0.2.7"]
    assert gtm.rdata("row.kept.example") == ["192.0.2.8"]
    assert there(gtm, "new.bare.example", "A") == []
    assert gtm.rdata("ns1.bare.example") == ["192.0.2.1"]


def test_objects_that_come_are_no_history(gtm):
    """The engine's journal is rewritten for what has changed, not for what has come."""
    path = os.path.join(gtm.dir, "engine.model")

    def apply(batch, remark):
        gtm.must("POST", "config:apply", {"objects": [
            {"kind": "address", "name": "a%d-%d" % (batch, i), "spec": {
                "type": "ipv4", "value": "192.0.2.1", "remark": remark}} for i in range(500)]})

    begun = os.stat(path).st_ino
    for batch in range(4):
        apply(batch, "x" * 1000)
    assert os.stat(path).st_size > 2 << 20
    assert os.stat(path).st_ino == begun
    size = os.stat(path).st_size
    for version in range(8):
        apply(version % 4, "y" * (1000 + version))
    eventually(lambda: os.stat(path).st_ino != begun and os.stat(path).st_size < 2 * size, what="it is rewritten")


def test_objects_that_come_and_go_are_history(gtm):
    path = os.path.join(gtm.dir, "engine.model")
    begun = os.stat(path).st_ino
    spec = {"protocol": "http", "http": {"method": "POST", "body": "x" * 4000}}
    for _ in range(300):  # 1.3 MB
        gtm.must("PUT", "templates/t", {"spec": spec})
        gtm.must("DELETE", "templates/t")
    eventually(lambda: os.stat(path).st_ino != begun, what="it is rewritten")
