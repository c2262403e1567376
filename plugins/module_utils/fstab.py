# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fstab as a document: one line for each mount point is ours, every other byte stays (fstab(5))."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

_ESCAPED = ((' ', '\\040'), ('\t', '\\011'), ('\n', '\\012'))


def escape(text):
    text = text.replace('\\', '\\134')
    for character, code in _ESCAPED:
        text = text.replace(character, code)
    return text


def unescape(text):
    return re.sub(r'\\([0-7]{3})', lambda match: chr(int(match.group(1), 8)), text)


def plain(path):
    """A mount point as the kernel tells it: one slash at the beginning, none at the end."""
    return '/' + os.path.normpath(path).lstrip('/') if path.startswith('/') else path


def fields_of(line):
    """The fields of an entry, unescaped; None for a comment, a blank line and what is no entry."""
    # Blanks and tabs only: other bytes that Unicode calls blank are parts of letters here.
    text = line.strip(' \t\r')
    if not text or text.startswith('#'):
        return None
    fields = [unescape(field) for field in re.split('[ \t]+', text)]
    return fields if len(fields) >= 3 else None


def entry_for(text, path):
    """Fields of the entry for a mount point; the last one counts, as systemd takes it. None when there is none."""
    found = [fields for fields in map(fields_of, text.split('\n')) if fields and plain(fields[1]) == path]
    return found[-1] if found else None


def line_for(device, path, fstype, options):
    return ' '.join(escape(field) for field in (device, path, fstype, options)) + ' 0 0'


def with_entry(text, path, line):
    """The text with this line for a mount point, or with none (line: None)."""
    lines = text.split('\n')
    places = [index for index, old in enumerate(lines) if plain((fields_of(old) or ['', ''])[1]) == path]
    for index in reversed(places if line is None else places[:-1]):
        del lines[index]
    if line is not None:
        if places:
            lines[places[-1] - len(places) + 1] = line
        else:
            end = len(lines) - 1 if not lines[-1] else len(lines)
            lines[end:] = [line, '']
    return '\n'.join(lines)
