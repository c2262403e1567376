# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status report for a terminal."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


import textwrap

from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import ORDER, UNKNOWN, count, own, rank, some

WIDTH = 110
# Rows of a table; healthy objects beyond that are only counted.
ROWS = 40


def lines(document):
    found = ['cephgate status of %s, %s' % (document['site'], document['time']), '',
             '%s  %s' % (document['health'].upper(), document['headline']), '   '.join(counts(document)), '']
    for problem in document['problems']:
        found += _problem(problem) + ['']
    for kind, header, rows in (('gateways', GATEWAY, gateway_row), ('hosts', HOST, host_row), ('images', IMAGE, image_row)):
        found += _table(kind, header, document[kind], rows) + ['']
    return found[:-1]


def counts(document):
    """The numbers in short texts, such as C(gateways 1 of 2)."""
    return ['%s %d of %d %s' % (title.lower(), good, everything, word) for title, good, everything, word, dummy in tallies(document)]


def tallies(document):
    """[(what, how many are well, of how many, the word for well, how many are not known)]; those of which there is nothing are left out."""
    summary = document['summary']
    found = [('Gateways', summary['gateways']['in_service'], summary['gateways']['all'], 'in service', summary['gateways'][UNKNOWN])]
    found += [(title, summary[kind]['healthy'] + summary[kind]['degraded'], summary[kind]['all'], word, summary[kind][UNKNOWN])
              for title, kind, word in (('Images', 'images', 'served'), ('Disks', 'disks', 'usable'))]
    found.append(('Sessions', summary['links']['up'], summary['links']['all'], 'up',
                  summary['links']['all'] - summary['links']['up'] - summary['links']['down']))
    found.append(('Paths', summary['paths']['working'], summary['paths']['all'], 'work', 0))
    return [entry for entry in found if entry[2]]


def title(problem):
    return '%s %s' % (problem['kind'] if len(problem['objects']) == 1 else problem['kind'] + 's', some(problem['objects'], 4)) \
        if problem['kind'] != 'declaration' else 'the declaration'


def affected(problem):
    parts = [count(len(problem['affects'][kind]), kind[:-1]) for kind in ('images', 'hosts') if problem['affects'][kind]]
    return ' and '.join(parts)


def reasons(problem, most=3):
    """The reasons, each once, and how many more there are."""
    texts = []
    for entry in problem['reasons']:
        text = entry['reason'] if len(problem['objects']) == 1 else '%s: %s' % (entry['object'], entry['reason'])
        if text not in texts:
            texts.append(text)
    return texts[:most], max(0, len(texts) - most)


def _problem(problem):
    texts, more = reasons(problem)
    found = _wrapped('%-9s ' % problem['health'].upper(), '%s: %s' % (title(problem), problem['what']))
    for text in texts:
        found += _wrapped(' ' * 10, text)
    if more:
        found.append(' ' * 10 + 'and %d more' % more)
    if affected(problem):
        found += _wrapped(' ' * 10 + 'affects: ', affected(problem))
    return found + _wrapped(' ' * 10 + 'to do: ', problem['remedy'])


def _wrapped(head, text):
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=' ' * len(head), break_long_words=False, break_on_hyphens=False)


def remaining(records, kind):
    """Objects that are not shown one by one, as a text."""
    found = [(health, len([record for record in records if record['health'] == health])) for health in ORDER]
    found = [(health, many) for health, many in found if many]
    if len(found) == 1:
        return '%d %s %s' % (len(records), found[0][0], kind[:-1] if len(records) == 1 else kind)
    return '%d %s: %s' % (len(records), kind, ', '.join('%d %s' % (many, health) for health, many in found))


def _table(kind, header, records, row):
    """All of a small table; of a large one those with a trouble of their own."""
    records = sorted(records, key=rank)
    shown = len(records) if len(records) <= ROWS else min(ROWS, len([record for record in records if own(record)]))
    if not shown:
        return ['%s: %s' % (header[0] + 'S', remaining(records, kind) if records else 'none')]
    rows = [header] + [row(record) for record in records[:shown]]
    widths = [max(len(line[column]) for line in rows) for column in range(len(header))]
    found = ['  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in rows]
    return found + (['and ' + remaining(records[shown:], kind)] if records[shown:] else [])


def number(value):
    return '-' if value is None else str(value)


GATEWAY = ('GATEWAY', 'HEALTH', 'SERVES', 'SESSIONS', 'SERVICE', 'SCST', 'KERNEL', 'DRIFT')


def drift(record):
    changes = len(record['drift']) + record['drift_more']
    return count(changes, 'change') if changes else 'none' if record['reachable' if 'reachable' in record else 'answers'] else '-'


def gateway_row(record):
    serves = '-' if record['serves'] is None else '%d of %d' % (record['serves'], record['images'])
    if record['agent'] and record['serves'] is not None:
        serves += ', has %d' % len(record['agent']['owns'])
    service = {None: '-', True: 'runs', False: 'stopped'}[record['service']]
    if record['agent'] and not record['agent']['runs']:
        service += ', no agent'
    return (record['name'], record['health'], serves, number(record['sessions']), service, record['scst'] or '-',
            record['kernel'] or '-', drift(record))


HOST = ('HOST', 'HEALTH', 'KIND', 'SESSIONS', 'PATHS', 'DISKS', 'DRIFT')


def sessions(record):
    if all(link['state'] == 'unknown' for link in record['links']):
        return '-'
    return '%d of %d' % (len([link for link in record['links'] if link['state'] == 'up']), len(record['links']))


def paths(record):
    return '%d of %d' % (record['working'], record['paths']) if record['paths'] else '-'


def disks(record):
    if not record['disks']:
        return 'none'
    if all(disk['health'] == UNKNOWN for disk in record['disks']):
        return '- of %d' % len(record['disks'])
    return '%d of %d' % (len([disk for disk in record['disks'] if disk['health'] in ('healthy', 'degraded')]), len(record['disks']))


def host_row(record):
    return (record['name'], record['health'], record['os'] or record['kind'], sessions(record), paths(record), disks(record), drift(record))


IMAGE = ('IMAGE', 'HEALTH', 'SIZE', 'PREFERRED', 'SERVED BY', 'HOSTS')


def served(record):
    return ('%s, ' % record['owner'] if record['owner'] else '') + '%d of %d' % (len(record['serving']), len(record['gateways']))


def seen_by(record):
    return ', '.join('%s=%s' % item for item in sorted(record['hosts'].items())) or 'none'


def image_row(record):
    return (record['image'], record['health'], human(record['size']) if record['size'] else '-', record['gateway'] or '-',
            served(record), seen_by(record))
