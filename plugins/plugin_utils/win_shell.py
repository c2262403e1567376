# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on a Windows host through PowerShell 2.0, which is all that Server 2008 offers.

Ansible's modules need PowerShell 5.1 there. What a connection can always do is to run one script;
the scripts made here run plain programs and print the exact exit code of each.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import collections
import re

# Printed by the script around the output of each command. PowerShell passes the output of programs on
# line by line, so a mark always has a line of its own.
BEGIN, END = 'cephgate>', 'cephgate<'

# cmd.exe, through which WinRM starts PowerShell, takes 8191 characters; the script is sent as
# base64 of UTF-16, with about 100 characters before it.
LONGEST = 8000

# rc: 0 to 2**32 - 1; None when there is no such program, and for PowerShell expressions
Answer = collections.namedtuple('Answer', 'rc out')


class HostError(EnvironmentError):
    """The host answered, but not as any Windows host with PowerShell 2.0 would."""


def quote(word):
    """A word as a PowerShell string that reaches a program as one unchanged argument.

    Raises ValueError for what Windows PowerShell cannot pass on: it drops empty arguments, and does
    not escape double quotes or a backslash before the quote that it adds.
    """
    if not word:
        raise ValueError('an empty argument cannot be passed to a program on Windows')
    if '"' in word or re.search(r'[\x00-\x1f\x7f]', word) or (re.search(r'\s', word) and word.endswith('\\')):
        raise ValueError('it holds a double quote, a control character or a backslash at its end, which cannot be passed '
                         'to a program on Windows')
    # PowerShell takes the typographic ones for single quotes too.
    return "'%s'" % re.sub("(['\u2018\u2019\u201a\u201b])", r'\1\1', word)


def text(command):
    """A list is a program with its arguments, a string is PowerShell."""
    if isinstance(command, str):
        return command
    return '& ' + ' '.join(quote(word) for word in command)


def script(commands):
    lines = []
    for command in commands:
        # A program that does not exist leaves the exit code of the one before it.
        lines += ['$global:LASTEXITCODE = $null', "'%s'" % BEGIN, text(command), "'%s' + $LASTEXITCODE" % END]
    # The connection would make 0 or 1 of the last exit code.
    return '\r\n'.join(lines + ['exit 0'])


def encoded_length(source):
    return len(base64.b64encode(source.encode('utf-16-le')))


def answers(output, count):
    """The answers in what a script printed."""
    found, lines = [], None
    for line in re.split(r'\r*\n', output):
        if line.strip() == BEGIN:
            lines = []
            continue
        end = re.match(r'^%s(-?\d*)\s*$' % re.escape(END), line)
        if end and lines is not None:
            # 32 bits, shown signed or unsigned depending on who passes them on.
            found.append(Answer(int(end.group(1)) % 2 ** 32 if end.group(1) else None, '\n'.join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
    return found if len(found) == count else None


class Windows(object):
    """All commands go through here.

    execute: callable(script, secret) -> (rc, stdout, stderr), texts; secret: the script must not be logged
    """

    def __init__(self, execute):
        self.execute = execute

    def ask(self, commands):
        """Run commands that only read, in as few calls as the length of a command line allows; their answers."""
        found, batch = [], []
        for command in commands:
            if batch and encoded_length(script(batch + [command])) > LONGEST:
                found += self._call(batch)
                batch = []
            batch.append(command)
        return found + (self._call(batch) if batch else [])

    def run(self, command, secret=False):
        """Run one command that changes something; its answer."""
        return self._call([command], secret)[0]

    def _call(self, commands, secret=False):
        source = script(commands)
        rc, out, err = self.execute(source, secret)
        found = answers(out, len(commands))
        if found is None:
            raise HostError('the host did not run the script that was sent to it (exit code %s): %s. %s' % (
                rc, ' '.join((err or out).split())[:300] or 'no output',
                'PowerShell 2.0 or later is needed; Server 2008 comes with 1.0. Install WMF 3.0 (KB2506146) or 2.0 (KB968930).'
                if 'xecutionPolicy' in err + out else 'Run "PowerShell -NoProfile -Command 1" on the host to see what is wrong.'))
        return found
