# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry, and reg.exe on it. Keys and names are case-insensitive; reg query prints as [4] and [5] show."""
import collections

ROOTS = {'HKLM': 'HKEY_LOCAL_MACHINE'}


class Registry:

    def __init__(self):
        # {lower key: (key, {lower name: (name, type, value)})}
        self.keys = collections.OrderedDict()

    @staticmethod
    def full(key):
        root, backslash, rest = key.partition('\\')
        return ROOTS.get(root.upper(), root.upper()) + backslash + rest

    def set(self, key, name, kind, value):
        key = self.full(key)
        self.keys.setdefault(key.lower(), (key, collections.OrderedDict()))[1][name.lower()] = (name, kind, value)

    def get(self, key, name):
        found = self.keys.get(self.full(key).lower())
        return found[1][name.lower()][2] if found and name.lower() in found[1] else None

    def delete(self, key, name):
        found = self.keys.get(self.full(key).lower())
        return found is not None and found[1].pop(name.lower(), None) is not None

    def below(self, key):
        key = self.full(key).lower()
        return [one for lower, one in self.keys.items() if lower == key or lower.startswith(key + '\\')]


def shown(kind, value):
    if kind == 'REG_DWORD':
        return '0x%x' % value
    return '\\0'.join(value) if kind == 'REG_MULTI_SZ' else value


def reg(host, argv, stdin):
    verb, key, options = argv[0].lower(), argv[1], [word.lower() for word in argv[2:]]
    error = 1, host.say('ERROR: The system was unable to find the specified registry key or value.') + '\n'

    def option(name):
        return argv[2:][options.index(name) + 1] if name in options else None

    if verb == 'query':
        keys = host.registry.below(key) if '/s' in options else host.registry.below(key)[:1]
        keys = [one for one in keys if '/s' in options or one[0].lower() == host.registry.full(key).lower()]
        wanted, lines = option('/v'), []
        for name, values in keys:
            rows = ['    %s    %s    %s' % (shown_name, kind, shown(kind, value)) for lower, (shown_name, kind, value) in values.items()
                    if wanted is None or lower == wanted.lower()]
            if rows:
                lines += ['', name] + rows
        return (0, '\n'.join(lines + ['', ''])) if lines else error
    host.wrote('reg', verb, key, option('/v') or '')
    if verb == 'add' and '/f' in options:
        kind, data = option('/t') or 'REG_SZ', option('/d') or ''
        value = int(data, 0) if kind == 'REG_DWORD' else [word for word in data.split('\\0') if word] if kind == 'REG_MULTI_SZ' else data
        host.registry.set(key, option('/v'), kind, value)
        return 0, host.say('The operation completed successfully.') + '\n'
    if verb == 'delete' and '/f' in options:
        return (0, host.say('The operation completed successfully.') + '\n') if host.registry.delete(key, option('/v')) else error
    raise AssertionError('reg %s would wait for an answer' % ' '.join(argv))
