# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones: text in zones/, generated ones, signed ones; all in the same plain form, one record a line.

    Zone.name      "host.test."
    Zone.file      what every server loads, unless
    Zone.raw       there is a text that some servers read themselves: Zone.file_for("named")
    Zone.records   [(owner labels, type text, rdata text)]
"""
import functools
import os
import random
import subprocess

import servers
import wire

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zones")
INCEPTION, EXPIRATION = "20240101000000", "20371231000000"


class Zone:
    def __init__(self, name, file, signed=False):
        self.name, self.file, self.signed = name, file, signed
        self.apex = wire.name(name)
        self.raw, self.readers = None, ()

    def file_for(self, server):
        return self.raw if server in self.readers else self.file

    @functools.cached_property
    def records(self):
        out = []
        with open(self.file, encoding="latin-1") as f:
            for line in f:
                if not line.startswith((";", "\n")):
                    owner, _, _, rrtype, rdata = line.split(None, 4)
                    out.append((wire.name(owner), rrtype, rdata.strip()))
        return out


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, "%s\n%s%s" % (" ".join(command), done.stdout, done.stderr)


def plain(name, source, folder):
    """One record a line, absolute names, nothing left to interpret."""
    file = os.path.join(folder, (name.strip(".") or "root") + ".plain")
    run(servers.program("named-compilezone"), "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-M", "ignore",
        "-S", "ignore", "-r", "ignore", "-W", "ignore", "-s", "full", "-F", "text", "-o", file, name, source)
    return Zone(name, file)


def text(name, folder):
    return plain(name, os.path.join(HERE, (name.strip(".") or "root") + ".zone"), folder)


def raw(name, folder, *readers):
    """zones/raw/: with $GENERATE and $INCLUDE, for the servers that know what there is in it."""
    source = os.path.join(HERE, "raw")
    own = os.path.join(folder, "raw")
    os.makedirs(own, exist_ok=True)
    for file in os.listdir(source):
        with open(os.path.join(source, file)) as f, open(os.path.join(own, file), "w") as out:
            out.write(f.read().replace("@DIR@", own))
    main = os.path.join(own, name.strip(".") + ".zone")
    zone = plain(name, main, folder)
    zone.raw, zone.readers = main, readers
    return zone


def signed(name, folder, *how):
    """zones/signed.test.zone under another name, signed."""
    folder = os.path.join(folder, "sign-" + name.strip("."))
    os.makedirs(folder)
    keygen = [servers.program("dnssec-keygen"), "-q", "-a", "ECDSAP256SHA256", "-K", folder]
    run(*keygen, "-f", "KSK", name)
    run(*keygen, name)
    unsigned = os.path.join(folder, "unsigned")
    with open(os.path.join(HERE, "signed.test.zone")) as f, open(unsigned, "w") as out:
        out.write("$ORIGIN %s\n" % name + f.read())
    big = os.path.join(folder, "signed")
    run(servers.program("dnssec-signzone"), "-q", "-S", "-K", folder, "-d", folder, "-o", name, "-O", "full", "-s", INCEPTION,
        "-e", EXPIRATION, "-f", big, *how, unsigned)
    zone = plain(name, big, folder)
    zone.signed = True
    return zone


def _generated(name, folder, lines):
    file = os.path.join(folder, name.strip(".") + ".generated")
    with open(file, "w") as f:
        f.write("%s 3600 IN SOA ns1.%s hostmaster.%s 1 3600 600 1209600 900\n" % (name, name, name))
        f.write("%s 3600 IN NS ns1.%s\n" % (name, name))
        f.write("ns1.%s 3600 IN A 192.0.2.53\n" % name)
        f.writelines(line + "\n" for line in lines)
    return Zone(name, file)


def tld(name, folder, cuts=5000):
    """Thousands of cuts: every kind of name server, some secure."""
    r = random.Random(name)

    def lines():
        for i in range(cuts):
            cut = "%s%d.%s" % (r.choice(["shop", "a", "bank-", "xn--"]), i, name)
            kind = r.randrange(4)
            if kind == 0:
                servers_ = ["ns1." + cut, "ns2." + cut]
            elif kind == 1:
                servers_ = ["ns%d.hoster.example." % n for n in range(r.randrange(1, 4))] or ["ns.hoster.example."]
            elif kind == 2:
                servers_ = ["ns%d.hoster-%d.%s" % (n, r.randrange(20), name) for n in range(2)]
            else:
                servers_ = ["ns1." + cut, "ns.hoster.example.", "ns1.hoster-1." + name]
            for s in servers_:
                yield "%s 86400 IN NS %s" % (cut, s)
                if s.endswith(cut):
                    yield "%s 86400 IN A 192.0.2.%d" % (s, r.randrange(1, 255))
                    if r.random() < .3:
                        yield "%s 86400 IN AAAA 2001:db8::%x" % (s, r.randrange(1, 65535))
            if r.random() < .3:
                yield "%s 86400 IN DS %d 13 2 %064x" % (cut, r.randrange(65536), r.getrandbits(256))
        for n in range(20):
            hoster = "hoster-%d.%s" % (n, name)
            for s in range(2):
                yield "%s 86400 IN NS ns%d.%s" % (hoster, s, hoster)
                yield "ns%d.%s 86400 IN A 198.51.100.%d" % (s, hoster, n * 2 + s)
    return _generated(name, folder, lines())


def large(name, folder, names=100000):
    """Many names at several depths, with aliases, wildcards, cuts and empty non-terminals among them."""
    r = random.Random(name)

    def lines():
        for i in range(names):
            owner = "h%d.%s%s" % (i, "" if i % 3 else "g%d." % (i % 997), name)
            kind = i % 50
            if kind == 0:
                yield "%s 300 IN CNAME h%d.%s" % (owner, (i + 1) | 1, name)
            elif kind == 1:
                yield "*.%s 300 IN TXT \"%d\"" % (owner, i)
            elif kind == 2:
                yield "%s 300 IN NS ns.%s" % (owner, owner)
                yield "ns.%s 300 IN A 192.0.2.%d" % (owner, i % 256)
            elif kind == 3:
                yield "%s 300 IN MX 10 h%d.%s" % (owner, r.randrange(names), name)
            else:
                yield "%s 300 IN A 10.%d.%d.%d" % (owner, i >> 16 & 255, i >> 8 & 255, i & 255)
    return _generated(name, folder, lines())


def deep(name, folder):
    """As deep and as long as names get."""
    def lines():
        owner = name
        for i in range(110):
            owner = "%x." % (i % 16) + owner
            if i in (3, 20, 64, 65, 66, 109):
                yield "%s 60 IN A 192.0.2.%d" % (owner, i)
            if i == 30:
                yield "*.%s 60 IN TXT \"deep\"" % owner
        label = "l" * 63
        yield "%s.%s.%s.m.%s 60 IN A 192.0.2.200" % (label, label, label, name)
        yield "*.%s.%s.n.%s 60 IN A 192.0.2.201" % (label, label, name)
    return _generated(name, folder, lines())


TEXTS = ("host.test.", "wild.test.", "deleg.test.", "dname.test.", "alias.test.", "types.test.", "parent.test.",
         "child.parent.test.", "far.below.parent.test.", "nocut.nocut.parent.test.")


def worlds(folder):
    """Sets of zones that are served together: in the second one every name has a zone, the root."""
    one = [text(n, folder) for n in TEXTS]
    one += [signed("nsec.test.", folder), signed("nsec3.test.", folder, "-3", "aabbccdd", "-H", "5"),
            signed("optout.test.", folder, "-3", "-", "-H", "0", "-A"),
            tld("tld.test.", folder), large("large.test.", folder), deep("deep.test.", folder)]
    one += [raw("generate.test.", folder, "gtmd", "named"), raw("include.test.", folder, "gtmd", "named", "nsd"),
            raw("both.test.", folder, "gtmd", "named")]
    two = [text(".", folder), tld("tld.test.", folder, 100), text("host.test.", folder), text("alias.test.", folder)]
    return {"zones": one, "root": two}
