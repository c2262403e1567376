# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of the declaration, as a person asks for it in a few answers: made in the declared values, and in the text of the file
that declares them, whose comments and layout stay.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import copy
import re

import yaml

_SIZE = re.compile(r'^([1-9][0-9]*)([KMGTP])i?B?$', re.IGNORECASE)
_UNITS = 'KMGTP'


class Wrong(Exception):
    """What is wrong with an answer: the text names it and says what to do."""


def size_of(text):
    """Bytes of a size such as 100G, with units of 1024."""
    found = _SIZE.match(str(text).strip())
    if not found:
        raise Wrong('size "%s" is none: write a whole number and a unit, such as 100G (units of 1024: K, M, G, T, P).' % text)
    return int(found.group(1)) * 1024 ** (_UNITS.index(found.group(2).upper()) + 1)


def change(luns, hosts, asked):
    """(luns, hosts) with the change made; the given ones stay as they are.

    asked: one of {lun: {image, size, host, number, gateway}}, {grow: {image, size}}, {host: {name, initiators}}.
    Raises Wrong. A change that is made already changes nothing.
    """
    luns, hosts = copy.deepcopy(luns), copy.deepcopy(hosts)
    for kind, answer in asked.items():
        dict(lun=_lun, grow=_grow, host=_host)[kind](luns, hosts, answer)
    return luns, hosts


def _declared(luns, image):
    return ([lun for lun in luns if lun.get('image') == image] or [None])[0]


def _lun(luns, hosts, answer):
    image, host = answer['image'], answer['host']
    if host not in hosts:
        raise Wrong('host "%s" is not declared (%s). Attach it first, or correct the name.' % (host, ', '.join(sorted(hosts)) or 'none is'))
    used = dict((lun['hosts'][host], lun['image']) for lun in luns if host in (lun.get('hosts') or {}) and lun.get('state') != 'absent')
    number = answer.get('number')
    if number in (None, ''):
        number = min(set(range(len(used) + 1)) - set(used))
    number = _number(number)
    lun = _declared(luns, image)
    if lun is not None:
        if lun.get('state') == 'absent':
            raise Wrong('image %s is declared with state: absent. Take that entry out of cephgate_luns first.' % image)
        if host in (lun.get('hosts') or {}):
            if answer.get('number') in (None, '') or lun['hosts'][host] == number:
                return
            raise Wrong('image %s is LUN %s of host %s already; a host sees an image once.' % (image, lun['hosts'][host], host))
        if answer.get('size') and (not lun.get('size') or size_of(answer['size']) != size_of(lun['size'])):
            raise Wrong('image %s is declared already, with size %s. Leave the size out to show it to host %s, too; to grow it is another '
                        'operation.' % (image, lun.get('size', 'left open'), host))
        if answer.get('gateway') and answer['gateway'] != lun.get('gateway'):
            raise Wrong('image %s is declared already, with %s as its gateway. Leave the gateway out.' % (image, lun.get('gateway', 'any')))
    if number in used:
        raise Wrong('LUN %d of host %s is image %s. Take another number, or leave it out for the lowest free one.' % (number, host, used[number]))
    if lun is not None:
        lun.setdefault('hosts', {})[host] = number
        return
    new = dict(image=image)
    if answer.get('size'):
        size_of(answer['size'])
        new['size'] = answer['size']
    if answer.get('gateway'):
        new['gateway'] = answer['gateway']
    luns.append(dict(new, hosts={host: number}))


def _number(value):
    if not re.match('^[0-9]+$', str(value)):
        raise Wrong('LUN number "%s" is no number. Take one from 0 to 16383, or leave it out for the lowest free one.' % value)
    return int(value)


def _grow(luns, hosts, answer):
    lun = _declared(luns, answer['image'])
    if lun is None:
        raise Wrong('image %s is not declared. The images are: %s.' % (answer['image'], ', '.join(sorted(each['image'] for each in luns)) or 'none'))
    if lun.get('size') and size_of(answer['size']) < size_of(lun['size']):
        raise Wrong('image %s is declared with %s; %s would be less. Images are never shrunk.' % (lun['image'], lun['size'], answer['size']))
    if not lun.get('size') or size_of(lun['size']) != size_of(answer['size']):
        lun['size'] = answer['size']


def _host(luns, hosts, answer):
    name, initiators = answer['name'], answer['initiators']
    if isinstance(initiators, str):
        initiators = initiators.replace(',', ' ').split()
    if name in hosts:
        if sorted(hosts[name].get('initiators') or []) == sorted(initiators):
            return
        raise Wrong('host %s is declared already, with the initiators %s. Change it in the inventory.' % (
            name, ', '.join(hosts[name].get('initiators') or []) or 'none'))
    with_chap = sorted(host for host in hosts if (hosts[host] or {}).get('chap'))
    if with_chap:
        raise Wrong('hosts of this site have CHAP (%s), so a new one needs it, too. Secrets are not taken here: declare host %s in the '
                    'inventory, with its secret in a vault.' % (', '.join(with_chap), name))
    hosts[name] = dict(initiators=list(initiators))


# The text

class _Loader(yaml.SafeLoader):
    """Also takes what Ansible marks, such as !vault: as text, which is all that is needed here."""


_Loader.add_multi_constructor('!', lambda loader, suffix, node: loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None)


def load(text):
    """What a file of variables declares."""
    try:
        found = yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        raise Wrong('the file is no YAML: %s' % error)
    return found if isinstance(found, dict) else {}


def edit(text, asked):
    """The text of a file of variables with the change made in it. Raises Wrong."""
    before = load(text)
    variable = 'cephgate_hosts' if 'host' in asked else 'cephgate_luns'
    if variable not in before:
        raise Wrong('the file declares no %s, so it is not the one to change.' % variable)
    # A file of LUNs alone does not know the hosts; that the host is there was checked with what is in effect.
    hosts = before.get('cephgate_hosts') or dict((answer['host'], {}) for answer in asked.values() if 'host' in answer)
    luns, hosts = change(before.get('cephgate_luns') or [], hosts, asked)
    wanted = luns if variable == 'cephgate_luns' else hosts
    if wanted == before[variable]:
        return text
    result = _edited(text, variable, before[variable], wanted)
    after = load(result) if result else {}
    if after != dict(before, **{variable: wanted}):
        raise Wrong('the layout of the file is one that cannot be changed safely. Change it by hand: %s' % _flow({variable: wanted}))
    return result


def _edited(text, variable, before, wanted):
    """The text with what is new in it; None when there is no way."""
    node = _value(yaml.compose(text, Loader=_Loader), variable)
    if isinstance(wanted, dict):
        for name in wanted:
            if name not in (before or {}):
                return _add_key(text, node, name, wanted[name])
    for index, item in enumerate(wanted):
        if index >= len(before or []):
            return _add_item(text, node, item)
        if item != before[index]:
            entry = node.value[index]
            for key in item:
                if key not in before[index]:
                    return _add_key(text, entry, key, item[key])
                if item[key] != before[index][key]:
                    return _changed(text, _value(entry, key), before[index][key], item[key])
    return None


def _changed(text, node, before, wanted):
    if isinstance(node, yaml.ScalarNode):
        return text[:node.start_mark.index] + _flow(wanted) + text[node.end_mark.index:]
    for key in wanted:
        if key not in before:
            return _add_key(text, node, key, wanted[key])
    return None


def _value(node, key):
    return [value for name, value in node.value if name.value == key][0]


def _flow(value):
    return yaml.safe_dump(value, default_flow_style=True, width=10 ** 6, sort_keys=False).replace('\n...', '').strip()


def _end(node):
    """Where the last thing of a node ends. The end of a block is that of the blanks and comments behind it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return node.end_mark.index
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _add_lines(text, node, lines):
    end = text.find('\n', _end(node))
    end = len(text) if end < 0 else end
    return text[:end] + ''.join('\n' + line for line in lines) + text[end:]


def _add_key(text, node, key, value):
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return _into_flow(text, node, '%s: %s' % (_flow(key), _flow(value)), '{}')
    return _add_lines(text, node, [' ' * node.start_mark.column + '%s: %s' % (_flow(key), _flow(value))])


def _add_item(text, node, item):
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return _into_flow(text, node, _flow(item), '[]')
    indent = ' ' * node.start_mark.column
    lines = ['%s: %s' % (_flow(key), _flow(value)) for key, value in item.items()]
    return _add_lines(text, node, [indent + '- ' + lines[0]] + [indent + '  ' + line for line in lines[1:]])


def _into_flow(text, node, new, brackets):
    if isinstance(node, yaml.ScalarNode):
        # Nothing behind the colon.
        return text[:node.start_mark.index] + ' ' + brackets[0] + new + brackets[1] + text[node.end_mark.index:]
    end = node.end_mark.index - 1
    return text[:end].rstrip().rstrip(',') + (', ' if node.value else '') + new + text[end:]
