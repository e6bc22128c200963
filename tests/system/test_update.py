# SPDX-License-Identifier: GPL-3.0-or-later
"""UPDATE (RFC 2136): changes that come over DNS."""
import os
import signal

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

from gtm import eventually


def raw(gtm, message, tcp=False, timeout=8):
    ask = dns.query.tcp if tcp else dns.query.udp
    return ask(message, gtm.ip, port=gtm.dns[1], timeout=timeout)


def plain(opcode):
    q = dns.message.make_query("cloud-example.com", "SOA")
    q.set_opcode(opcode)
    return q


@pytest.mark.parametrize("tcp", [False, True])
def test_without_control_clients_are_sent_elsewhere(world, tcp):
    gtm = world.gtm()
    os.kill(gtm.pid("control"), signal.SIGSTOP)
    try:
        assert raw(gtm, plain(dns.opcode.NOTIFY), tcp).rcode() == dns.rcode.SERVFAIL, "no answer within 5 s"
    finally:
        os.kill(gtm.pid("control"), signal.SIGCONT)
    eventually(lambda: raw(gtm, plain(dns.opcode.NOTIFY), tcp).rcode() != dns.rcode.SERVFAIL)
