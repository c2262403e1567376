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

import errno
import json

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
        dummy, out = self.call('ceph', 'osd', noun, 'ls')
        for line in out.splitlines():
            words = line.split()
            if words and words[0] == address:
                return ' '.join(words[1:])
        raise CephError(errno.ENOENT, 'client %s was blocklisted, but is not in the list. Is its address right?' % address)

    def free(self, image, _image_id, _fenced, own):
        """The locks of fenced clients are left to krbd, which takes them when it maps the image."""
        if own and self.holder(image) in own:
            raise CephError(errno.EBUSY, OWN % image)

    def listed(self, address):
        """Whether Ceph has a client in its blocklist."""
        code, out = self.call('ceph', 'osd', 'blocklist', 'ls', accept=(errno.EINVAL,))
        if code:
            out = self.call('ceph', 'osd', 'blacklist', 'ls')[1]  # before Ceph 16
        return any(line.split()[0] == address for line in out.splitlines() if line.strip())

    def epoch(self):
        """Number of the newest osdmap."""
        return json.loads(self.call('ceph', 'osd', 'stat', '--format', 'json')[1])['epoch']


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
