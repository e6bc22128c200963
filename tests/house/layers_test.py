#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who includes whom, against src/LAYERS; and the proof that this check catches what it should.

usage: layers_test.py [source root]
"""

import pathlib
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE = re.compile(r'(\w+)\s+(\d+):\s*((?:\w+\s*)*)')
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]*)"', re.MULTILINE)
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)


def read_layers(src):
    """{room: (level, {rooms it sees})}, and what is wrong with the file itself."""
    layers, problems = {}, []
    for number, line in enumerate((src / 'LAYERS').read_text().splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        match = LINE.fullmatch(line)
        if not match:
            problems.append(f'LAYERS:{number}: not "room level: rooms": {line}')
        elif match[1] in layers:
            problems.append(f'LAYERS:{number}: {match[1]} is listed twice')
        else:
            layers[match[1]] = (int(match[2]), set(match[3].split()))
    for room, (level, sees) in layers.items():
        for other in sorted(sees):
            if other not in layers:
                problems.append(f'LAYERS: {room} sees {other}, which is not listed')
            elif layers[other][0] >= level:
                problems.append(f'LAYERS: {room} ({level}) sees {other} ({layers[other][0]}), '
                                'which is not on a lower level')
    return layers, problems


def check_folders(src, layers):
    folders = {p.name for p in src.iterdir() if p.is_dir()}
    yield from (f'src/{name}/: not listed in LAYERS' for name in sorted(folders - set(layers)))
    yield from (f'LAYERS: {name} has no folder' for name in sorted(set(layers) - folders))
    for path in sorted(src.glob('*.[ch]')):
        yield f'src/{path.name}: in no room'


def includes_of(path):
    return INCLUDE.findall(COMMENT.sub('', path.read_text(errors='replace')))


def check_includes(src, layers):
    for path in sorted(src.rglob('*.[ch]')):
        name = path.relative_to(src).as_posix()
        room = name.split('/')[0]
        for target in includes_of(path):
            parts = target.split('/')
            if len(parts) < 2 or parts[0] not in layers or '..' in parts:
                yield f'src/{name}: "{target}" is not written as "room/file.h"'
            elif room in layers and parts[0] not in layers[room][1] | {room}:
                yield f'src/{name}: {room} must not see {parts[0]} ("{target}")'


def check_cycles(src):
    """Depth first over the headers; a header met again on the way down closes a cycle."""
    headers = {p.relative_to(src).as_posix(): includes_of(p) for p in sorted(src.rglob('*.h'))}
    done, problems = set(), []

    def visit(name, way):
        if name in way:
            problems.append('cycle: ' + ' -> '.join(way[way.index(name):] + [name]))
        elif name in headers and name not in done:
            for target in headers[name]:
                visit(target, way + [name])
            done.add(name)

    for name in headers:
        visit(name, [])
    return problems


def check(src):
    layers, problems = read_layers(src)
    return [*problems, *check_folders(src, layers), *check_includes(src, layers),
            *check_cycles(src)]


class Tree(unittest.TestCase):
    def test_src_keeps_its_layers(self):
        problems = check(ROOT / 'src')
        self.assertEqual(problems, [], '\n' + '\n'.join(problems))


class Checker(unittest.TestCase):
    """Small trees, each with one thing wrong."""

    GOOD = {
        'LAYERS': '# rooms\nbase 0:\nnet  1: base # comment\ndns 1: base\napp 2: base net dns\n',
        'base/list.h': '#include <stdio.h>\n',
        'base/buf.h': '#include "base/list.h"\n',
        'base/buf.c': '#include "base/buf.h"\n',
        'net/addr.h': '#include "base/buf.h"\n/* not\n#include "app/main.h"\n*/\n',
        'net/addr.c': '#include "net/addr.h"\n',
        'dns/name.h': '',
        'app/main.c': '#include "net/addr.h"\n#  include "dns/name.h"\n',
    }

    def check_tree(self, files):
        with tempfile.TemporaryDirectory() as folder:
            src = pathlib.Path(folder)
            for name, text in files.items():
                (src / name).parent.mkdir(parents=True, exist_ok=True)
                (src / name).write_text(text)
            return check(src)

    def assert_caught(self, changes, *expected):
        self.assertEqual(self.check_tree({**self.GOOD, **changes}), list(expected))

    def test_a_good_tree_passes(self):
        self.assert_caught({})

    def test_a_higher_room(self):
        self.assert_caught({'base/up.c': '#include "net/addr.h"\n'},
                           'src/base/up.c: base must not see net ("net/addr.h")')

    def test_a_room_beside(self):
        self.assert_caught({'net/side.h': '#include "dns/name.h"\n'},
                           'src/net/side.h: net must not see dns ("dns/name.h")')

    def test_a_lower_room_that_is_not_listed(self):
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'].replace('net dns', 'net')},
                           'src/app/main.c: app must not see dns ("dns/name.h")')

    def test_spellings(self):
        for target in ('list.h', '../base/list.h', 'base/../base/list.h', 'src/base/list.h'):
            self.assert_caught({'base/a.c': f'#include "{target}"\n'},
                               f'src/base/a.c: "{target}" is not written as "room/file.h"')

    def test_cycles(self):
        self.assert_caught({'base/list.h': '#include "base/buf.h"\n'},
                           'cycle: base/buf.h -> base/list.h -> base/buf.h')
        self.assert_caught({'base/list.h': '#include "base/list.h"\n'},
                           'cycle: base/list.h -> base/list.h')

    def test_folders(self):
        self.assert_caught({'util/misc.h': ''}, 'src/util/: not listed in LAYERS')
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'] + 'zone 1: base\n'},
                           'LAYERS: zone has no folder')
        self.assert_caught({'main.c': ''}, 'src/main.c: in no room')

    def test_the_list_itself(self):
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'].replace('dns 1:', 'dns 1: net')},
                           'LAYERS: dns (1) sees net (1), which is not on a lower level')
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'].replace('base net', 'base tls net')},
                           'LAYERS: app sees tls, which is not listed')
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'] + 'net 1: base\n'},
                           'LAYERS:6: net is listed twice')
        self.assert_caught({'LAYERS': self.GOOD['LAYERS'] + 'what is this\n'},
                           'LAYERS:6: not "room level: rooms": what is this')


if __name__ == '__main__':
    if len(sys.argv) > 1:
        ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
