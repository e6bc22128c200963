# SPDX-License-Identifier: GPL-3.0-or-later
"""A gtmd at one end of a wire between two network namespaces (netns.py), asked and blasted from the other end."""
import json
import os
import re
import socket
import struct
import subprocess

import dns.message

import gtm as harness
from gtm import GTMD, SLOW
from netns import Wire

BLAST = os.path.join(os.path.dirname(GTMD), "tests", "blast", "blast")
LISTEN = [Wire.SERVER + ":53", "[::]:53"]


def blast(wire, name, *words, to=Wire.SERVER, prefix=()):
    """What tests/blast/blast tells, started at the client's end."""
    command = wire.client.command(*prefix, BLAST, to, "53", name, *(str(w) for w in words))
    r = subprocess.run(command, capture_output=True, text=True, timeout=100 * SLOW)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


class Wired(harness.Gtm):
    """A gtmd at the server's end of a wire; the API by its Unix socket, which knows no namespaces."""

    def __init__(self, directory, wire, listen=LISTEN, interfaces=("srv",), user=None, prefix=(), api="127.0.0.1:8053"):
        super().__init__(directory)
        self.wire, self.prefix = wire, list(prefix)
        self.config_path = os.path.join(str(directory), "gtmd.yaml")
        with open(self.config_path, "w") as f:
            f.write("data_dir: %s\n%sdns:\n  listen: %s\n  xdp: %s\napi: { listen: '%s' }\n" % (
                self.dir, "user: %s\n" % user if user else "", json.dumps(listen), json.dumps(list(interfaces)), api))

    def command(self):
        return self.wire.server.command(*self.prefix, GTMD, "-c", self.config_path, "--data-dir", self.dir)

    def connect(self, unix, timeout=20.0):
        return super().connect(True, timeout)

    def counters(self):
        text = self.get("/metrics").body
        return {k: int(v) for k, v in re.findall(r"^gtm_(\w+?)(?:_total)? (\d+)$", text, re.M)}

    def ask(self, name, rdtype="A", to=Wire.SERVER, tcp=False, timeout=3.0, **kw):
        return self.send(dns.message.make_query(name, rdtype, **kw), to, tcp, timeout)

    def send(self, q, to=Wire.SERVER, tcp=False, timeout=3.0):
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with self.wire.client:
            s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, kind)
        with s:
            s.settimeout(timeout * SLOW)
            s.connect((to, 53))  # so that an answer from elsewhere is not taken
            if tcp:
                wire = q.to_wire()
                s.sendall(struct.pack("!H", len(wire)) + wire)
                stream = s.makefile("rb")
                reply = stream.read(struct.unpack("!H", stream.read(2))[0])
            else:
                s.send(q.to_wire())
                reply = s.recv(65535)
        return dns.message.from_wire(reply, keyring=q.keyring, request_mac=q.mac)

    def worker(self, number=0):
        """/proc of the thread that serves a socket."""
        top = "/proc/%d/task" % self.pid("engine")
        for tid in os.listdir(top):
            with open("%s/%s/comm" % (top, tid)) as f:
                if f.read().strip() == "dns-xdp-%d" % number:
                    return "%s/%s" % (top, tid)
        raise AssertionError("there is no such thread")

    def wakeups(self, number=0):
        with open(self.worker(number) + "/status") as f:
            return sum(int(n) for n in re.findall(r"ctxt_switches:\s*(\d+)", f.read()))
