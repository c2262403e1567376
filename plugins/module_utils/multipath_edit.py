# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits of multipath.conf: each changes the lines that it names and no other, and says what it did."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_document import BLANKS, Line, quoted
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

# The values of blacklist sections that may stand there several times.
LIST_KINDS = ('devnode', 'wwid', 'property', 'protocol')


def value_text(keyword, value):
    """A value as multipath.conf knows it; YAML's yes and no come as booleans."""
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    text = latin(value)
    if '\n' in text or '\r' in text:
        raise Refused('multipath.conf: the value of %s has several lines, and an entry must stand on one. '
                      'Correct it.' % keyword)
    # The parser reads lines of at most 1023 bytes (MAXBUF).
    if len(text) > 900:
        raise Refused('multipath.conf: the value of %s has %d characters; multipath reads at most 1023 of a line. '
                      'Shorten it.' % (keyword, len(text)))
    return text


def latin(value):
    """A value as the document holds text: one character for each byte, so that any file can be read."""
    text = value.decode('utf-8') if isinstance(value, bytes) else u'%s' % value
    return text.encode('utf-8').decode('latin-1')


def shown(text):
    """Text of the document for a person."""
    return text.encode('latin-1').decode('utf-8', 'replace')


class Edits(object):
    """Edits of one document. done: [(object, what happened)], empty when all was there already."""

    def __init__(self, document):
        self.document = document
        self.done = []

    def note(self, thing, action):
        self.done.append((thing, action))

    # sections

    def section(self, name):
        """The last section of a name at the top level, made at the end of the file when there is none."""
        found = self.document.sections(name)
        if not found:
            lines = [] if not self.document.lines or not self.document.lines[-1].strip() else ['\n']
            self.document.insert(len(self.document.lines), lines + ['%s {\n' % name, '}\n'])
            found = self.document.sections(name)
        return found[-1]

    def subsection(self, parent, name, keys):
        """The last subsection with the given key values {keyword: value}, made when there is none.

        A parser that reads all of them in order gives the last one the last word.
        """
        found = self.matching(parent, name, keys)
        if not found:
            outer = self.section(parent)
            indent = self.document.indent(outer)
            inner = indent + ('\t' if indent.startswith('\t') else '    ')
            self.document.insert(outer.last, (
                ['%s%s {\n' % (indent, name)]
                + ['%s%s "%s"\n' % (inner, key, value.replace('"', '""')) for key, value in keys]
                + ['%s}\n' % indent]))
            self.note(self._title(name, keys), 'create')
            found = self.matching(parent, name, keys)
        return found[-1]

    def matching(self, parent, name, keys):
        return [section for section in self.document.sections(name, inside=parent)
                if all(section.value(key) == value for key, value in keys)]

    @staticmethod
    def _title(name, keys):
        return '%s %s' % (name, ' '.join(value for dummy, value in keys))

    # entries

    def set_entries(self, find, title, entries):
        """Give entries {keyword: value, None to remove} to the section that C(find()) returns.

        find is asked again after each change, since line numbers move.
        """
        for keyword in sorted(entries):
            if entries[keyword] is None:
                self._remove_entry(find, title, keyword)
            else:
                self._set_entry(find(), title, keyword, value_text(keyword, entries[keyword]))

    def _set_entry(self, section, title, keyword, value):
        places = [entry for entry in section.entries if entry.keyword == keyword]
        if not places:
            indent = self.document.indent(section)
            self.document.insert(section.last, ['%s%s %s\n' % (indent, keyword, quoted(value))])
            self.note(title, 'set %s to %s' % (keyword, value))
        elif places[-1].value != value:
            line = self.document.lines[places[-1].line]
            self.document.replace(places[-1].line, _with_value(line, value))
            self.note(title, 'set %s to %s (was %s)' % (keyword, value, places[-1].value))

    def _remove_entry(self, find, title, keyword):
        while True:
            places = [entry for entry in find().entries if entry.keyword == keyword]
            if not places:
                return
            self.document.delete(places[-1].line, places[-1].line)
            self.note(title, 'remove %s (was %s)' % (keyword, places[-1].value))

    # whole options of the module

    def plain_section(self, name, entries):
        """C(defaults) or C(overrides)."""
        wanted = dict((key, value) for key, value in entries.items()
                      if value is not None or any(section.value(key) is not None
                                                  for section in self.document.sections(name)))
        if not wanted:
            return
        # Of several sections of one name the last word counts, wherever it stands.
        for keyword in sorted(wanted):
            holding = [index for index, section in enumerate(self.document.sections(name))
                       if section.value(keyword) is not None]
            if wanted[keyword] is None:
                for index in holding:
                    self.set_entries(lambda i=index: self.document.sections(name)[i], name, {keyword: None})
            else:
                self.set_entries(lambda h=holding: self.document.sections(name)[h[-1]] if h else self.section(name),
                                 name, {keyword: wanted[keyword]})

    def named(self, parent, name, keys, entries, state):
        """A C(device) of C(devices) or a C(multipath) of C(multipaths)."""
        if state == 'absent':
            self._remove_sections(parent, name, keys)
            return
        self.subsection(parent, name, keys)
        self.set_entries(lambda: self.matching(parent, name, keys)[-1], self._title(name, keys), entries)

    def _remove_sections(self, parent, name, keys):
        while True:
            found = self.matching(parent, name, keys)
            if not found:
                return
            self.document.delete(found[-1].first, found[-1].last)
            self.note(self._title(name, keys), 'remove')

    def listed(self, parent, kind, value, state):
        """A value of C(blacklist) or C(blacklist_exceptions)."""
        value = value_text(kind, value)
        title = '%s %s' % (parent, kind)
        places = [entry for section in self.document.sections(parent) for entry in section.entries
                  if entry.keyword == kind and entry.value == value]
        if state == 'present' and not places:
            section = self.section(parent)
            self.document.insert(section.last, ['%s%s "%s"\n' % (
                self.document.indent(section), kind, value.replace('"', '""'))])
            self.note(title, 'add %s' % value)
        elif state == 'absent':
            for entry in reversed(places):
                self.document.delete(entry.line, entry.line)
                self.note(title, 'remove %s' % value)


def _with_value(line, value):
    """The line with another value; indent, blanks between, and a comment behind it stay."""
    start, stop = Line(line).span
    # A bare word may be glued to what follows (a#comment), a keyword to a quoted value (vendor"A").
    before = '' if line[start - 1] in BLANKS else ' '
    return line[:start] + before + quoted(value) + line[stop:]
