# SPDX-License-Identifier: GPL-3.0-or-later
"""gtmd and the three peers, each on a loopback address of its own with everything it writes in a folder of its own.

    zones = {"host.test.": "/path/host.test.zone"}
    with Nsd(folder, zones) as peer:        started, and every zone is served
        peer.address                        (ip, port) for UDP and TCP

No system service is touched: the programs run in the foreground as children and end with the block.
"""
import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import struct
import subprocess
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GTMD = os.path.abspath(os.environ.get("GTMD", os.path.join(ROOT, "build", "gtmd")))
GTMCTL = os.path.abspath(os.environ.get("GTMCTL", os.path.join(ROOT, "build", "gtmctl")))
PORT, API_PORT = 5300, 8053


def loopback():
    """An address that nobody else uses; a port found free could be taken by the time it is bound."""
    return "127.%d.%d.%d" % (random.randint(1, 250), random.randint(1, 250), random.randint(2, 250))


def wire_name(text):
    return b"".join(bytes([len(x)]) + x.encode() for x in text.rstrip(".").split(".") if x) + b"\0"


def soa_query(zone):
    return struct.pack("!6H", 4711, 0, 1, 0, 0, 0) + wire_name(zone) + struct.pack("!2H", 6, 1)


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    name = None
    load_timeout = 60.0

    def __init__(self, folder, zones):
        self.folder, self.zones = os.path.join(str(folder), self.name), zones
        os.makedirs(self.folder)
        self.address = self.ip, self.port = self.choose_address()
        self.process = None

    def choose_address(self):
        return loopback(), PORT

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, file, text):
        with open(self.path(file), "w") as f:
            f.write(text)
        return self.path(file)

    def command(self):
        raise NotImplementedError

    def launch(self):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=dict(os.environ, LC_ALL="C"))

    def load(self):
        """Whatever it takes, beyond starting, to have the zones."""

    def serves(self, zone):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(self.address)
            with contextlib.suppress(OSError):
                s.send(soa_query(zone))
                reply = s.recv(4096)
                return reply[3] & 15 == 0 and reply[6:8] == b"\0\1"
        return False

    def wait_served(self, every=0.02):
        deadline = time.monotonic() + self.load_timeout
        for zone in self.zones:
            while not self.serves(zone):
                assert self.process.poll() is None and time.monotonic() < deadline, \
                    "%s does not serve %s:\n%s" % (self.name, zone, self.log()[-3000:])
                time.sleep(every)

    def start(self):
        self.launch()
        try:
            self.load()
            self.wait_served()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        if self.process is None:
            return None
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        code, self.process = self.process.returncode, None
        return code

    def log(self):
        with open(self.path("log"), errors="replace") as f:
            return f.read()

    def pids(self):
        """The process and all its descendants."""
        children = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open("/proc/%s/stat" % entry) as f:
                children.setdefault(int(f.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
        found, todo = [], [self.process.pid]
        while todo:
            found.append(todo.pop())
            todo += children.get(found[-1], [])
        return found

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.stop()


class Nsd(Server):
    name = "nsd"

    def command(self):
        text = """server:
	ip-address: %s@%d
	server-count: 1
	username: ""
	database: ""
	zonesdir: "%s"
	zonelistfile: "%s"
	xfrdfile: "%s"
	pidfile: "%s"
	rrl-ratelimit: 0
	rrl-whitelist-ratelimit: 0
	refuse-any: no
	minimal-responses: no
	ipv4-edns-size: 1232
	tcp-count: 16
remote-control:
	control-enable: no
""" % (self.ip, PORT, self.folder, self.path("list"), self.path("xfrd"), self.path("pid"))
        for name, file in self.zones.items():
            text += 'zone:\n\tname: "%s"\n\tzonefile: "%s"\n' % (name, file)
        return [program("nsd"), "-d", "-c", self.write("nsd.conf", text)]


class Knot(Server):
    name = "knot"

    def command(self):
        text = """server:
  rundir: %s
  listen: %s@%d
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  udp-max-payload: 1232
  automatic-acl: off
database:
  storage: %s
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: %s
    zonefile-sync: -1
    journal-content: none
zone:
""" % (self.folder, self.ip, PORT, self.folder, self.folder)
        for name, file in self.zones.items():
            text += '  - domain: "%s"\n    file: %s\n' % (name, file)
        return [program("knotd"), "-c", self.write("knot.conf", text)]


class Named(Server):
    name = "named"

    def choose_address(self):  # it listens on addresses of interfaces only
        return "127.0.0.1", free_port()

    def command(self):
        text = """options {
	directory "%s";
	pid-file "%s";
	session-keyfile "%s";
	listen-on port %d { %s; };
	listen-on-v6 { none; };
	recursion no;
	allow-transfer { none; };
	dnssec-validation no;
	empty-zones-enable no;
	notify no;
	zero-no-soa-ttl no;
	minimal-responses no-auth;
	minimal-any no;
	max-udp-size 1232;
	edns-udp-size 1232;
	version none;
	check-integrity no;
	check-names primary ignore;
	check-mx ignore; check-mx-cname ignore; check-srv-cname ignore; check-sibling no;
};
controls { };
""" % (self.folder, self.path("pid"), self.path("session.key"), self.port, self.ip)
        for name, file in self.zones.items():
            text += 'zone "%s" { type primary; file "%s"; };\n' % (name, file)
        return [program("named"), "-g", "-n", "1", "-c", self.write("named.conf", text)]


class Gtmd(Server):
    name = "gtmd"
    imported = ()  # zones whose file is for gtmctl

    def command(self):
        return [GTMD, "--data-dir", self.path("data"), "--dns", "%s:%d" % self.address,
                "--api", "%s:%d" % (self.ip, API_PORT), "--workers", "1"]

    def api(self, method, path, body=None, kind="application/json", timeout=120):
        with open(self.path("data", "admin.token")) as f:
            headers = {"Authorization": "Bearer " + f.read().strip(), "Content-Type": kind}
        c = http.client.HTTPConnection(self.ip, API_PORT, timeout=timeout)
        with contextlib.closing(c):
            c.request(method, "/api/v1/" + path, body, headers)
            r = c.getresponse()
            text = r.read().decode("utf-8", "replace")
        assert r.status in (200, 201, 204), "%s %s: %d %s" % (method, path, r.status, text)
        return json.loads(text) if text and "json" in (r.headers.get("Content-Type") or "") else text

    def wait_ready(self, every=0.02):
        deadline = time.monotonic() + self.load_timeout
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                c = http.client.HTTPConnection(self.ip, API_PORT, timeout=2)
                with contextlib.closing(c):
                    c.request("GET", "/readyz")
                    if c.getresponse().status == 200:
                        return
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(every)

    def put_zone(self, name, file):
        with open(file, "rb") as f:
            self.api("PUT", "zones/%s/file" % urllib.parse.quote(name, safe=""), f.read(), "text/dns")

    def import_zone(self, name, file):
        """By gtmctl, which reads what the file includes."""
        done = subprocess.run([GTMCTL, "--data-dir", self.path("data"), "zone", "import", name, file],
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def load(self):
        self.wait_ready()
        for name, file in self.zones.items():
            (self.import_zone if name in self.imported else self.put_zone)(name, file)


PEERS = (Nsd, Knot, Named)
