# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a difference, and which differences are accepted.

A reply has aspects: reply (came at all), opcode, rcode, aa, tc, rd, edns, question, answer, authority, additional,
twice (a record more than once). gtmd differs in an aspect if two peers at least agree and gtmd does not, or if all the
peers differ and gtmd is with none of them. But
  - sections of truncated replies are not compared; the same question is asked by TCP;
  - additional data is each server's choice: ours has what all peers have, and nothing that no peer has.

accepted.yaml lists the differences that are meant, each with its reason; one that nothing matches is an error, too.
"""
import collections
import re

import wire

ASPECTS = ("opcode", "rcode", "aa", "tc", "rd", "edns", "question", "answer", "authority", "twice")
SECTIONS = ("answer", "authority", "additional")

Difference = collections.namedtuple("Difference", "query transport aspect ours theirs")


def parse(raw):
    if raw is None:
        return None
    try:
        return wire.parse(raw)
    except (ValueError, IndexError, wire.struct.error) as e:
        return "broken: %s" % e


def majority(values):
    """(value, True) if two at least agree."""
    value, n = collections.Counter(values).most_common(1)[0]
    return value, n >= 2


def _is(reply):
    return "none" if reply is None else "reply" if isinstance(reply, wire.Reply) else reply


def _aspects(ours, peers):
    """(aspect, our value, the peers' values); stops where the rest makes no sense."""
    yield "reply", _is(ours), [_is(p) for p in peers]
    peers = [p for p in peers if isinstance(p, wire.Reply)]
    if not isinstance(ours, wire.Reply) or not peers:
        return
    cut = ours.tc or any(p.tc for p in peers)
    for aspect in ASPECTS:
        if not (cut and aspect in SECTIONS):
            yield aspect, getattr(ours, aspect), [getattr(p, aspect) for p in peers]


def additional(ours, peers):
    """What is wrong with our additional section, in the peers' eyes: (records too many, records missing)."""
    peers = [p for p in peers if isinstance(p, wire.Reply)]
    if not isinstance(ours, wire.Reply) or not peers or ours.tc or any(p.tc for p in peers):
        return frozenset(), frozenset()
    sets = [p.additional for p in peers]
    return ours.additional - frozenset.union(*sets), frozenset.intersection(*sets) - ours.additional


def differences(query, transport, ours, peers):
    for aspect, mine, theirs in _aspects(ours, peers):
        value, agreed = majority(theirs)
        if mine != value and (agreed or mine not in theirs):
            yield Difference(query, transport, aspect, mine, value if agreed else tuple(theirs))
    more, fewer = additional(ours, peers)
    if more:
        yield Difference(query, transport, "additional-more", more, frozenset())
    if fewer:
        yield Difference(query, transport, "additional-fewer", frozenset(), fewer)


def strays(peers):
    """(index of peer, aspect) where one peer is alone against the others."""
    for i, peer in enumerate(peers):
        others = peers[:i] + peers[i + 1:]
        for aspect, value, theirs in _aspects(peer, others):
            if len(set(theirs)) == 1 and len(theirs) == 2 and value != theirs[0]:
                yield i, aspect


# ---- rules ----

def show(value):
    """A value as rules match it and people read it."""
    if isinstance(value, frozenset):
        return " | ".join(sorted(wire.record_text(r) for r in value)) or "empty"
    if isinstance(value, tuple) and value and not isinstance(value[0], int):
        return "split: " + " // ".join(show(v) for v in value)
    if isinstance(value, bytes):
        return value.hex()
    return {True: "yes", False: "no", None: "none"}.get(value, str(value))


def whole_rrset(d):
    """Ours is one RRset of theirs."""
    sets = d.theirs if isinstance(d.theirs, tuple) else (d.theirs,)
    types = {r.type for r in d.ours if r.type != 46}
    return len(types) == 1 and any(d.ours <= s for s in sets)


def subset(d):
    return any(d.ours <= s for s in (d.theirs if isinstance(d.theirs, tuple) else (d.theirs,)))


def superset(d):
    return any(d.ours >= s for s in (d.theirs if isinstance(d.theirs, tuple) else (d.theirs,)))


def same_but_ttl(d):
    def timeless(records):
        return {r._replace(ttl=0) for r in records}
    return any(timeless(d.ours) == timeless(s) for s in (d.theirs if isinstance(d.theirs, tuple) else (d.theirs,)))


RELATIONS = {"one RRset of theirs": whole_rrset, "same but for TTL": same_but_ttl, "subset": subset, "superset": superset}
KEYS = {"zone", "name", "type", "variant", "transport", "aspect", "ours", "theirs", "relation"}


class Rule:
    def __init__(self, spec):
        self.id, self.reason, self.when = spec["id"], spec["reason"], spec["when"]
        assert set(spec) == {"id", "reason", "when"} and set(self.when) <= KEYS, spec
        self.relation = RELATIONS[self.when["relation"]] if "relation" in self.when else None
        self.patterns = [(k, re.compile(str(v))) for k, v in self.when.items() if k != "relation"]
        self.matched = 0

    def matches(self, d):
        q = d.query
        of = {"zone": lambda: q.zone, "name": lambda: wire.name_text(q.labels).lower(), "type": lambda: wire.type_text(q.qtype),
              "variant": lambda: q.variant, "transport": lambda: d.transport, "aspect": lambda: d.aspect,
              "ours": lambda: show(d.ours), "theirs": lambda: show(d.theirs)}
        if not all(p.fullmatch(of[k]()) for k, p in self.patterns) or self.relation and not self.relation(d):
            return False
        self.matched += 1
        return True


def tell(d):
    q = d.query
    return "%s %s %s by %s\n      ours:   %s\n      theirs: %s" % (
        wire.name_text(q.labels), wire.type_text(q.qtype), q.variant, d.transport, show(d.ours)[:600], show(d.theirs)[:600])


def report(found, examples=3):
    """Differences in groups, the largest first."""
    groups = collections.defaultdict(list)
    for d in found:
        brief = (show(d.ours)[:12], show(d.theirs)[:12]) if d.aspect not in SECTIONS else ()
        groups[(d.aspect, d.query.zone) + brief].append(d)
    lines = ["%d differences in %d groups" % (len(found), len(groups))]
    for key, ds in sorted(groups.items(), key=lambda g: -len(g[1])):
        lines.append("  %d x %s" % (len(ds), " ".join(key)))
        lines += ["    " + tell(d) for d in ds[:examples]]
    return "\n".join(lines)
