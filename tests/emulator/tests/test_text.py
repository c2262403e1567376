# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's way of cutting and reading text."""
import pytest

from scst_emulator.text import kstrtol, kstrtoul, lexem, strtol, to_kernel, to_user, token, words


@pytest.mark.parametrize('text, expected', [
    ('add n0 0', ['add', 'n0', '0']),
    ('  add\tn0  =0\n', ['add', 'n0', '0']),
    ('read_only=1', ['read_only', '1']),
    ('', []),
    ('a\xa0b', ['a', 'b']),
])
def test_words(text, expected):
    assert words(text) == expected


def test_a_lexem_leaves_what_follows_one_blank():
    assert lexem('add  n0') == ('add', ' n0')


@pytest.mark.parametrize('text, expected', [
    ('a=1; b=2', [('a=1'), (' b=2')]),
    ('a=1;', ['a=1']),
    ('a=1;\n', ['a=1']),
    (';a=1', []),
    ('a=1\nb=2', ['a=1', 'b=2']),
])
def test_parameters_end_at_semicolon_or_newline(text, expected):
    found = []
    while True:
        parameter, text = token(text)
        if parameter is None:
            break
        found.append(parameter)
    assert found == expected


@pytest.mark.parametrize('text, value', [('0', 0), ('010', 8), ('0x10', 16), ('0X1f', 31), ('+5', 5), ('7\n', 7)])
def test_kstrtoul(text, value):
    assert kstrtoul(text) == value


@pytest.mark.parametrize('text', ['', '\n', ' 1', '1 ', '-1', '08', '0x', 'abc', '1\n\n', '18446744073709551616'])
def test_kstrtoul_refuses(text):
    with pytest.raises(OSError):
        kstrtoul(text)


def test_signed():
    assert (kstrtol('-1'), kstrtol('0x7f'), kstrtol('-010')) == (-1, 127, -8)
    for text in ('9223372036854775808', '--1', '-+1', '-'):
        with pytest.raises(OSError):
            kstrtol(text)


def test_strtol_reads_what_it_can():
    assert [strtol(text) for text in ('12abc', 'abc', '-3', '0x1g', ' 7')] == [12, 0, -3, 1, 7]


@pytest.mark.parametrize('text', ['plain', 'uni\u00e9', '\udcff'])
def test_bytes_survive(text):
    assert to_user(to_kernel(text)) == text
