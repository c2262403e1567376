# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph as a folder that all gateways of a test share: images, their ids, who holds their locks, the blocklist, omaps.

A mapping is a file of its client, so that a blocklisted client can lose all of its own.
"""
import contextlib
import fcntl
import json
import os
import pathlib

TOP = pathlib.Path('/run/ceph')
IMAGES, IDS, CLIENTS = TOP / 'images', TOP / 'ids', TOP / 'clients'


@contextlib.contextmanager
def shared():
    """What is no file of its own, {locks, blocklist, omaps, epoch, clients}; changes are kept, one at a time."""
    with open(TOP / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = TOP / 'shared.json'
        text = path.read_text() if path.exists() else '{}'
        state = dict(dict(locks={}, blocklist=[], omaps={}, epoch=1, clients=0), **json.loads(text))
        yield state
        new = json.dumps(state, sort_keys=True)
        if new != text:
            (TOP / 'shared.new').write_text(new)
            (TOP / 'shared.new').rename(path)
            (TOP / 'osdmap.new').write_text('epoch %d barrier 0 flags 0x0\n' % state['epoch'])
            (TOP / 'osdmap.new').rename(TOP / 'osdmap')


def flat(image):
    return image.replace('/', '%')


def client_folder(address):
    return CLIENTS / flat(address)


def blocklist(address):
    """Reads through this client's mappings fail from now on."""
    with shared() as state:
        if address not in state['blocklist']:
            state['blocklist'].append(address)
            state['epoch'] += 1
        folder = client_folder(address)
        for link in folder.iterdir() if folder.exists() else ():
            link.unlink()
            os.symlink('/', link)  # whoever reads a folder as a disk gets an error
