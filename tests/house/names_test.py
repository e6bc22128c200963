#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exported symbol begins with the stem of its file: flap_feed lives in verdict/flap.c.

usage: names_test.py [build directory]
"""

import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / 'build'

# 'room/stem': {symbol: why it has a name of its own}
EXEMPT = {
    'base/mem': dict.fromkeys(
        ('xmalloc', 'xcalloc', 'xrealloc', 'xmemdup', 'xstrdup', 'xstrndup', 'xasprintf',
         'xvasprintf'), 'the well-known names of allocation that cannot fail'),
    'model/domain_fields': dict.fromkeys(
        ('strategy_words', 'sequence_mode_words'), 'the words of an enum, named after it'),
    'verdict/health': {'healthy_words': 'the words of enum healthy, named after it'},
}


def read_nm(text):
    """[(object, symbol)] of `nm -g --defined-only` of an archive."""
    member, symbols = None, []
    for line in text.splitlines():
        if line.endswith(':'):
            member = line[:-1].split('/')[-1]
        elif len(line.split()) == 3:
            symbols.append((member, line.split()[2]))
    return symbols


def stem_of(room, member, src):
    """Of the source behind an object; a file in a subfolder has it in the object's name, too."""
    for path in (src / room).rglob('*.c'):
        if member == path.relative_to(src / room).as_posix().replace('/', '_') + '.o':
            return path.stem
    return member.removesuffix('.o').removesuffix('.c').split('_.._')[-1]  # generated


def families(stem):
    """field_group.c may name its symbols field_group_* or, one of a family of files, field_*."""
    words = stem.split('_')
    return tuple('_'.join(words[:n]) + '_' for n in range(1, len(words) + 1))


def check(room, symbols, src, exempt):
    for member, symbol in symbols:
        stem = stem_of(room, member, src)
        if symbol == stem or symbol.startswith((*families(stem), '__')):  # __: the compiler's
            continue
        if symbol not in exempt.get(f'{room}/{stem}', {}):
            yield f'{room}/{stem}: {symbol} begins with no word of its file (reasons: EXEMPT)'


class Names(unittest.TestCase):
    def test_symbols_begin_with_their_file(self):
        archives = sorted(BUILD.glob('src/*/lib*.a'))
        problems = []
        self.assertTrue(archives, f'nothing built in {BUILD}')
        for archive in archives:
            nm = subprocess.run(['nm', '-g', '--defined-only', archive], check=True,
                                capture_output=True, text=True)
            problems += check(archive.parent.name, read_nm(nm.stdout), ROOT / 'src', EXEMPT)
        self.assertEqual(problems, [], '\n' + '\n'.join(problems))


class Checker(unittest.TestCase):
    NM = '''
libbase.a.p/mem.c.o:
0000000000000000 T mem_grow
0000000000000010 T xmalloc
0000000000000020 T grow
                 U malloc

libbase.a.p/rand.c.o:
0000000000000000 T rand_u64
0000000000000000 R randomness
0000000000000000 B __odr_asan.rand_seed
'''

    def test_strangers_are_caught(self):
        exempt = {'base/mem': {'xmalloc': 'well known'}}
        self.assertEqual(list(check('base', read_nm(self.NM), ROOT / 'src', exempt)), [
            'base/mem: grow begins with no word of its file (reasons: EXEMPT)',
            'base/rand: randomness begins with no word of its file (reasons: EXEMPT)',
        ])

    def test_families(self):
        self.assertEqual(families('field_group'), ('field_', 'field_group_'))

    def test_exemptions_are_of_use(self):
        for file, symbols in EXEMPT.items():
            self.assertTrue((ROOT / 'src' / f'{file}.c').is_file(), file)
            text = (ROOT / 'src' / f'{file}.c').read_text()
            for symbol, reason in symbols.items():
                self.assertRegex(text, fr'\b{symbol}[(\[]', f'{file} no longer has {symbol}')
                self.assertTrue(reason)


if __name__ == '__main__':
    if len(sys.argv) > 1:
        BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
