# SPDX-License-Identifier: GPL-3.0-or-later
"""Many queries to several servers at once, pipelined over UDP and TCP. A reply is kept as bytes without its id."""
import contextlib
import select
import socket
import struct
import time

UDP_BATCH, TCP_BATCH = 128, 16
QUIET_S = 1.5  # this long without any reply: those missing are not coming


def _sockets(addresses, source):
    out = []
    for address in addresses:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind((source, 0))
        s.connect(address)
        s.setblocking(False)
        out.append(s)
    return out


def _collect(socks, missing, replies, quiet):
    """Take replies until nothing is missing; missing: per socket, the set of indices that are awaited."""
    poll = select.poll()
    index = {}
    for i, s in enumerate(socks):
        poll.register(s, select.POLLIN)
        index[s.fileno()] = i
    deadline = time.monotonic() + quiet
    while any(missing) and time.monotonic() < deadline:
        for fd, _ in poll.poll(50):
            i = index[fd]
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                while True:
                    data = socks[i].recv(65535)
                    at = struct.unpack_from("!H", data)[0] if len(data) >= 12 else -1
                    if at in missing[i]:
                        missing[i].discard(at)
                        replies[i][at] = data[2:]
                        deadline = time.monotonic() + quiet


def udp(addresses, wires, tries=3, quiet=QUIET_S, source=""):
    """Per address the list of replies, None where none came even to repetition. source: whose address they have."""
    socks = _sockets(addresses, source)
    all_replies = [[None] * len(wires) for _ in addresses]
    for start in range(0, len(wires), UDP_BATCH):
        batch = wires[start:start + UDP_BATCH]
        replies = [{} for _ in addresses]
        missing = [set(range(len(batch))) for _ in addresses]
        for _ in range(tries):
            for i, s in enumerate(socks):
                for at in sorted(missing[i]):
                    with contextlib.suppress(ConnectionRefusedError, BlockingIOError):
                        s.send(struct.pack("!H", at) + batch[at])
            _collect(socks, missing, replies, quiet)
            if not any(missing):
                break
        for i, got in enumerate(replies):
            for at, data in got.items():
                all_replies[i][start + at] = data
    for s in socks:
        s.close()
    return all_replies


def _tcp_batch(address, batch):
    replies = [None] * len(batch)
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=5) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(b"".join(struct.pack("!HH", len(w) + 2, at) + w for at, w in enumerate(batch)))
        with s.makefile("rb") as f:
            for _ in batch:
                head = f.read(2)
                if len(head) < 2:
                    break
                data = f.read(struct.unpack("!H", head)[0])
                replies[struct.unpack_from("!H", data)[0]] = data[2:]
    return replies


def tcp(addresses, wires):
    return [[r for start in range(0, len(wires), TCP_BATCH)
             for r in _tcp_batch(address, wires[start:start + TCP_BATCH])] for address in addresses]
