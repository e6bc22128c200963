# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's servers as secondaries of a gtmd: knotd, nsd and named, each with one configuration of its own.

    s = Knot(directory, gtm, ["example.com"], key=KEY)     on loopback, stopped by s.stop()
    s.serial("example.com")                                what it serves now, or None
    s.notify_spec()                                        how the zone in gtmd names it
"""
import collections
import contextlib
import os
import re
import shutil
import socket
import subprocess

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from gtm import DNS_PORT, SLOW, eventually, loopback

Key = collections.namedtuple("Key", "name algorithm secret")


def program(name):
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


def free_port():
    """For servers that bind 127.0.0.1 only."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Secondary:
    also = None  # one more catalog

    def __init__(self, directory, gtm, zones, key=None, catalog=None):
        self.folder = os.path.join(str(directory), "%s-%d" % (self.name, free_port()))
        os.makedirs(self.folder)
        self.gtm, self.zones, self.key, self.catalog = gtm, zones, key, catalog
        self.ip, self.port = self.address()
        self.process = None

    def address(self):
        return loopback(), DNS_PORT

    def catalogs(self):
        return [c for c in (self.catalog, self.also) if c]

    def write(self, file, text):
        path = os.path.join(self.folder, file)
        with open(path, "w") as f:
            f.write(text)
        return path

    def start(self):
        command = self.command()
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env=dict(os.environ, LC_ALL="C"))
        return self

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as f:
            return f.read()

    def notify_spec(self):
        spec = {"address": "%s:%d" % (self.ip, self.port)}
        if self.key:
            spec["key"] = self.key.name
        return spec

    def ask(self, name, rdtype):
        q = dns.message.make_query(name, rdtype)
        with contextlib.suppress(Exception):
            return dns.query.udp(q, self.ip, port=self.port, timeout=0.5 * SLOW)
        return None

    def records(self, name, rdtype):
        """Sorted texts; None when it gave no answer from the zone."""
        r = self.ask(name, rdtype)
        if r is None or r.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return None
        want = dns.rdatatype.from_text(rdtype)
        return sorted(rd.to_text() for rrset in r.answer for rd in rrset if rrset.rdtype == want)

    def serial(self, zone):
        records = self.records(zone, "SOA")
        return int(records[0].split()[2]) if records else None

    def until_serial(self, zone, serial, timeout=10.0):
        def reached():
            assert self.process.poll() is None, self.log()
            return self.serial(zone) == serial
        try:
            eventually(reached, timeout, what="%s has serial %d of %s" % (self.name, serial, zone))
        except AssertionError as e:
            raise AssertionError("%s\n%s has %s:\n%s" % (e, self.name, self.serial(zone), self.log()[-3000:])) from e


class Knot(Secondary):
    name = "knot"

    def serial(self, zone):
        if zone not in self.catalogs():
            return super().serial(zone)
        found = re.findall(r"\[%s\.\] refresh, .*serial \S+ -> (\d+)" % re.escape(zone), self.log())
        return int(found[-1]) if found else None  # it answers no questions about catalogs

    def command(self):
        key = self.key and "key:\n  - id: %s\n    algorithm: %s\n    secret: %s\n" % self.key or ""
        by = self.key and "    key: %s\n" % self.key.name or ""
        groups = "".join("""  - id: %s
    storage: %s
    master: primary
    acl: notify
    zonefile-load: none
    zonefile-sync: 0
    file: %%s.%s
    journal-content: all
""" % (group, self.folder, group) for group in ("member", "red") if self.catalogs())
        text = """server:
  rundir: %s
  listen: %s@%d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 2
database:
  storage: %s
log:
  - target: stderr
    any: info
%sremote:
  - id: primary
    address: %s@%d
%sacl:
  - id: notify
    address: %s
    action: notify
%stemplate:
  - id: default
    storage: %s
    master: primary
    acl: notify
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
%szone:
""" % (self.folder, self.ip, self.port, self.folder, key, self.gtm.ip, DNS_PORT, by, self.gtm.ip, by, self.folder, groups)
        text += "".join("  - domain: %s\n" % z for z in self.zones)
        text += "".join("  - domain: %s\n    catalog-role: interpret\n    catalog-template: [ member, red ]\n" % c
                        for c in self.catalogs())
        return [program("knotd"), "-c", self.write("knot.conf", text)]


class Nsd(Secondary):
    name = "nsd"

    def command(self):
        key = self.key and 'key:\n\tname: "%s"\n\talgorithm: %s\n\tsecret: "%s"\n' % self.key or ""
        by = self.key.name if self.key else "NOKEY"
        text = """server:
	ip-address: %s@%d
	server-count: 1
	username: ""
	database: ""
	zonesdir: "%s"
	zonelistfile: "%s/list"
	xfrdfile: "%s/xfrd"
	xfrdir: "%s"
	pidfile: "%s/pid"
	xfrd-reload-timeout: 0
	verbosity: 2
remote-control:
	control-enable: no
%s""" % (self.ip, self.port, *[self.folder] * 5, key)
        for z in self.zones:
            text += 'zone:\n\tname: "%s"\n\tzonefile: "%s.zone"\n\tallow-notify: %s %s\n\trequest-xfr: %s@%d %s\n' % (
                z, z, self.gtm.ip, by, self.gtm.ip, DNS_PORT, by)
        return [program("nsd"), "-d", "-c", self.write("nsd.conf", text)]


class Named(Secondary):
    name = "named"

    def address(self):  # it listens on addresses of interfaces only
        return "127.0.0.1", free_port()

    def command(self):
        key = self.key and 'key "%s" { algorithm %s; secret "%s"; };\n' % self.key or ""
        by = self.key and " key %s" % self.key.name or ""
        catalogs = " ".join('zone "%s" default-primaries { %s port %d%s; } in-memory yes min-update-interval 1;' % (
            c, self.gtm.ip, DNS_PORT, by) for c in self.catalogs())
        catalog = "	catalog-zones { %s };\n" % catalogs if catalogs else ""
        text = """%soptions {
	directory "%s";
	pid-file "pid";
	session-keyfile "session.key";
	listen-on port %d { %s; };
	listen-on-v6 { none; };
	recursion no;
	dnssec-validation no;
	empty-zones-enable no;
	notify no;
	min-refresh-time 1;
%s};
controls { };
""" % (key, self.folder, self.port, self.ip, catalog)
        for z in self.zones + self.catalogs():
            text += 'zone "%s" { type secondary; file "%s.zone"; masterfile-format text; primaries { %s port %d%s; }; };\n' % (
                z, z, self.gtm.ip, DNS_PORT, by)
        return [program("named"), "-g", "-n", "1", "-c", self.write("named.conf", text)]


PEERS = (Knot, Nsd, Named)
