# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipath.conf as a document: lines that mean something, between lines that are kept as they are.

The rules are those of multipath-tools' own parser (libmpathutil/parser.c, 0.9.4), which reads
line by line:

- a line is a keyword and a value; the value is one word or a text in double quotes, in which
  "" stands for one quote
- "#" and "!" begin a comment, also after a value; bytes that are not ASCII are blanks
  outside quotes
- a keyword that names a section opens it, whether or not a brace follows on the line; what stands
  behind that brace is ignored. A line that begins with "}" closes the innermost section.
  So braces must stand at the end and at the beginning of lines.
- of several lines with one keyword, and of several sections with one name, all are read in order and
  the last value wins
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

# Which keywords open a section, by the section that they stand in. "protocol" within "overrides" is
# one since 0.9.3, within the blacklists it is a value.
SUBSECTIONS = {
    None: ('defaults', 'blacklist', 'blacklist_exceptions', 'devices', 'overrides', 'multipaths'),
    'devices': ('device',),
    'blacklist': ('device',),
    'blacklist_exceptions': ('device',),
    'multipaths': ('multipath',),
    'overrides': ('protocol',),
}


# isspace() of the C locale. Python's own takes more characters for blanks.
BLANKS = ' \t\n\v\f\r'


class Line(object):
    """What one line means.

    keyword: None for a blank line or a comment; C({) or C(}) for a brace; a quoted text is no keyword
             that multipath would know, and shows as C(")
    value:   None when there is none
    span:    where the value stands in the line, with its quotes: [start, stop)
    """

    def __init__(self, raw):
        text = _cut(raw)
        self.keyword = self.value = self.span = None
        position = _skip_blank(text, 0)
        if _ends(text, position):
            return
        quoted_keyword = text[position] == '"'
        self.keyword, position = _word(text, position)
        if quoted_keyword:
            self.keyword = '"'
        start = _skip_blank(text, position)
        if not _ends(text, start) and text[start] != '{':
            self.value, position = _word(text, start)
            self.span = (start, position)


def _cut(raw):
    """The part of a line that multipath reads: it ends at the first CR behind any text (strtok_r)."""
    text = raw.rstrip('\n')
    start = len(text) - len(text.lstrip('\r'))
    stop = text.find('\r', start)
    return text if stop < 0 else text[:stop]


def _ends(text, position):
    return position >= len(text) or text[position] in '!#'


def _skip_blank(text, position):
    while position < len(text) and (text[position] in BLANKS or ord(text[position]) > 127):
        position += 1
    return position


def _word(text, position):
    """A brace, a quoted text without its quotes, or a bare word; and the position after it."""
    if text[position] in '{}':
        return text[position], position + 1
    if text[position] == '"':
        position += 1
        word = ''
        while position < len(text):
            if text[position] == '"':
                if text[position + 1:position + 2] != '"':
                    return word, position + 1
                position += 1
            word += text[position]
            position += 1
        return word, position
    start = position
    while position < len(text) and text[position] not in BLANKS and text[position] not in '!#{}"' \
            and ord(text[position]) < 128:
        position += 1
    return text[start:position], position


def quoted(value):
    """A value as it is written; numbers and single plain words without quotes, as in the manual page."""
    if re.match(r'[A-Za-z0-9_.-]+\Z', value):
        return value
    return '"%s"' % value.replace('"', '""')


class Entry(object):
    """A keyword with a value, on line C(line) (an index)."""

    def __init__(self, line, keyword, value):
        self.line = line
        self.keyword = keyword
        self.value = value


class Section(object):
    """A section. first, last: indices of the lines that open and close it (the document itself: none)."""

    def __init__(self, name, first):
        self.name = name
        self.first = first
        self.last = None
        self.entries = []
        self.sections = []

    def value(self, keyword):
        """The value that multipath takes, or None."""
        found = [entry.value for entry in self.entries if entry.keyword == keyword]
        return found[-1] if found else None


class Document(object):
    """The text of multipath.conf. Lines keep their ends, so that C(text) gives back every byte."""

    def __init__(self, text):
        self.lines = _split(text)
        self._read()

    @property
    def text(self):
        return ''.join(self.lines)

    def _read(self):
        self.top = Section(None, None)
        open_sections = [self.top]
        for index, line in enumerate(self.lines):
            meaning = Line(line)
            keyword, value = meaning.keyword, meaning.value
            here = open_sections[-1]
            if keyword is None or keyword == '{':
                continue
            if keyword == '}':
                # One too many is a warning for multipath, and ignored.
                if len(open_sections) > 1:
                    open_sections.pop().last = index
            elif keyword in SUBSECTIONS.get(here.name, ()):
                section = Section(keyword, index)
                here.sections.append(section)
                open_sections.append(section)
            elif value is not None:
                here.entries.append(Entry(index, keyword, value))
        self.unclosed = open_sections[1:]

    def sections(self, name, inside=None):
        """Sections of a name, in order, over all the sections that they may stand in."""
        parents = [self.top] if inside is None else self.sections(inside)
        return [section for parent in parents for section in parent.sections if section.name == name]

    def check_editable(self):
        if self.unclosed:
            section = self.unclosed[-1]
            raise Refused('multipath.conf line %d: the section "%s" is never closed, so new entries would land in '
                          'the wrong place. Add a line with "}" where it ends: to multipath a brace must stand at the '
                          'end of a line ("{") or at its beginning ("}").' % (section.first + 1, section.name))

    def insert(self, index, lines):
        if index > 0 and not self.lines[index - 1].endswith('\n'):
            self.lines[index - 1] += '\n'
        self.lines[index:index] = lines
        self._read()

    def replace(self, index, line):
        self.lines[index] = line
        self._read()

    def delete(self, first, last):
        """Remove lines first to last, both included."""
        del self.lines[first:last + 1]
        self._read()

    def indent(self, section):
        """The indent of a section's own lines, taken from what stands there, else a step deeper."""
        for entry in section.entries:
            return _leading(self.lines[entry.line])
        for child in section.sections:
            return _leading(self.lines[child.first])
        if section.first is None:
            return ''
        return _leading(self.lines[section.first]) + ('\t' if any(
            line.startswith('\t') for line in self.lines) else '    ')


def _split(text):
    """Lines that end with LF only: str.splitlines cuts at CR, form feeds and more."""
    parts = text.split('\n')
    return [part + '\n' for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _leading(line):
    return line[:len(line) - len(line.lstrip(' \t'))]
