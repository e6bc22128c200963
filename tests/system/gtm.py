# SPDX-License-Identifier: GPL-3.0-or-later
"""A real gtmd, real backends and real questions, for tests and benchmarks.

    site = Backend(ip, port)          something that can be probed, and told to fail
    gtm = Gtm(dir); gtm.start()       a gtmd on loopback, everything it owns in `dir`
    gtm.put("pools/dc-a", {...})      REST over TCP, with the admin token
    gtm.ask("www.example.com")        a DNS question: dnspython's Message

Nothing sleeps to wait for something: eventually() polls, Stream listens. Addresses come from a loopback network of our
own, so tests need no free-port races and may run beside each other.
"""
import collections
import contextlib
import http.client
import itertools
import json
import os
import queue
import random
import re
import selectors
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

import dns.exception
import dns.message
import dns.query
import dns.rcode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GTMD = os.path.abspath(os.environ.get("GTMD", os.path.join(ROOT, "build", "gtmd")))
GTMCTL = os.path.abspath(os.environ.get("GTMCTL", os.path.join(ROOT, "build", "gtmctl")))


def _sanitized():
    with contextlib.suppress(OSError), open(GTMD, "rb") as f:
        program = f.read()
        return b"__asan_init" in program or b"__tsan_init" in program
    return False


# Deadlines, never the things measured, are stretched by this.
SLOW = float(os.environ.get("GTM_SLOW") or (4 if _sanitized() else 1))

DNS_PORT, API_PORT = 5300, 8053

_network = itertools.count(2)
_prefix = "127.%d.%d" % (random.randint(1, 250), random.randint(1, 250))


def loopback():
    """An IPv4 loopback address nobody else in this run has had."""
    global _prefix
    n = next(_network)
    if n % 250 == 0:
        _prefix = "127.%d.%d" % (random.randint(1, 250), random.randint(1, 250))
    return "%s.%d" % (_prefix, n % 250 + 1)


def eventually(fn, timeout=5.0, every=0.005, what=None):
    """The first truthy result of fn(); a failed assertion or connection in fn counts as not yet."""
    deadline = time.monotonic() + timeout * SLOW
    while True:
        try:
            got, why = fn(), None
        except (AssertionError, OSError, http.client.HTTPException, dns.exception.Timeout) as e:
            got, why = None, e
        if got:
            return got
        if time.monotonic() >= deadline:
            raise AssertionError("not within %.1f s: %s%s" % (
                timeout * SLOW, what or getattr(fn, "__name__", "condition"), ": %s" % why if why else "")) from why
        time.sleep(every)


def favour(pid):
    """Runs before whatever else this machine has to do; root alone. (Nice values count within a session only, where the kernel
    groups tasks by session.)"""
    with contextlib.suppress(OSError), open("/proc/%d/autogroup" % pid, "w") as f:
        f.write("-15")
    with contextlib.suppress(OSError):
        for thread in os.listdir("/proc/%d/task" % pid):
            os.setpriority(os.PRIO_PROCESS, int(thread), -15)


# ---- backends ----

class Backend:
    """A TCP or HTTP server on loopback that can refuse, hang and change its status; counts who connects.

    kind: "http" closes after each reply, "kept" does not; "tcp" closes at once. A `tcp` check that sends nothing leaves no
    connection to count."""

    def __init__(self, ip=None, port=8080, kind="http"):
        self.ip, self.port, self.kind = ip or loopback(), port, kind
        self.status = 200
        self.mute = False  # accept, and never answer
        self.connects = []  # time of each accepted connection, time.monotonic()
        self.requests = []  # request line and headers of each HTTP request, bytes
        self._listener = None
        self._plugs = []
        self._selector = selectors.DefaultSelector()
        self._wake, waker = socket.socketpair()
        self._waker = waker
        self._jobs = queue.Queue()
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.accept()

    # Each of these has happened when it returns.
    def accept(self):
        """Listen (again), and answer."""
        self._do(self._open, 128)

    def refuse(self):
        """Close the listener and every connection: connects are refused. Returns the time of it."""
        return self._do(self._shut)

    def hang_up(self):
        """Close every connection, and go on listening."""
        self._do(self._close, lambda key: key.fileobj not in (self._wake, self._listener))

    def hang(self):
        """Connects time out: a listener whose queue is full and stays full."""
        self._do(self._plug)

    def stop(self):
        if self._thread.is_alive():
            self._do(self._shut)
            self._do(lambda: setattr(self, "_thread_ends", True))
            self._thread.join()
            for s in (self._wake, self._waker):
                s.close()
            self._selector.close()

    _thread_ends = False

    def _do(self, job, *args):
        done = queue.Queue()
        self._jobs.put((job, args, done))
        self._waker.send(b"!")
        result = done.get(timeout=10)
        if isinstance(result, Exception):
            raise result
        return result

    def _open(self, backlog):
        self._shut()
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.ip, self.port))
        s.listen(backlog)
        s.setblocking(False)
        self._listener = s
        if backlog:
            self._selector.register(s, selectors.EVENT_READ, self._take)

    def _close(self, chosen):
        for key in filter(chosen, list(self._selector.get_map().values())):
            self._selector.unregister(key.fileobj)
            key.fileobj.close()

    def _shut(self):
        now = time.monotonic()
        self._close(lambda key: key.fileobj is not self._wake)
        if self._listener:
            self._listener.close()
            self._listener = None
        for s in self._plugs:
            s.close()
        self._plugs = []
        return now

    def _plug(self):
        self._open(0)
        for _ in range(3):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((self.ip, self.port))
            self._plugs.append(s)

    def _take(self, listener):
        try:
            s, _ = listener.accept()
        except OSError:
            return
        self.connects.append(time.monotonic())
        s.setblocking(False)
        self._selector.register(s, selectors.EVENT_READ, self._drop if self.kind == "tcp" else self._read)

    def _drop(self, s):
        self._selector.unregister(s)
        s.close()

    def _read(self, s):
        try:
            data = s.recv(65536)
        except OSError:
            data = b""
        if self.mute and data:
            return
        if data:
            self.requests.append(data)
            with contextlib.suppress(OSError):
                s.send(b"HTTP/1.1 %d Status\r\nContent-Length: 2\r\n%s\r\nok" % (
                    self.status, b"" if self.kind == "kept" else b"Connection: close\r\n"))
        if not data or self.kind != "kept":
            self._drop(s)

    def _run(self):
        while not self._thread_ends:
            for key, _ in self._selector.select():
                if key.fileobj is self._wake:
                    self._wake.recv(4096)
                    self._work()
                elif key.data and key.fileobj.fileno() >= 0:
                    key.data(key.fileobj)

    def _work(self):
        while not self._jobs.empty():
            job, args, done = self._jobs.get()
            try:
                done.put(job(*args))
            except Exception as e:  # handed to the caller of _do
                done.put(e)


# ---- REST ----

Reply = collections.namedtuple("Reply", "status headers body")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Refused(AssertionError):
    """A write that was expected to be taken was refused."""


class Stream:
    """GET /stream in a thread. wait() looks at everything since the stream was opened, oldest first."""

    def __init__(self, gtm, topics="health,events,config", last_id=None):
        self.messages = []  # (event, data, time.monotonic() of arrival, id)
        self._news = threading.Condition()
        self._connection, _ = gtm.connect(None)
        headers = gtm.auth()
        if last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        self._connection.request("GET", "/api/v1/stream?topics=" + topics, headers=headers)
        self._response = self._connection.getresponse()
        assert self._response.status == 200, self._response.read()
        self._socket = self._connection.sock or self._response.fp.raw._sock
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        event, data, ident = "message", [], None
        try:
            while line := self._response.readline():
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    event = value
                elif field == "data":
                    data.append(value)
                elif field == "id":
                    ident = int(value)
                elif field == "":
                    if data:
                        with self._news:
                            self.messages.append((event, json.loads("\n".join(data)), time.monotonic(), ident))
                            self._news.notify_all()
                    event, data, ident = "message", [], None
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass

    def wait(self, match, timeout=5.0):
        """The first message for which match(event, data) is true."""
        deadline = time.monotonic() + timeout * SLOW
        seen = 0
        with self._news:
            while True:
                for m in self.messages[seen:]:
                    if match(m[0], m[1]):
                        return m
                seen = len(self.messages)
                left = deadline - time.monotonic()
                assert left > 0, "no such message among %s" % [m[:2] for m in self.messages]
                self._news.wait(left)

    def event(self, kind, name=None, timeout=5.0):
        return self.wait(lambda e, d: isinstance(d, dict) and d.get("kind") == kind and
                         (name is None or (d.get("object") or {}).get("name") == name), timeout)

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
        self._response.close()
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


# ---- gtmd ----

def _state(pid):
    """The state letter of a process, None if there is none."""
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0]


class Gtm:
    def __init__(self, directory, workers=1, args=()):
        self.dir = os.path.join(str(directory), "data")
        self.log_path = os.path.join(str(directory), "log")
        os.makedirs(self.dir, exist_ok=True)
        self.ip = loopback()
        self.dns, self.api_addr = (self.ip, DNS_PORT), (self.ip, API_PORT)
        self.args = list(args) + (["--workers", str(workers)] if workers != 1 else [])
        self.process = None
        self.may_die = set()  # signals by which a child may have ended
        self.ended = None

    # -- life --

    def command(self):
        return [GTMD, "--data-dir", self.dir, "--dns", "%s:%d" % self.dns, "--api", "%s:%d" % self.api_addr] + self.args

    def start(self, ready=True, timeout=10.0):
        env = dict(os.environ, LC_ALL="C")
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=1:exitcode=99"
        env.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
        env.pop("NOTIFY_SOCKET", None)
        self.ended = None
        self._mark = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                            start_new_session=True)
        if ready:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=10.0):
        eventually(self.is_ready, timeout, what="gtmd is ready")

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("gtmd ended with %s:\n%s" % (self.process.returncode, self.log()))
        return self.api("GET", "/readyz", token=False).status == 200

    def stop(self, sig=signal.SIGTERM, timeout=10.0):
        """End by signal; SIGTERM must end it cleanly. Safe to call again."""
        if self.process is None or self.ended is not None:
            return self.ended
        for pid in self.pids():  # a stopped process does not see SIGTERM
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.process.send_signal(sig)
        try:
            self.ended = self.process.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.ended = None
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                if self.ended is None or sig == signal.SIGKILL and not self._gone(pid, 2):
                    os.kill(pid, signal.SIGKILL)
        if self.ended is None:
            self.ended = self.process.wait()
            raise AssertionError("gtmd did not end within %g s of signal %d" % (timeout * SLOW, sig))
        return self.ended

    def _gone(self, pid, timeout):
        deadline = time.monotonic() + timeout * SLOW
        while _state(pid) not in (None, "Z"):  # an orphan waits for whoever reaps orphans here
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True

    def kill(self, name):
        """kill -9 of "engine", "control" or "supervisor". Returns the dead pid."""
        self.may_die.add(9)
        pid = self.process.pid if name == "supervisor" else eventually(lambda: self.pid(name))
        os.kill(pid, signal.SIGKILL)
        if name == "supervisor":
            self.ended = self.process.wait()
            for child in self.pids():
                assert self._gone(child, 5), "%d outlived its supervisor" % child
        return pid

    def restart(self, how=signal.SIGTERM, **kw):
        if how == signal.SIGKILL:
            self.kill("supervisor")
        else:
            assert self.stop(how) == 0, self.log()
        return self.start(**kw)

    def pids(self):
        """Every living process of ours but the supervisor: they carry our data directory in their command line."""
        out = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == self.process.pid:
                continue
            with contextlib.suppress(OSError):
                with open("/proc/%s/cmdline" % entry, "rb") as f:
                    words = f.read().split(b"\0")
                if words[:1] == [GTMD.encode()] and self.dir.encode() in words and _state(int(entry)) not in (None, "Z"):
                    out.append(int(entry))
        return out

    def pid(self, name):
        """The pid of the child "engine" or "control"; None while there is none."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                with open("/proc/%d/comm" % pid) as f:
                    if f.read().strip() == name:
                        return pid
        return None

    def log(self, since_start=False):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, errors="replace") as f:
            if since_start:
                f.seek(self._mark)
            return f.read()

    def complaints(self):
        """What no run may leave in its log."""
        log = self.log()
        found = re.findall(r".*(?:AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|CHECK failed|assert).*", log)
        found += [m.group(0) for m in re.finditer(r".*was killed by signal (\d+).*", log)
                  if int(m.group(1)) not in self.may_die]
        found += re.findall(r".*ended with code (?:99|1)\b.*", log) if not self.may_die else []
        return found

    # -- REST --

    def auth(self):
        with open(os.path.join(self.dir, "admin.token")) as f:
            return {"Authorization": "Bearer " + f.read().strip()}

    def connect(self, unix, timeout=20.0):
        if unix:
            return _UnixConnection(os.path.join(self.dir, "control.sock"), timeout * SLOW), {}
        c = http.client.HTTPConnection(*self.api_addr, timeout=timeout * SLOW)
        c.connect()
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return c, {}

    def api(self, method, path, body=None, headers=None, token=True, unix=False, keep=None):
        """One request. `body`: str/bytes as they are, anything else as JSON. Body of the reply: JSON if it is, else text."""
        if not path.startswith("/"):
            path = "/api/v1/" + path
        send = dict(self.auth() if token is True and not unix else
                    {"Authorization": "Bearer " + token} if isinstance(token, str) else {})
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            send["Content-Type"] = "application/json"
        send.update(headers or {})
        c = keep or self.connect(unix)[0]
        try:
            c.request(method, path, body.encode() if isinstance(body, str) else body, send)
            r = c.getresponse()
            text = r.read().decode("utf-8", "replace")
        finally:
            if keep is None:
                c.close()
        kind = r.headers.get("Content-Type") or ""
        return Reply(r.status, r.headers, json.loads(text) if "json" in kind and text else text)

    def get(self, path, **kw):
        return self.api("GET", path, **kw)

    def must(self, method, path, body=None, **kw):
        """A write that is taken, and served when this returns."""
        r = self.api(method, path, body, **kw)
        if r.status not in (200, 201, 204):
            raise Refused("%s %s: %d %s" % (method, path, r.status, r.body))
        assert method == "GET" or r.headers.get("GTM-Applied", "1") == "1", "durable, but not served within 1 s"
        return r.body

    def put(self, path, spec, **kw):
        return self.must("PUT", path, {"spec": spec}, **kw)

    def patch(self, path, **spec):
        return self.must("PATCH", path, {"spec": spec})

    def delete(self, path):
        return self.must("DELETE", path)

    def zone(self, name, text):
        return self.must("PUT", "zones/%s/file" % name, text, headers={"Content-Type": "text/dns"})

    def spec(self, path):
        return self.must("GET", path)["spec"]

    def status(self, path):
        return self.must("GET", path)["status"]

    def config(self):
        return self.must("GET", "config")

    def stream(self, topics="health,events,config", **kw):
        return Stream(self, topics, **kw)

    def until_health(self, path, health, timeout=5.0):
        eventually(lambda: self.status(path).get("health") == health, timeout, what="%s is %s" % (path, health))

    # -- DNS --

    def ask(self, name, rdtype="A", tcp=False, edns=False, payload=1232, timeout=3.0, options=(), flags=0, **kw):
        q = dns.message.make_query(name, rdtype, use_edns=edns is not False, payload=payload, options=list(options), **kw)
        if not isinstance(edns, bool):
            q.use_edns(edns, payload=payload, options=list(options))
        q.flags = flags
        if tcp:
            return dns.query.tcp(q, self.ip, port=DNS_PORT, timeout=timeout * SLOW)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setblocking(False)
            s.connect(self.dns)  # so that a closed port is told at once
            return dns.query.udp(q, self.ip, port=DNS_PORT, timeout=timeout * SLOW, sock=s)

    def rdata(self, name, rdtype="A", **kw):
        """Rdata of the answer section in its order, CNAMEs included; NOERROR or an AssertionError."""
        r = self.ask(name, rdtype, **kw)
        assert r.rcode() == dns.rcode.NOERROR, r
        return [rd.to_text() for rrset in r.answer for rd in rrset]

    def draw(self, name, n, rdtype="A"):
        """Ask n times over one UDP socket; Counter of answers, each the tuple of its rdata in order."""
        with Asker(self, name, rdtype) as asker:
            return collections.Counter(asker.ask() for _ in range(n))

    # -- gtmctl --

    def ctl(self, *args, stdin=None, timeout=20.0, env=None):
        """gtmctl over the control socket: CompletedProcess with text."""
        return subprocess.run([GTMCTL, "--data-dir", self.dir, *args], input=stdin, capture_output=True, text=True,
                              timeout=timeout * SLOW, env=dict(os.environ, NO_COLOR="1", LC_ALL="C", **(env or {})))



class Asker:
    """The same question again and again, as fast as Python goes; the answer is read without building a Message."""

    def __init__(self, gtm, name, rdtype="A", timeout=3.0):
        q = dns.message.make_query(name, rdtype)
        q.flags = 0
        self._query = q.to_wire()[2:]
        self._id = random.randrange(65536)
        self._texts = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(timeout * SLOW)
        self.socket.connect(gtm.dns)

    def send(self):
        self._id = (self._id + 1) & 0xffff
        self.socket.send(struct.pack("!H", self._id) + self._query)

    def receive(self):
        while True:
            wire = self.socket.recv(65535)
            if struct.unpack_from("!H", wire)[0] == self._id:
                break
        key = wire[2:]
        if key not in self._texts:
            m = dns.message.from_wire(wire)
            assert m.rcode() == dns.rcode.NOERROR, m
            if len(self._texts) > 4096:
                self._texts.clear()
            self._texts[key] = tuple(_in_order(m))
        return self._texts[key]

    def ask(self):
        self.send()
        return self.receive()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def _in_order(message):
    return [rd.to_text() for rrset in message.answer for rd in rrset]


# ---- specs and scenes ----

FAST = {"protocol": "tcp", "interval": "100ms", "timeout": "90ms", "recheck": "50ms", "fall": 2, "rise": 1}


def zone_text(origin="cloud-example.com", more=""):
    return """$ORIGIN %s.
$TTL 300
@       IN SOA ns1 hostmaster 1 3600 600 86400 60
@       IN NS  ns1
@       IN NS  ns2
ns1     IN A   192.0.2.53
ns2     IN A   192.0.2.54
www     IN A   192.0.2.80
www     IN AAAA 2001:db8::80
www     IN TXT "from the zone"
%s
""" % (origin, more)


def url(name):
    return urllib.parse.quote(name, safe="")


class Scene:
    """Pools of backends under one domain, put step by step (tests of from-scenario do not use it)."""

    def __init__(self, world, gtm, sites, template=None, name="www.cloud-example.com", zone=True):
        """sites: {pool: number of addresses, or list of Backends}."""
        self.gtm, self.name = gtm, name
        self.backends, self.values = {}, {}
        if zone:
            gtm.zone(name.split(".", 1)[1], zone_text(name.split(".", 1)[1]))
        gtm.put("templates/fast", dict(FAST, **(template or {})))
        for pool, members in sites.items():
            if isinstance(members, int):
                members = [world.backend(kind="tcp") for _ in range(members)]
            self.backends[pool] = members
            self.values[pool] = [b.ip for b in members]
            for i, b in enumerate(members):
                gtm.put("addresses/%s-%d" % (pool, i + 1), {
                    "type": "ipv4", "value": b.ip, "checks": [{"template": "fast", "port": b.port}]})
            gtm.put("pools/" + pool, {"type": "ipv4", "strategy": "round_robin", "addresses": [
                {"address": "%s-%d" % (pool, i + 1)} for i in range(len(members))]})

    def domain(self, strategy="weight", weights=None, rdtype="A", **spec):
        links = [dict({"pool": p}, **({"weight": weights[i]} if weights else {})) for i, p in enumerate(self.backends)]
        return self.gtm.put("domains/%s/%s" % (self.name, rdtype),
                            dict({"enabled": True, "ttl": 1, "strategy": strategy, "pools": links}, **spec))

    def answers(self):
        return self.gtm.rdata(self.name)

    def down(self, pool, index=0, wait=True):
        b = self.backends[pool][index]
        at = b.refuse()
        if wait:
            self.gtm.until_health("addresses/%s-%d" % (pool, index + 1), "exceptional")
        return at

    def up(self, pool, index=0, wait=True):
        self.backends[pool][index].accept()
        if wait:
            self.gtm.until_health("addresses/%s-%d" % (pool, index + 1), "ok")
