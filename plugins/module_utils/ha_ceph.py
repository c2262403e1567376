# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the take-over protocol asks of Ceph, through its command line tools.

Each call is a process, which costs about 50 ms where librados would need one; but a process that hangs in Ceph can be
killed, and nothing of it stays in the agent. Which commands, and why: docs/takeover.md.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import binascii
import errno
import json
import socket

OBJECT = 'cephgate.ha'

# Seconds. A host that was frozen for longer than its entry in the blocklist lives could write old data.
YEAR = 365 * 24 * 3600


OWN = 'image %s: its lock is held by this host, which has not mapped it: a mapping was broken off. The Python bindings of rados would let the ' \
      'agent take it back; without them: rbd --rbd_blocklist_on_break_lock false lock rm'


class CephError(EnvironmentError):
    """A command of Ceph failed, or its answer is not understood."""

    def __str__(self):
        return self.args[1]


class Ceph(object):
    """Every call of rados, rbd and ceph that take-overs need.

    run:  callable(argv, stdin) -> (exit code, stdout, stderr); ETIMEDOUT as exit code of one that took too long
    pool: a replicated pool, where the records are kept
    """

    def __init__(self, run, pool, client='admin', cluster='ceph'):
        self.run = run
        self.pool = pool
        self.options = ['--id', client] + (['--cluster', cluster] if cluster != 'ceph' else [])

    def call(self, command, *words, **how):
        argv = [command] + self.options + list(words)
        code, out, err = self.run(argv, how.get('stdin'))
        if code and code not in how.get('accept', ()):
            lines = [line for line in err.strip().splitlines() if line.strip()]
            raise CephError(code, '%s: %s. Last line: %s' % (
                ' '.join(argv), 'Ceph did not answer in time' if code == errno.ETIMEDOUT else 'exit code %d' % code,
                lines[-1] if lines else 'none'))
        return code, out

    def exchange(self, me, record):
        """Write my record (None: do not) and read all: {gateway: record}.

        A record that is none, as after a version that wrote another form, is left out: its gateway is one not seen yet.
        """
        if record is not None:
            self.call('rados', '-p', self.pool, 'setomapval', OBJECT, me, json.dumps(record, sort_keys=True))
        # rados exits with 1 whatever the reason is, so only its text tells that the object is not there yet.
        code, out, err = self.run(['rados'] + self.options + ['-p', self.pool, 'listomapvals', OBJECT], None)
        if code and '(2) No such file or directory' in err and 'opening pool' not in err:
            return {}
        if code:
            raise CephError(code, 'reading %s in pool %s: exit code %d. Last line: %s' % (
                OBJECT, self.pool, code, (err.strip().splitlines() or ['none'])[-1]))
        return records(out)

    def holder(self, image, image_id=None):
        """The address of the client that holds the exclusive lock of an image, or None. image_id: not used here"""
        dummy, out = self.call('rbd', 'lock', 'ls', '--format', 'json', image)
        lockers = json.loads(out)
        if isinstance(lockers, dict):
            lockers = list(lockers.values())  # before Ceph 14: {id: {locker, address}}
        addresses = sorted(set(locker['address'] for locker in lockers))
        if len(addresses) > 1:
            raise CephError(errno.EEXIST, 'image %s is locked by %s, and can be by one only. Release the locks that are not '
                            "krbd's with rbd lock rm." % (image, ', '.join(addresses)))
        return addresses[0] if addresses else None

    def fence(self, address):
        """Blocklist a client for a year. On return Ceph has confirmed it; the text says until when the entry lives.

        An entry that was there already keeps its time, whatever the command prints (seen with Ceph 16.2).
        """
        noun = 'blocklist'
        code, dummy = self.call('ceph', 'osd', noun, 'add', address, str(YEAR), accept=(errno.EINVAL,))
        if code:
            noun = 'blacklist'  # before Ceph 16
            self.call('ceph', 'osd', noun, 'add', address, str(YEAR))
        return lives_until(blocklist(self.call('ceph', 'osd', noun, 'ls', '--format', 'json')[1]), address)

    def free(self, image, _image_id, _fenced, own):
        """The locks of fenced clients are left to krbd, which takes them when it maps the image."""
        if own and self.holder(image) in own:
            raise CephError(errno.EBUSY, OWN % image)

    def listed(self, address):
        """Whether Ceph refuses a client."""
        code, out = self.call('ceph', 'osd', 'blocklist', 'ls', '--format', 'json', accept=(errno.EINVAL,))
        if code:
            out = self.call('ceph', 'osd', 'blacklist', 'ls', '--format', 'json')[1]  # before Ceph 16
        return refuses(blocklist(out), address)

    def epoch(self):
        """Number of the newest osdmap."""
        return json.loads(self.call('ceph', 'osd', 'stat', '--format', 'json')[1])['epoch']


def blocklist(text):
    """(entries of clients and of whole hosts, entries of ranges) of the blocklist as JSON. Ceph 16.2.15 prints two arrays one after the other, the second
    one of ranges; one before it has only the first. Without JSON, 10.99.0.0:0/24 could be a client as well."""
    text, parts = text.strip(), []
    while text:
        part, end = json.JSONDecoder().raw_decode(text)
        parts.append(part)
        text = text[end:].strip()
    return tuple((parts + [[], []])[:2])


def lives_until(found, address):
    """Until when the entry of this very client lives. Those of its host or of a range do not count: somebody may have made them for an hour, and what
    a fence needs is a long one."""
    for entry in found[0]:
        if entry['addr'] == address:
            return entry['until']
    raise CephError(errno.ENOENT, 'client %s was blocklisted, but is not in the list. Is its address right?' % address)


def refuses(found, address):
    """Whether Ceph refuses a client, by what blocklist() has found: for an entry of its own, of its whole host (C(ceph osd blocklist add HOST) makes it,
    with port and nonce 0) or of a range (C(ceph osd blocklist range add), with the length of the network's prefix as nonce)."""
    place = _place(address)
    named = [entry['addr'] for entry in found[0]]
    if place is None or address in named:
        return address in named
    if any(each in (place, (place[0], 0, 0)) for each in map(_place, named)):
        return True
    return any(each is not None and _within(place[0], each[0], each[2]) for each in (_place(entry.get('range', entry.get('addr'))) for entry in found[1]))


def _place(address):
    """(bytes of the host's address, port, nonce) of what looks like 10.99.0.11:0/2202855461 or [fd00::11]:0/22; None of what does not."""
    rest, dummy, nonce = (address or '').rpartition('/')
    host, dummy, port = rest.rpartition(':')
    try:
        return socket.inet_pton(socket.AF_INET6 if ':' in host else socket.AF_INET, host.strip('[]')), int(port), int(nonce)
    except (ValueError, EnvironmentError):
        return None


def _within(host, network, bits):
    if len(host) != len(network):
        return False
    rest = max(0, 8 * len(host) - bits)
    return int(binascii.hexlify(host), 16) >> rest == int(binascii.hexlify(network), 16) >> rest


def records(text):
    """{key: value} of the JSON values that C(rados listomapvals) prints as a dump of their bytes."""
    found, key, data = {}, None, []
    for line in text.splitlines() + ['']:
        if key is None:
            key, data = line or None, []
        elif not line:
            try:
                value = json.loads(bytes(bytearray(data)).decode('utf-8'))
            except ValueError:
                value = None
            if isinstance(value, dict) and 'n' in value:
                found[key] = value
            key = None
        elif not line.startswith(('value (', '*')):
            # offset, up to 16 bytes, |text|. A line "*" stands for as many lines like the one before as the next offset says.
            offset = int(line[:8], 16)
            while len(data) < offset:
                data.extend(data[-16:])
            data.extend(int(word, 16) for word in line[8:60].split())
    return found
