# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dmsetup for gateway_host.py, as far as guards need it: a device is a file of its size, and a table."""
import os
import pathlib
import sys

TABLES, DEVICES = pathlib.Path('/run/guards'), pathlib.Path('/dev/mapper')
words = sys.argv[1:]
verb = words[0]


def fail(text):
    sys.exit('device-mapper: %s ioctl failed: %s' % (verb, text))


def set_table(name, text):
    (TABLES / (name + '.new')).write_text(text + '\n')
    (TABLES / (name + '.new')).rename(TABLES / name)
    with open(DEVICES / name, 'ab') as disk:
        disk.truncate(int(text.split()[1]) * 512)


if verb == 'status':
    for table in sorted(TABLES.iterdir()):
        text = table.read_text().split()
        if text[2] == words[words.index('--target') + 1]:
            print('%s: 0 %s multipath 2 0 0 0 1 1 A 0 1 0 %s A 0' % (table.name, text[1], text[-2]))
    sys.exit()
if words == ['table']:
    sys.exit(print(''.join('%s: %s' % (table.name, table.read_text()) for table in sorted(TABLES.iterdir())) or 'No devices found', end=''))
name = next(word for word in words[1:] if word.startswith('cephgate-'))
if verb == 'create':
    if (TABLES / name).exists():
        fail('Device or resource busy')
    set_table(name, words[words.index('--table') + 1])
elif not (TABLES / name).exists():
    sys.exit('Device %s not found' % name)
elif verb == 'table':
    print((TABLES / name).read_text().strip())
elif verb == 'load':
    set_table(name, words[words.index('--table') + 1])
elif verb == 'remove':
    if pathlib.Path('/run/opened/' + str(DEVICES / name).replace('/', '%')).exists():
        fail('Device or resource busy')
    os.unlink(TABLES / name)
    os.unlink(DEVICES / name)
elif verb not in ('resume', 'message'):
    sys.exit('dmsetup.py does not know %s' % verb)
