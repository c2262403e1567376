# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology as SVG: images, gateways with their portals, hosts. Colours are the page's (classes); every state has a shape, too."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


try:
    from html import escape
except ImportError:
    from cgi import escape  # pylint: disable=deprecated-module,no-name-in-module

from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_nodes as model

NODE, PORT, GAP = 46, 20, 14  # heights of a node and a portal's row, and the room between two nodes
MARK = {model.PART: 'degraded', model.BAD: 'broken'}
# In the narrow drawing more signs than these between two columns would hide each other and the lines: there dashes say it.
MARKS = 4
# Width of an average character in ems, of the widest of usual fonts.
EM = 0.62

# Signs that stand for a state in the whole page, 16 by 16.
SIGNS = """<svg width="0" height="0" class="signs" aria-hidden="true"><defs>
<symbol id="s-healthy" viewBox="0 0 16 16"><circle class="f-healthy" cx="8" cy="8" r="7.5"/><path class="ink" d="M4.4 8.3l2.5 2.5 4.7-5"/></symbol>
<symbol id="s-degraded" viewBox="0 0 16 16"><path class="f-degraded" d="M8 .8l7.6 13.9H.4z"/><path class="ink" d="M8 5.6v4.2M8 12.2v.4"/></symbol>
<symbol id="s-broken" viewBox="0 0 16 16"><path class="f-broken" d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/>
<path class="ink" d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/></symbol>
<symbol id="s-unknown" viewBox="0 0 16 16"><circle class="o-unknown" cx="8" cy="8" r="6.8"/><path class="k-unknown" d="M4.8 8h6.4"/></symbol>
</defs></svg>"""


class Layout(object):
    """width: of the drawing; columns: [(left edge, width)] of images, gateways, hosts; size: of the text"""

    def __init__(self, width, columns, size, padding):
        self.width, self.columns, self.size, self.padding = width, columns, size, padding


WIDE = Layout(1080, [(0, 250), (410, 260), (830, 250)], 14, 12)
# A tablet, and paper.
MEDIUM = Layout(700, [(0, 186), (264, 190), (534, 166)], 13, 9)
NARROW = Layout(358, [(0, 100), (125, 112), (262, 96)], 11, 6)


def fit(text, room, size):
    """A text that is no wider than C(room); what is left out is in its middle, for names differ at both ends."""
    most = max(3, int(room / (size * EM)))
    if len(text) <= most:
        return text
    head = (most - 1 + 1) // 2
    return text[:head] + u'\u2026' + text[len(text) - (most - 1 - head):]


def draw(document, layout):
    """An <svg> element."""
    columns = model.nodes(document)
    heights = [sum(_height(node) + GAP for node in column) - GAP for column in columns]
    total = max(heights + [NODE]) + 30
    places = [_places(column, 30 + (total - 30 - height) // 2) for column, height in zip(columns, heights)]
    parts = [_heading(layout, number, text, column) for number, (text, column) in enumerate(zip(('Images', 'Gateways', 'Hosts'), columns))]
    lines, marks = _lines(layout, columns, places)
    parts += lines + marks
    for number, column in enumerate(columns):
        for node, top in zip(column, places[number]):
            parts += _node(layout, layout.columns[number], node, top)
    return '<svg class="map" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">%s</svg>' % (
        layout.width, total + 2, layout.width, total + 2, escape(describe(document), True), ''.join(parts))


def describe(document):
    summary = document['summary']
    return 'Drawing of %d images, %d gateways and %d hosts. %s' % (
        summary['images']['all'], summary['gateways']['all'], summary['hosts']['all'], document['headline'])


def _height(node):
    return NODE + len(node.ports) * PORT + (4 if node.ports or not node.alone else 0)


def _places(column, top):
    found = []
    for node in column:
        found.append(top)
        top += _height(node) + GAP
    return found


def _heading(layout, number, text, column):
    left, dummy = layout.columns[number]
    return '<text class="head" x="%d" y="14" font-size="%d">%s</text>' % (left + 1, layout.size - 1, text if column else text + ': none')


def _node(layout, place, node, top):
    left, width = place
    size, pad = layout.size, layout.padding
    room = width - 2 * pad - size - 5
    parts = ['<g><title>%s: %s, %s</title>' % (escape(node.label), node.health, escape(node.detail))]
    if not node.alone:
        parts.append('<rect class="stack b-%s" x="%d" y="%d" width="%d" height="%d" rx="8"/>' % (node.health, left + 3, top + 4, width - 6, NODE))
    parts.append('<rect class="node b-%s" x="%s" y="%s" width="%d" height="%d" rx="8"/>' % (
        node.health, left + 0.5, top + 0.5, width - 1, (_height(node) if node.alone else NODE) - 1))
    parts.append('<use href="#s-%s" x="%d" y="%d" width="%d" height="%d"/>' % (node.health, left + pad, top + 10, size, size))
    parts.append('<text class="name" x="%d" y="%d" font-size="%d">%s</text>' % (
        left + pad + size + 5, top + 10 + size - 2, size, escape(fit(node.name if layout is NARROW else node.label, room, size * 1.06))))
    parts.append('<text class="soft" x="%d" y="%d" font-size="%d">%s</text>' % (
        left + pad + size + 5, top + 38, size - 2, escape(fit(node.short if layout is NARROW else node.detail, room, size - 2))))
    for number, text in enumerate(node.ports):
        y = top + NODE + number * PORT
        parts.append('<path class="rule" d="M%d %.1fH%d"/>' % (left + pad, y - 0.5, left + width - pad))
        parts.append('<text class="soft" x="%d" y="%d" font-size="%d">%s</text>' % (
            left + pad, y + 14, size - 2, escape(fit(str(text), width - 2 * pad - 10, size - 2))))
        parts.append('<circle class="port" cx="%s" cy="%d" r="3.5"/>' % (left + width - 0.5, y + 10))
    return parts + ['</g>']


def _lines(layout, columns, places):
    """(lines, marks); those of what is not well come last, on top of the others."""
    images, gateways, hosts = columns
    found = []
    for row, image in enumerate(images):
        for column, gateway in enumerate(gateways):
            state, preferred = model.exports(image, gateway)
            found.append((state, preferred, _right(layout, 0), places[0][row] + NODE / 2.0,
                          layout.columns[1][0], places[1][column] + NODE / 2.0, column / float(len(gateways))))
    for column, gateway in enumerate(gateways):
        for number in range(max(1, len(gateway.ports))):
            y = places[1][column] + (NODE + number * PORT + 10 if gateway.ports else NODE / 2.0)
            for row, host in enumerate(hosts):
                found.append((model.sessions(gateway, number, host), False, _right(layout, 1) + 3, y,
                              layout.columns[2][0], places[2][row] + NODE / 2.0, row / float(len(hosts))))
    found = [line for line in found if line[0] is not None]
    found.sort(key=lambda line: (model.OPEN, model.OK, model.PART, model.BAD).index(line[0]))
    marked = [line for line in found if line[0] in MARK]
    if layout is NARROW:
        crowds = [[line for line in marked if (line[2] < layout.columns[1][0]) == left] for left in (True, False)]
        marked = [line for crowd in crowds if len(crowd) <= MARKS for line in crowd]
    return [_line(*line[:6]) for line in found], [_mark(layout, *line) for line in marked]


def _right(layout, number):
    left, width = layout.columns[number]
    return left + width


def _line(state, preferred, x1, y1, x2, y2):
    middle = (x1 + x2) / 2.0
    return '<path class="l-%s%s" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f"/>' % (
        state, ' main' if preferred and state == model.OK else '', x1, y1, middle, y1, middle, y2, x2, y2)


def _mark(layout, state, dummy, x1, y1, x2, y2, where):
    """The sign of a line that is not well, near its left end, where lines are apart; those of one end at different places."""
    t = 0.2 + 0.5 * where
    middle = (x1 + x2) / 2.0
    x = (1 - t) ** 3 * x1 + 3 * (1 - t) ** 2 * t * middle + 3 * (1 - t) * t ** 2 * middle + t ** 3 * x2
    y = (1 - t) ** 3 * y1 + 3 * (1 - t) ** 2 * t * y1 + 3 * (1 - t) * t ** 2 * y2 + t ** 3 * y2
    size = {WIDE: 14, MEDIUM: 12}.get(layout, 10)
    return '<use href="#s-%s" x="%.1f" y="%.1f" width="%d" height="%d"/>' % (MARK[state], x - size / 2.0, y - size / 2.0, size, size)
