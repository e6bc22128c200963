# SPDX-License-Identifier: GPL-3.0-or-later
"""A network that loses packets, and living targets of every protocol in it. For root alone."""
import asyncio
import contextlib
import ctypes
import os
import ssl
import struct
import subprocess
import threading

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

class Datagrams(asyncio.DatagramProtocol):
    """Gives everything back, to DNS clients as a reply."""
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data[:2] + bytes([data[2] | 0x80]) + data[3:], addr)


async def _say_nothing(reader, writer):
    await reader.read(1)


async def _http(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    await reader.read(1)


def _frame(kind, flags, stream, data=b""):
    return struct.pack("!I", len(data))[1:] + struct.pack("!BBI", kind, flags, stream) + data


def _literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


async def _grpc(reader, writer):
    """Of HTTP/2 just what one call of Health/Check takes: SERVING."""
    await reader.readexactly(24)
    writer.write(_frame(4, 0, 0))
    over = False
    while not over:
        head = await reader.readexactly(9)
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        await reader.readexactly(length)
        if kind == 4 and not flags & 1:
            writer.write(_frame(4, 1, 0))
        over = kind in (0, 1) and flags & 1
    writer.write(_frame(1, 4, 1, b"\x88" + _literal(b"content-type", b"application/grpc")) +
                 _frame(0, 0, 1, b"\0\0\0\0\2\x08\1") + _frame(1, 5, 1, _literal(b"grpc-status", b"0")))
    await writer.drain()
    await reader.read(1)


def _quiet(serve):
    """A client that goes is nothing to talk about, and his going may have been lost, too."""
    async def handle(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ssl.SSLError):
            await asyncio.wait_for(serve(reader, writer), 5)
        writer.transport.abort()
    return handle


STREAMS = {"tcp": (7001, _say_nothing), "http": (7002, _http), "https": (7003, _http), "tls": (7004, _say_nothing),
           "grpc": (7005, _grpc)}
DATAGRAMS = {"udp": 7006, "dns": 7007}
PORTS = dict({p: port for p, (port, _) in STREAMS.items()}, ping=1, **DATAGRAMS)


def ip(i):
    return "127.254.%d.%d" % (i // 250, i % 250 + 1)


class Targets:
    """Every protocol at the first `n` addresses of TARGETS, until stop(); in the namespace of who makes it."""

    def __init__(self, cert, n):
        self.n = n
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert)
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda *_: None)
        self.loop.run_until_complete(self._open())
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    async def _open(self):
        self.servers = [await asyncio.start_server(_quiet(serve), "0.0.0.0", port, backlog=1000, **({"ssl": self.context, "ssl_handshake_timeout": 5}
                                                                    if name in ("https", "tls") else {}))
                        for name, (port, serve) in STREAMS.items()]
        self.datagrams = [(await self.loop.create_datagram_endpoint(Datagrams, (ip(i), port)))[0]
                          for port in DATAGRAMS.values() for i in range(self.n)]

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for s in self.servers + self.datagrams:
            s.close()
        self.loop.run_until_complete(self._end())
        self.loop.close()

    async def _end(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def certificate(directory):
    pem = os.path.join(str(directory), "target.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pem,
                    "-out", pem + ".cert", "-days", "30", "-subj", "/CN=target"], check=True, capture_output=True)
    with open(pem, "a") as f, open(pem + ".cert") as cert:
        f.write(cert.read())
    return pem


def objects(protocol, n, first=0, **rhythm):
    """A template of that protocol and `n` addresses with a check by it; `first`: from which address on."""
    spec = dict(rhythm, protocol=protocol)
    spec.update({"udp": {"talk": {"send": "hello"}}, "dns": {"dns": {"name": "www.example.com", "type": "A"}},
                 "https": {"tls": {"verify": False}}, "tls": {"tls": {"verify": False}},
                 "ping": {"ping": {"packets": 1}}}.get(protocol, {}))
    return [{"kind": "template", "name": protocol, "spec": spec}] + [
        {"kind": "address", "name": "%s%d" % (protocol, i), "spec": {
            "type": "ipv4", "value": ip(first + i), "checks": [{"template": protocol, "port": PORTS[protocol]}]}} for i in range(n)]
