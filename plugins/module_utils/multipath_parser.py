# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What multipath's own parser says of a configuration that is not in place yet.

multipath-tools (0.9.4, and still 0.14) has no option for another file: the name
/etc/multipath.conf is compiled in. So "multipath -t" is run in a mount namespace of its own, in
which /etc is a folder with nothing but the candidate and the other multipath files. It reads no
device and needs no device mapper. It mostly ends with 0; what it thinks of a file it says on
standard error, one line for each complaint.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import tempfile

# $0 is the folder, so that no name has to be quoted.
_SCRIPT = 'mount --bind "$0" /etc && exec multipath -t'

# "894.743295 | /etc/multipath.conf line 3, invalid keyword in the defaults section: foo"
_COMPLAINT = re.compile(r'^(?:[A-Z][a-z]{2} \d+ [0-9:]+|[0-9.]+) \| (.*)$')


class Cannot(EnvironmentError):
    """The parser could not be run."""

    def __str__(self):
        return self.args[0]


class Parser(object):
    """run: callable(argv) -> (exit code, stdout, stderr); etc: where the present files are"""

    def __init__(self, run, etc='/etc'):
        self.run = run
        self.etc = etc

    def complaints(self, candidate, name='multipath.conf'):
        """Texts of what the parser dislikes when the file C(name) below /etc holds C(candidate) (bytes)."""
        folder = tempfile.mkdtemp(prefix='cephgate-multipath-')
        try:
            self._fill(folder, candidate, name)
            code, dummy, err = self.run(['unshare', '--mount', '--propagation', 'private',
                                         'sh', '-c', _SCRIPT, folder])
        finally:
            shutil.rmtree(folder)
        lines = [line for line in err.splitlines() if line.strip()]
        found = [match.group(1) for match in map(_COMPLAINT.match, lines) if match]
        # A file that it rejects as a whole makes it fail, after complaints.
        if code and not found:
            raise Cannot('multipath\'s own parser could not check the new multipath.conf (exit code %d: %s). It needs '
                         'root, unshare and mount. Where that cannot be had, set "validate: false".'
                         % (code, lines[-1] if lines else 'no output'))
        return found

    def _fill(self, folder, candidate, name):
        # multipath takes a missing /etc for a reason to complain of its own.
        os.makedirs(os.path.join(folder, 'multipath', 'conf.d'))
        for below in ('multipath.conf', 'multipath/conf.d'):
            source = os.path.join(self.etc, below)
            if os.path.isfile(source):
                shutil.copyfile(source, os.path.join(folder, below))
            elif os.path.isdir(source):
                for entry in os.listdir(source):
                    if os.path.isfile(os.path.join(source, entry)):
                        shutil.copyfile(os.path.join(source, entry), os.path.join(folder, below, entry))
        with open(os.path.join(folder, name), 'wb') as handle:
            handle.write(candidate)


def without_place(text):
    """A complaint without the line number, which an edit above it changes."""
    return re.sub(r'\bline \d+', 'line', text)


def new_complaints(before, after):
    """Complaints in C(after) that are not in C(before), each counted: old sins of a file are not ours."""
    left = [without_place(text) for text in before]
    found = []
    for text in after:
        if without_place(text) in left:
            left.remove(without_place(text))
        else:
            found.append(text)
    return found
