#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""No answer costs a tenth more instructions than bench/query_cost.table says; counted, so load does not matter.

usage: query_cost_test.py QUERY_COST
"""

import pathlib
import shutil
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'bench'))

import query_cost  # noqa: E402

SLACK = 1.10
PROGRAM = ROOT / 'build' / 'bench' / 'query_cost'
SKIP = 77


def problems(table, cost):
    for row in sorted(table.keys() | cost.keys()):
        if row not in table or row not in cost:
            yield f'{row}: not in both the table and the count'
        elif cost[row] > table[row] * SLACK:
            yield f'{row}: {cost[row]:.0f} instructions, {table[row]} in bench/query_cost.table'


class Cost(unittest.TestCase):
    def test_no_answer_costs_more_than_it_did(self):
        cost, _ = query_cost.count(str(PROGRAM), *query_cost.GATE)
        found = list(problems(query_cost.read_table(), cost))
        self.assertEqual(found, [], '\n' + '\n'.join(found) +
                         '\nMeant? python3 bench/query_cost.py --write-table, and say why.')


class Checker(unittest.TestCase):
    def test_a_tenth_is_let_pass(self):
        self.assertEqual(list(problems({'a': 100}, {'a': 110})), [])
        self.assertEqual(len(list(problems({'a': 100}, {'a': 111}))), 1)

    def test_rows_that_came_or_went(self):
        self.assertEqual(len(list(problems({'a': 1, 'b': 1}, {'a': 1}))), 1)
        self.assertEqual(len(list(problems({'a': 1}, {'a': 1, 'b': 1}))), 1)


if __name__ == '__main__':
    if len(sys.argv) > 1:
        PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
    if shutil.which('valgrind') is None:
        print('no valgrind')
        sys.exit(SKIP)
    unittest.main()
