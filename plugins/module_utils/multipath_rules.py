# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of multipath.conf: multipath's parser takes much that then means something else, or nothing."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_document import SUBSECTIONS
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_edit import LIST_KINDS, value_text
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

KEYWORD = re.compile(r'[a-z][a-z0-9_]*\Z')
# Of a device-mapper name udev makes a file below /dev/mapper.
ALIAS = re.compile(r'[A-Za-z0-9#+.:=@_-]+\Z')


def check(params):
    """Raises Refused with the object, the value, the rule and what to do. params: of the module multipath_conf."""
    if not params['path'].startswith('/'):
        raise Refused('path "%s" is relative, and to what would be chance. Give it from / on.' % params['path'])
    if os.path.isdir(params['path']):
        raise Refused('path %s is a folder. Name the file in it, such as /etc/multipath.conf.' % params['path'])
    for name in ('defaults', 'overrides'):
        _entries(name, params[name], SUBSECTIONS.get(name, ()))
    for name in ('blacklist', 'blacklist_exceptions'):
        _list(name, params[name])
    for device in params['devices']:
        for key in ('vendor', 'product'):
            if not device[key].strip():
                raise Refused('devices: the %s of a rule is empty, and as a regular expression that is every %s. Write ".*" if you mean that.' % (
                    key, key))
            value_text(key, device[key])
    for multipath in params['multipaths']:
        if not re.match(r'\S+\Z', multipath['wwid']):
            raise Refused('multipaths: the WWID "%s" is none: it is a word, as "multipath -l" shows it in parentheses. Correct it.' % multipath['wwid'])
    for name, keys in (('devices', ('vendor', 'product')), ('multipaths', ('wwid',))):
        seen = set()
        for entry in params[name]:
            key = tuple(entry[each] for each in keys)
            if key in seen:
                raise Refused('%s: %s is listed twice. Put all that is to be said of it into one.' % (name, ' '.join(key)))
            seen.add(key)
            _entries('%s: %s' % (name, ' '.join(key)), entry['entries'], keys)
    _aliases(params['multipaths'])


def _list(name, items):
    seen = set()
    for item in items:
        keys = ('vendor', 'product') if item['type'] == 'device' else ('value',)
        values = tuple(item[key] for key in keys)
        for key in ('value', 'vendor', 'product'):
            if key not in keys and item.get(key) is not None:
                raise Refused('%s: an entry of type %s has a %s ("%s"), which only one of type %s can have. Take it out, or correct the type.' % (
                    name, item['type'], key, item[key], 'device' if key != 'value' else ', '.join(LIST_KINDS)))
        for key, value in zip(keys, values):
            if not value.strip():
                raise Refused('%s: the %s of an entry of type %s is empty, and as a regular expression that is every disk. Write what you mean, '
                              '".*" for all.' % (name, key, item['type']))
            value_text(key, value)
        if (item['type'],) + values in seen:
            raise Refused('%s: %s "%s" is listed twice. Remove one of the entries.' % (name, item['type'], ' '.join(values)))
        seen.add((item['type'],) + values)


def _entries(where, entries, reserved):
    """reserved: keywords that say there which section it is, or open one"""
    for keyword, value in sorted(entries.items()):
        if not KEYWORD.match(keyword):
            raise Refused('%s: "%s" is no keyword of multipath.conf: those are words of lower-case letters, digits and "_". Correct it.' % (where, keyword))
        if keyword in reserved:
            raise Refused('%s: %s is no entry that can be set there: it tells which section is meant, or begins one of its own.' % (where, keyword))
        if isinstance(value, (dict, list)):
            raise Refused('%s: the value of %s is a %s, and multipath.conf knows texts and numbers alone. Write it as multipath.conf(5) says.' % (
                where, keyword, 'list' if isinstance(value, list) else 'dictionary'))


def _aliases(multipaths):
    taken = {}
    for multipath in multipaths:
        alias = multipath['entries'].get('alias')
        if alias is None or multipath['state'] == 'absent':
            continue
        # YAML reads 5 and "5", yes and "yes" as different things.
        alias = value_text('alias', alias)
        if not ALIAS.match(alias) or alias in ('.', '..'):
            raise Refused('multipaths: %s: the alias "%s" cannot be a name in /dev/mapper: letters, digits and # + . : = @ _ - alone are safe. '
                          'Choose another.' % (multipath['wwid'], alias))
        if alias in taken:
            raise Refused('multipaths: the alias %s is given to %s and to %s, and only one disk can have it. Choose another for one of them.' % (
                alias, taken[alias], multipath['wwid']))
        taken[alias] = multipath['wwid']
