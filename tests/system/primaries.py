# SPDX-License-Identifier: GPL-3.0-or-later
"""Primaries to transfer from: a scripted one that can be told to lie, and NSD, Knot DNS and BIND.

    p = Scripted({"host.test.": records}); p.start()     every answer is the test's to bend
    p = Knot(folder, {"host.test.": text}, notify=...)   the real thing, on an address of its own

Records of the scripted one are (name, type, rdata) texts; its zone is the newest of its versions.
"""
import base64
import contextlib
import os
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsigkeyring

from gtm import SLOW, loopback

PORT = 5300
KEY = ("transfer-key", base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def soa(serial, refresh=3600, retry=600, expire=86400, minimum=60):
    return "ns1 hostmaster %d %d %d %d %d" % (serial, refresh, retry, expire, minimum)


# ---- scripted ----

class Scripted:
    """A primary in this process. `answer` may be replaced: (query, tcp) -> list of wire messages, or None for the right one."""

    def __init__(self, zone, records, serial=1, ip=None, key=None, **timers):
        self.zone, self.ip, self.timers = dns.name.from_text(zone), ip or loopback(), timers
        self.versions = [(serial, list(records))]
        self.keyring = dns.tsigkeyring.from_text({key[0]: key[1]}) if key else None
        self.answer = self.on_bad_signature = None
        self.asked = []  # (type, tcp)
        self.others = {}  # zone -> Scripted that is not started: more zones at this address
        self.gone = False
        self._servers = []

    def change(self, records, serial=None):
        self.versions.append((serial or self.versions[-1][0] + 1, list(records)))

    def rrset(self, name, rdtype, rdata):
        return dns.rrset.from_text(dns.name.from_text(name, self.zone), 300, "IN", rdtype,
                                   *[dns.rdata.from_text("IN", rdtype, rdata, self.zone, False).to_text()])

    def soa(self, serial):
        return self.rrset("@", "SOA", soa(serial, **self.timers))

    def stream(self, q):
        """The RRs of the right answer, in order."""
        serial, records = self.versions[-1]
        rdtype = q.question[0].rdtype
        if rdtype == dns.rdatatype.SOA:
            return [self.soa(serial)]
        if rdtype == dns.rdatatype.IXFR:
            have = q.authority[0][0].serial
            known = [i for i, v in enumerate(self.versions) if v[0] == have]
            if have == serial:
                return [self.soa(serial)]
            if known:
                return [self.soa(serial), *self.differences(known[0]), self.soa(serial)]
        return [self.soa(serial), *[self.rrset(*r) for r in records], self.soa(serial)]

    def differences(self, first):
        for (s0, old), (s1, new) in zip(self.versions[first:], self.versions[first + 1:]):
            yield self.soa(s0)
            yield from (self.rrset(*r) for r in old if r not in new)
            yield self.soa(s1)
            yield from (self.rrset(*r) for r in new if r not in old)

    def messages(self, q, rrs, per=100):
        """Wire messages of at most `per` records; signed as the query was."""
        ctx, out = None, []
        for i in range(0, len(rrs), per):
            r = dns.message.make_response(q)
            r.flags |= dns.flags.AA
            if i > 0:
                r.question = []
            r.answer = rrs[i:i + per]
            wire = r.to_wire(max_size=65535, multi=True, tsig_ctx=ctx) if q.had_tsig else r.to_wire(max_size=65535)
            ctx = r.tsig_ctx if q.had_tsig else None
            out.append(wire)
        return out

    def reply(self, wire, tcp):
        try:
            q = dns.message.from_wire(wire, keyring=self.keyring)
        except dns.exception.DNSException:
            if self.on_bad_signature:
                return self.on_bad_signature(wire)
            return [wire[:2] + b"\x80\x09" + bytes(8)]  # NOTAUTH
        other = self.others.get(q.question[0].name.to_text())
        if other:
            return other.reply(wire, tcp)
        self.asked.append((dns.rdatatype.to_text(q.question[0].rdtype), tcp))
        if self.answer:
            bent = self.answer(q, tcp)
            if bent is not None:
                return bent
        if self.keyring and not q.had_tsig:
            r = dns.message.make_response(q)
            r.set_rcode(dns.rcode.REFUSED)
            return [r.to_wire()]
        return self.messages(q, self.stream(q))

    def start(self):
        primary = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                for m in primary.reply(self.request[0], False)[:1]:
                    self.request[1].sendto(m, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError, struct.error, EOFError):
                    f = self.request.makefile("rb")
                    while head := f.read(2):
                        for m in primary.reply(f.read(struct.unpack("!H", head)[0]), True):
                            if m is None:
                                return  # close
                            if isinstance(m, float):
                                time.sleep(m)
                            elif isinstance(m, bytearray):  # as it is, without a length
                                self.request.sendall(m)
                            else:
                                self.request.sendall(struct.pack("!H", len(m)) + m)

        class TcpServer(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.gone = False
        self._servers = [socketserver.ThreadingUDPServer((self.ip, PORT), Udp), TcpServer((self.ip, PORT), Tcp)]
        for s in self._servers:
            s.daemon_threads = True
            threading.Thread(target=s.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        for s in self._servers:
            s.shutdown()
            s.server_close()
        self._servers = []

    def notify(self, gtm, zone=None, source=None, key=None):
        """NOTIFY from our address (or another); the response."""
        q = dns.message.make_query(zone or self.zone, "SOA")
        q.set_opcode(dns.opcode.NOTIFY)
        q.flags = q.flags & ~dns.flags.RD | dns.flags.AA
        if key:
            q.use_tsig(dns.tsigkeyring.from_text({key[0]: key[1]}))
        return dns.query.udp(q, gtm.ip, port=5300, source=source or self.ip, timeout=3 * SLOW)

    @property
    def address(self):
        return "%s:%d" % (self.ip, PORT)


# ---- real ----

class Peer:
    """One zone, one secondary (`to`: its (ip, port)) that is notified and may transfer."""

    def __init__(self, folder, zone, text, to, key=None):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.zone, self.to, self.key = zone, to, key
        self.ip, self.port = self.choose()
        self.file = self.write("zone", text)
        self.process = None

    def choose(self):
        return loopback(), PORT

    @property
    def address(self):
        return "%s:%d" % (self.ip, self.port)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)
        return path

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()

    def serial(self):
        q = dns.message.make_query(self.zone, "SOA")
        with contextlib.suppress(dns.exception.DNSException, OSError):
            r = dns.query.udp(q, self.ip, port=self.port, timeout=0.3)
            return r.answer[0][0].serial if r.answer else None
        return None

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 30 * SLOW
        while self.serial() is None:
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.02)
        return self

    def change(self, text):
        self.write("zone", text)
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class Knot(Peer):
    def command(self):
        key = "key:\n  - id: %s\n    algorithm: hmac-sha256\n    secret: %s\n" % self.key if self.key else ""
        use = "    key: %s\n" % self.key[0] if self.key else ""
        text = """server:
  rundir: {dir}
  listen: {ip}@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  automatic-acl: off
database:
  storage: {dir}
log:
  - target: stderr
    any: info
{key}remote:
  - id: secondary
    address: {to[0]}@{to[1]}
    via: {ip}
{use}acl:
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
{use}zone:
  - domain: {zone}
    file: {file}
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
    notify: secondary
    acl: transfer
""".format(dir=self.folder, ip=self.ip, port=self.port, to=self.to, key=key, use=use, zone=self.zone, file=self.file)
        return [program("knotd"), "-c", self.write("knot.conf", text)]


class Nsd(Peer):
    def command(self):
        key = 'key:\n\tname: "%s"\n\talgorithm: hmac-sha256\n\tsecret: "%s"\n' % self.key if self.key else ""
        text = """server:
	ip-address: {ip}@{port}
	server-count: 1
	username: ""
	database: ""
	zonesdir: "{dir}"
	zonelistfile: "{dir}/list"
	xfrdfile: "{dir}/xfrd"
	xfrdir: "{dir}"
	pidfile: "{dir}/pid"
remote-control:
	control-enable: no
{key}zone:
	name: "{zone}"
	zonefile: "{file}"
	store-ixfr: yes
	create-ixfr: yes
	notify: {to[0]}@{to[1]} {use}
	provide-xfr: 127.0.0.0/8 {use}
	outgoing-interface: {ip}
""".format(dir=self.folder, ip=self.ip, port=self.port, to=self.to, key=key, use=self.key[0] if self.key else "NOKEY",
           zone=self.zone, file=self.file)
        return [program("nsd"), "-d", "-c", self.write("nsd.conf", text)]


class Named(Peer):
    def choose(self):  # it listens on addresses of interfaces only
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return "127.0.0.1", s.getsockname()[1]

    def command(self):
        key = 'key "%s" { algorithm hmac-sha256; secret "%s"; };\n' % self.key if self.key else ""
        text = """%soptions {
	directory "%s";
	pid-file "pid";
	session-keyfile "session.key";
	listen-on port %d { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion no;
	dnssec-validation no;
	empty-zones-enable no;
	notify explicit;
	notify-source 127.0.0.1;
	notify-delay 0;
	ixfr-from-differences yes;
	max-ixfr-ratio unlimited;
};
controls { };
zone "%s" { type primary; file "%s"; allow-transfer { %s; }; also-notify { %s port %d %s; }; };
""" % (key, self.folder, self.port, self.zone, self.file, 'key "%s"' % self.key[0] if self.key else "any", *self.to,
            'key "%s"' % self.key[0] if self.key else "")
        return [program("named"), "-g", "-n", "1", "-c", self.write("named.conf", text)]


PEERS = (Knot, Nsd, Named)
