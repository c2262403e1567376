# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status report as one HTML page: nothing is loaded, nothing runs, one file to send or to keep."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_text as text
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_drawing import MEDIUM, NARROW, SIGNS, WIDE, draw, escape
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import BROKEN, DEGRADED, ORDER, UNKNOWN, count, own, rank
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_nodes import domain
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_style import CSS

# Rows that are open to the eye; healthy ones beyond that fold away.
OPEN = 12
# Rows of the page at all. The JSON file has every object.
MOST = 1500
# Names in a list of what a problem affects.
NAMES = 60


def page(document):
    """The whole page as text."""
    title = 'cephgate: %s: %s' % (document['site'], document['health'])
    return ('<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
            '<title>%s</title><style>%s</style></head><body>%s<main>\n%s\n</main></body></html>\n' % (
                escape(title), CSS.strip(), SIGNS, '\n'.join(_parts(document))))


def sign(health):
    return '<svg class="sign" role="img" aria-label="%s"><use href="#s-%s"/></svg>' % (health, health)


def _parts(document):
    yield '<div class="where"><span>iSCSI site <b>%s</b></span><time>%s</time></div>' % (
        escape(document['site']), escape('%s UTC' % document['time'][:16].replace('T', ' ')))
    yield '<header>%s<div><h1 class="c-%s">%s</h1><p>%s</p></div></header>' % (
        sign(document['health']), document['health'], document['health'].capitalize(), escape(document['headline']))
    yield '<dl class="tiles">%s</dl>' % ''.join(_tile(*entry) for entry in text.tallies(document))
    if document['problems']:
        yield '<h2>What is wrong<small>worst first</small></h2>'
        for problem in document['problems']:
            yield _problem(problem)
    yield '<h2>Who reaches what</h2>'
    yield '<figure>%s%s</figure>' % (''.join(
        draw(document, layout).replace('class="map"', 'class="map %s"' % name) for name, layout in (('wide', WIDE), ('medium', MEDIUM), ('narrow', NARROW))),
        _legend('has the disk' if any(record['agent'] for record in document['gateways']) else 'preferred'))
    for kind, header, row in (('gateways', GATEWAY, _gateway), ('hosts', HOST, _host), ('images', IMAGE, _image)):
        yield '<h2>%s<small>%s</small></h2>' % (kind.capitalize(), _counted(document['summary'][kind]))
        yield _table(header, document[kind], row, kind)
    plans = [_plan(record) for kind in ('gateways', 'hosts') for record in document[kind] if record['drift']]
    if plans:
        yield '<h2>What the site playbook would change<small>planned, not done</small></h2>'
        yield '\n'.join(plans)
    yield ('<footer>Drift is what a run of the site playbook would change. A site is broken when a host has lost a disk or an image is served '
           'by nobody, and degraded when something is not as declared. docs/status.md explains the rest.</footer>')


def _tile(title, good, everything, word, unknown):
    lost = everything - good - unknown
    # A lost one of thousands is still to be seen.
    shares = [(tag, max(1.5, 100.0 * number / everything)) for tag, number in (('i', good), ('u', lost)) if number]
    strip = ''.join('<%s style="width:%.1f%%"></%s>' % (tag, share, tag) for tag, share in shares)
    return '<div class="tile"><dt>%s</dt><dd><b>%d</b> of %d %s</dd><dd class="bar">%s</dd>%s</div>' % (
        title, good, everything, word, strip, '<dd class="quiet">%d not known</dd>' % unknown if unknown else '')


def _problem(problem):
    what = problem['what'].split(' ')[0] if problem['kind'] == 'declaration' else problem['what']
    head = '<h3>%s<span>%s <em>%s, %s</em></span>' % (
        sign(problem['health']), escape(_capital(text.title(problem))), problem['health'], escape(what))
    texts, more = text.reasons(problem, 5)
    lines = ''.join('<li>%s.</li>' % escape(_capital(entry)) for entry in texts) + ('<li class="quiet">and %d more</li>' % more if more else '')
    parts = ['<section class="problem %s">%s</h3><ul>%s</ul>' % (problem['health'], head, lines),
             '<p class="do"><b>To do:</b> %s.</p>' % escape(problem['remedy'])]
    if len(problem['objects']) > 4:
        parts.append('<p class="quiet">%s</p>' % _names(problem['objects']))
    for kind, one, many in (('images', 'image has a gateway less', 'images have a gateway less'),
                            ('hosts', 'host has fewer paths', 'hosts have fewer paths')):
        names = problem['affects'][kind]
        if names:
            parts.append('<p class="quiet">%s: %s</p>' % (count(len(names), one, many), _names(names)))
    return ''.join(parts) + '</section>'


def _names(names):
    more = len(names) - NAMES
    return escape(', '.join(names[:8 if more > 0 else NAMES])) + (' and %d more' % (len(names) - 8) if more > 0 else '')


def _capital(words):
    return words[:1].upper() + words[1:]


def _counted(tally):
    return ', '.join('%d %s' % (tally[health], health) for health in ORDER if tally[health]) or 'none'


def _table(header, records, row, kind):
    records = sorted(records, key=rank)
    if not records:
        return '<p class="quiet">None.</p>'
    # All of a small table is open; of a large one those with a trouble of their own.
    shown = len(records) if len(records) <= OPEN else min(OPEN, len([one for one in records if own(one)]))
    rest, left = records[shown:MOST], len(records[MOST:])
    parts = ['<div class="table">']
    if shown:
        parts.append(_rows(header, records[:shown], row))
    if rest:
        parts.append('<details><summary>%s%s</summary>%s%s</details>' % (
            'and ' if shown else '', text.remaining(records[shown:], kind), _rows(header, rest, row),
            '<p class="quiet">and %d more, in the JSON file</p>' % left if left else ''))
    return ''.join(parts) + '</div>'


def _rows(header, records, row):
    heads = ''.join('<th>%s</th>' % name for name in header)
    return '<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>' % (heads, '\n'.join('<tr>%s</tr>' % ''.join(
        _cell(name, value) for name, value in zip(header, row(record))) for record in records))


def _cell(name, value):
    """A cell; a value that starts with a tag is markup of ours."""
    if value in ('-', ''):
        return '<td class="nil">-</td>'
    if name in ('Gateway', 'Host', 'Image'):
        return '<td%s>%s</td>' % (' class="long"' if len(value) > 24 else '', value)
    # Short values stay in one piece, whatever long ones stand beside them.
    return '<td data-t="%s"><span%s>%s</span></td>' % (name, ' class="w"' if name == 'State' or len(value) <= 13 else '', value)


def _state(record):
    # An icon, a word, and a colour.
    return '<span class="c-%s">%s%s</span>' % (record['health'], sign(record['health']), record['health'])


GATEWAY = ('Gateway', 'State', 'Serves', 'Sessions', 'Service', 'SCST', 'Kernel', 'Portals', 'Drift')


def _gateway(record):
    name, dummy, serves, sessions, service, scst, kernel, drift = [escape(cell) for cell in text.gateway_row(record)]
    return (name, _state(record), serves, sessions, service, scst, kernel, _portals(record['portals']) or '-', drift)


def _portals(portals):
    """Each in one piece, unless it is too long for any table."""
    return ' '.join('<span class="%s">%s%s</span>' % ('p' if len(one) <= 21 else 'p long', escape(one), ',' if place < len(portals) else '')
                    for place, one in enumerate(portals, 1))


HOST = ('Host', 'State', 'System', 'Sessions', 'Paths', 'Disks', 'Drift')


def _host(record):
    name, dummy, kind, sessions, paths, disks, drift = [escape(cell) for cell in text.host_row(record)]
    return (name, _state(record), kind, sessions, paths, disks, drift)


IMAGE = ('Image', 'State', 'Size', 'Preferred', 'Served by', 'Hosts and LUNs')


def _image(record):
    # What gateways' names have in common would leave no room for the rest.
    common = domain(list(record['gateways']))
    served = text.served(record)
    missing = [name for name in record['gateways'] if name not in record['serving']]
    if missing and len(record['gateways']) > 1 and record['serving']:
        served += ', not %s' % text.some(missing, 2)
    return (escape(record['image']), _state(record), escape(human(record['size'])) if record['size'] else '-',
            escape((record['gateway'] or '-').replace(common, '')), escape(served.replace(common, '')), escape(text.seen_by(record)))


def _plan(record):
    lines = ''.join('<li>%s</li>' % escape(line) for line in record['drift'])
    more = '<li class="quiet">and %d more</li>' % record['drift_more'] if record['drift_more'] else ''
    return '<section class="problem degraded"><h3><span>%s</span></h3><ul class="plan">%s%s</ul></section>' % (escape(record['name']), lines, more)


def _key(kind):
    return '<svg width="34" height="10" aria-hidden="true"><path class="%s" d="M1 5H33"/></svg>' % kind


def _legend(main):
    return '<figcaption>%s</figcaption>' % ''.join('<span>%s%s</span>' % entry for entry in (
        (_key('main'), main), (_key('l-ok'), 'works'), (_key('l-part') + sign(DEGRADED), 'works in part'),
        (_key('l-bad') + sign(BROKEN), 'does not work'), (sign(UNKNOWN), 'not known')))
