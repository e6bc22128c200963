# SPDX-License-Identifier: GPL-3.0-or-later
"""Two network namespaces with a wire between them: a server in one, its clients in the other.

    wire = Wire()                     interface "srv" at one end, "cli" at the other
    with wire.client: socket(...)     a socket made here stays there
    wire.frames()                     whole Ethernet frames, at the client's end
"""
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import socket
import struct
import subprocess

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()
CLONE_NEWNET = 0x40000000
SIOCETHTOOL, ETHTOOL_SCHANNELS = 0x8946, 0x3d
ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4


def ip(*words, namespace=None):
    r = subprocess.run(["ip"] + (["-n", namespace] if namespace else []) + list(words), capture_output=True, text=True)
    assert r.returncode == 0, "ip %s: %s" % (" ".join(words), r.stderr)
    return r.stdout


def _set_queues(device, n):
    """As ethtool -L DEVICE rx N tx N does."""
    channels = ctypes.create_string_buffer(struct.pack("9I", ETHTOOL_SCHANNELS, 0, 0, 0, 0, n, n, 0, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP16x", device.encode(), ctypes.addressof(channels)))


class Namespace:
    def __init__(self, name):
        self.name = name
        ip("netns", "add", name)
        ip("link", "set", "lo", "up", namespace=name)

    def __enter__(self):
        self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with open("/run/netns/" + self.name) as f:
            self._enter(f.fileno())

    def __exit__(self, *unused):
        self._enter(self._home)
        os.close(self._home)

    def _enter(self, fd):
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def ip(self, *words):
        return ip(*words, namespace=self.name)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]


class Wire:
    SERVER, CLIENT = "10.86.0.1", "10.86.0.2"
    SERVER6, CLIENT6 = "fd86::1", "fd86::2"
    SECOND, SECOND6 = "10.86.0.53", "fd86::53"  # of the server

    def __init__(self, mtu=1500, queues=1):
        name = "gtm%d-%d" % (os.getpid(), next(_numbers))
        self.server, self.client = Namespace(name + "s"), Namespace(name + "c")
        ip("link", "add", "srv", "numrxqueues", str(queues), "numtxqueues", str(queues), "netns", self.server.name, "type",
           "veth", "peer", "name", "cli", "numrxqueues", str(queues), "numtxqueues", str(queues), "netns", self.client.name)
        for n, device in ((self.server, "srv"), (self.client, "cli")):
            if queues > 1:
                with n:
                    _set_queues(device, queues)
        for n, device, addresses in ((self.server, "srv", (self.SERVER, self.SECOND, self.SERVER6, self.SECOND6)),
                                     (self.client, "cli", (self.CLIENT, self.CLIENT6))):
            n.ip("link", "set", device, "mtu", str(mtu), "up")
            for a in addresses:
                if ":" not in a:
                    n.ip("addr", "add", a + "/24", "dev", device)
                elif mtu >= 1280:
                    n.ip("addr", "add", a + "/64", "dev", device, "nodad")

    def close(self):
        for n in (self.server, self.client):
            ip("netns", "del", n.name)

    def has_program(self):
        return "xdp" in json.loads(self.server.ip("-j", "-d", "link", "show", "dev", "srv"))[0]

    def mac(self, namespace, device):
        return bytes.fromhex(json.loads(namespace.ip("-j", "link", "show", "dev", device))[0]["address"].replace(":", ""))

    def frames(self):
        return Frames(self)


class Frames:
    """Whole frames from and to the client's end of the wire."""

    def __init__(self, wire):
        with wire.client:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind(("cli", ETH_P_ALL))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.macs = wire.mac(wire.server, "srv") + wire.mac(wire.client, "cli")

    def send(self, frame):
        self.socket.send(frame)

    def replies(self, timeout):
        """(VLAN tag or None, frame without it) of what comes in."""
        self.socket.settimeout(timeout)
        while True:
            frame, control, _, sender = self.socket.recvmsg(2048, 256)
            if sender[2] == socket.PACKET_OUTGOING:
                continue
            tag = None
            for level, kind, data in control:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, tci = struct.unpack_from("I", data)[0], struct.unpack_from("H", data, 16)[0]
                    tag = tci if status & TP_STATUS_VLAN_VALID else None
            yield tag, frame

    def close(self):
        self.socket.close()


# ---- packets ----

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff ^ total


def udp(source, target, data, sport, dport=53, damage=0, length=None):
    """A datagram; `damage` is added to its checksum."""
    size = 8 + len(data) if length is None else length
    header = struct.pack("!HHH", sport, dport, size)
    pseudo = source + target + struct.pack("!HH", 17, size)
    return header + struct.pack("!H", (checksum(pseudo + header + b"\0\0" + data) + damage) % 65536) + data


def ipv4(source, target, payload, fragment=0, options=b"", ident=1, damage=0, length=None):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, 0,
                         20 + len(options) + len(payload) if length is None else length, ident, fragment, 64, 17, 0)
    whole = header + source + target + options
    return whole[:10] + struct.pack("!H", (checksum(whole) + damage) % 65536) + whole[12:] + payload


def ipv6(source, target, payload, next_header=17):
    return struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + source + target + payload


@contextlib.contextmanager
def closing_all(*things):
    try:
        yield things
    finally:
        for t in things:
            t.close()
