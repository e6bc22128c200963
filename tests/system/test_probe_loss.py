# SPDX-License-Identifier: GPL-3.0-or-later
"""20 % of all packets are lost, each way, and nobody is taken for dead. GTM_LOSS_SECONDS makes it longer."""
import datetime
import os
import time

import pytest

import lossy
from gtm import SLOW, eventually

SECONDS = float(os.environ.get("GTM_LOSS_SECONDS", 15))
LOSS = 20
# The defaults (5 s, 2 s), quicker. Where data follow, the kernel's repetitions of it (200 ms and on) cannot be quicker.
QUICK = {"interval": "1s", "timeout": "400ms", "recheck": "100ms", "fall": 3, "rise": 2}
USUAL = {"interval": "2500ms", "timeout": "2s", "recheck": "200ms", "fall": 3, "rise": 2}
PROTOCOLS = {"tcp": QUICK, "udp": QUICK, "dns": QUICK, "ping": QUICK, "http": USUAL, "https": USUAL, "tls": USUAL, "grpc": USUAL}


pytestmark = pytest.mark.skipif(not os.path.exists(lossy.MOODY), reason="not built here")


@pytest.fixture
def loss():
    with lossy.network(LOSS) as loss:
        if loss is None:
            pytest.skip("takes root, a network namespace and nft")
        yield loss


def fill(world, protocols, config, n):
    """A gtmd that probes n targets of each."""
    path = world.directory / ("gtmd%d.yaml" % len(world.gtms))
    path.write_text(config)
    gtm = world.gtm(args=("--config", str(path)))
    all_ = [o for i, p in enumerate(protocols) for o in lossy.objects(p, n, i * n, **PROTOCOLS[p])]
    assert gtm.api("POST", "config:apply", {"objects": all_}).status == 200
    return gtm


def health(gtm):
    return {o["name"]: o["status"].get("health") for o in gtm.must("GET", "addresses?limit=1000")["items"]}


def outcomes(gtm):
    return {line.split('"')[1]: int(line.split()[-1]) for line in gtm.must("GET", "/metrics").splitlines()
            if line.startswith("gtm_probes_total{")}


def downs(gtm):
    return [e["object"]["name"] for e in gtm.must("GET", "events?kind=address.down&limit=1000")["items"]]


def test_loss_is_no_failure(loss, world, tmp_path):
    targets = lossy.Targets(tmp_path)
    world.finally_(targets.stop)
    gtm = fill(world, PROTOCOLS, "probe:\n  threads: 2\n", 20)
    eventually(lambda: set(health(gtm).values()) == {"ok"}, 20, what="everybody is up")
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        assert not downs(gtm), downs(gtm)
        time.sleep(0.5)
    made = outcomes(gtm)
    print("%s; %d packets lost" % (made, lossy.lost()))
    assert lossy.lost() > 1000
    assert made["passed"] > 20 * SECONDS * 4
    assert made["failed"] < 0.02 * made["passed"], made
    assert made["none"] == 0


def test_who_dies_is_seen_dead(loss, world, tmp_path):
    """What is repeated does not keep the dead alive: silent ones are down within the time that templates tell."""
    targets = lossy.Targets(tmp_path)
    world.finally_(targets.stop)
    gtm = fill(world, ["tcp", "udp", "http"], "probe:\n  threads: 1\n", 20)
    eventually(lambda: set(health(gtm).values()) == {"ok"}, 20, what="everybody is up")
    worst = {p: gtm.status("templates/" + p)["detection"]["worst"] for p in ("tcp", "udp", "http")}
    assert worst == {"tcp": "2200ms", "udp": "2200ms", "http": "8500ms"}
    lossy.drop_all()
    died = time.time()
    eventually(lambda: set(health(gtm).values()) == {"exceptional"}, 20, what="everybody is down")
    for e in gtm.must("GET", "events?kind=address.down&limit=1000")["items"]:
        took = datetime.datetime.fromisoformat(e["at"]).timestamp() - died
        assert took < {"t": 2.2, "u": 2.2, "h": 8.5}[e["object"]["name"][0]] + 0.5 * SLOW, (took, e)
    assert sorted(downs(gtm)) == sorted(health(gtm))


def test_without_repetition_it_would_be(loss, world, tmp_path):
    """So that the test above can fail."""
    targets = lossy.Targets(tmp_path)
    world.finally_(targets.stop)
    gtm = fill(world, ["tcp", "udp", "dns", "ping"], "probe:\n  repeat: false\n", 20)
    eventually(lambda: {name.rstrip("0123456789") for name in downs(gtm)} == {"tcp", "udp", "dns", "ping"}, 40)
