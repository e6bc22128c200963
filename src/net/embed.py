#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""usage: embed.py FILE NAME OUT: a C header that defines NAME, an array of FILE's bytes."""
import sys

file, name, out = sys.argv[1:]
with open(file, 'rb') as f:
    data = f.read()
with open(out, 'w') as f:
    f.write('static const unsigned char %s[%d] = {\n' % (name, len(data)))
    for at in range(0, len(data), 16):
        f.write('\t%s,\n' % ', '.join('0x%02x' % b for b in data[at:at + 16]))
    f.write('};\n')
