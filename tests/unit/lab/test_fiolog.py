# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pauses of I/O in fio's latency logs."""
import importlib.util
import pathlib

FILE = pathlib.Path(__file__).parents[3] / 'molecule/shared/lab/fiolog.py'
spec = importlib.util.spec_from_file_location('lab_fiolog', FILE)
fiolog = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fiolog)

# time in ms, latency in ns, direction (0 read, 1 write), block size, offset
LOG = '100, 900000, 1, 4096, 0\n125, 900000, 1, 4096, 8192\n2625, 2500000000, 1, 4096, 4096\n2700, 800000, 0, 4096, 4096\n2650, 800000, 1, 4096, 0\n'


def test_the_longest_pause_lies_between_two_completions_of_writes():
    assert fiolog.longest_pause(fiolog.completions(LOG)) == (2.5, 0.125)


def test_reads_do_not_hide_a_pause_of_writes():
    between = LOG + '1000, 800000, 0, 4096, 0\n'
    assert fiolog.longest_pause(fiolog.completions(between))[0] == 2.5


def test_lines_may_come_out_of_order():
    assert fiolog.completions(LOG) == [0.1, 0.125, 2.625, 2.65]


def test_one_write_tells_nothing_of_pauses():
    assert fiolog.longest_pause([1.0]) is None
