# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples in the documentation: every code block of its Markdown files, with the mark in front of it that says how it is tested.

    <!-- test: KIND WORD... -->

KIND is one of KINDS. A block without a mark has the kind None.
"""
import collections
import pathlib
import re

from markdown_it import MarkdownIt

TOP = pathlib.Path(__file__).resolve().parents[2]
FILES = [TOP / 'README.md', TOP / 'CONTRIBUTING.md'] + sorted((TOP / 'docs').rglob('*.md'))
KINDS = {
    'inventory': 'NAME FILE: a file of the example inventory NAME',
    'vars': 'variables of a site: known, of the right type, and together with the example inventory without contradiction',
    'tasks': 'a list of tasks: their syntax',
    'controller': 'variables of controller.yml',
    'run': 'commands on the control node',
    'env': 'settings of the environment',
    'host': 'ceph, gateway or client: commands there',
    'picture': 'no example',
}
MARK = re.compile(r'<!--\s*test:\s*(.*?)\s*-->')

Block = collections.namedtuple('Block', 'path line kind words text')


def blocks(path):
    """All code blocks of a file. Directives of MyST ({name}) are no code."""
    mark = None
    for token in MarkdownIt().parse(path.read_text(encoding='utf-8')):
        if token.type in ('fence', 'code_block'):
            if not token.info.startswith('{'):
                words = mark.split() if mark else [None]
                yield Block(path.relative_to(TOP), token.map[0] + 1, words[0], words[1:], token.content)
            mark = None
        elif token.type == 'html_block':
            found = MARK.search(token.content)
            mark = found.group(1) if found else mark
        elif token.level == 0:
            mark = None


def every():
    return [block for path in FILES if path.is_file() for block in blocks(path)]


def commands(text):
    """The command lines of a block: those with a prompt, or all when none has one; continued lines joined."""
    lines = re.sub(r'\\\n\s*', '', text).splitlines()
    prompted = [line[2:] for line in lines if line.startswith('$ ')]
    return prompted or [line for line in lines if line.strip()]
