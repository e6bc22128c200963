# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that loses packets, and living targets of every protocol in it. For root alone."""
import contextlib
import ctypes
import os
import shutil
import subprocess

from gtm import GTMD, favour

CLONE_NEWNET = 0x40000000
TARGETS = "127.254.0.0/16"
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def network(loss):
    """This thread, and whatever it starts, in a namespace where `loss` % of all packets from and of all packets to
    TARGETS are lost, each by its own chance. None if this machine cannot."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.geteuid() != 0 or _libc.unshare(CLONE_NEWNET) != 0:
            yield None
            return
        rules = ["add table inet loss", "add chain inet loss input { type filter hook input priority 0; }"] + [
            "add rule inet loss input ip %s %s numgen random mod 1000 < %d counter drop" % (side, TARGETS, loss * 10)
            for side in ("saddr", "daddr")]
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)
            subprocess.run(["nft", "\n".join(rules)], check=True, capture_output=True)
            with open("/proc/sys/net/ipv4/ping_group_range", "w") as f:
                f.write("0 2147483647")
        except (OSError, subprocess.CalledProcessError):
            yield None
            return
        yield loss
    finally:
        _libc.setns(before, CLONE_NEWNET)
        os.close(before)


def lost():
    """Packets so far."""
    shown = subprocess.run(["nft", "list", "ruleset"], check=True, capture_output=True, text=True).stdout
    return sum(int(part.split()[0]) for part in shown.split("counter packets ")[1:])


def drop_all():
    """The way to TARGETS is cut."""
    subprocess.run(["nft", "insert rule inet loss input ip daddr %s drop" % TARGETS], check=True, capture_output=True)


# ---- targets ----

MOODY = os.path.join(os.path.dirname(GTMD), "tests", "moody", "moody")
PORT = 7510
PORTS = {"tcp": PORT, "http": PORT, "https": PORT + 2, "tls": PORT + 2, "grpc": PORT + 3, "udp": PORT + 4, "dns": PORT + 4, "ping": 1}


def ip(i):
    return "127.254.%d.%d" % (i // 250, i % 250 + 1)


class Targets:
    """Every protocol at every address of TARGETS, until stop(); in the namespace of who makes it."""

    def __init__(self, directory):
        moods, pem = os.path.join(str(directory), "moods"), os.path.join(str(directory), "good.pem")
        with open(moods, "wb") as f:
            f.write(bytes(65536))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", pem, "-out", pem + ".cert", "-days", "30", "-subj", "/CN=target"], check=True, capture_output=True)
        with open(pem, "a") as f, open(pem + ".cert") as cert:
            f.write(cert.read())
        for other in ("expired", "self", "wrong"):
            shutil.copy(pem, os.path.join(str(directory), other + ".pem"))
        self.process = subprocess.Popen([MOODY, moods, str(PORT), str(PORT + 1), str(directory)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, start_new_session=True)
        favour(self.process.pid)  # it stands for other machines, which have nothing else to do
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def objects(protocol, n, first=0, **rhythm):
    """A template of that protocol and `n` addresses with a check by it; `first`: from which address on."""
    spec = dict(rhythm, protocol=protocol)
    spec.update({"udp": {"talk": {"send": "hello"}}, "dns": {"dns": {"name": "www.example.com", "type": "A"}},
                 "https": {"tls": {"verify": False}}, "tls": {"tls": {"verify": False}},
                 "ping": {"ping": {"packets": 1}}}.get(protocol, {}))
    return [{"kind": "template", "name": protocol, "spec": spec}] + [
        {"kind": "address", "name": "%s%d" % (protocol, i), "spec": {
            "type": "ipv4", "value": ip(first + i), "checks": [{"template": protocol, "port": PORTS[protocol]}]}} for i in range(n)]
