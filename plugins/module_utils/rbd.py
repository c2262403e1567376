# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBD: what Ceph says of images, and what this host's kernel has mapped.

The kernel answers for mapped images through sysfs (/sys/bus/rbd), which costs nothing; the rbd
command, which starts a Ceph client each time, is only called for what sysfs cannot know.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import json
import os
import re
import stat
import subprocess
import threading

from ansible_collections.cephgate.iscsi.plugins.module_utils import krbd
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_held import Held
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, to_text


class RbdError(EnvironmentError):
    """The rbd command failed. The text holds its last line and what to look at."""


class NoSuchImage(RbdError):
    """The cluster and the pool were reached, and there is no such image or snapshot."""


# rbd's exit codes are errno values (librbd); the ones that people meet.
_EXPLAINED = {
    errno.EPERM: 'Ceph refused the client: check that client.{client} has the caps "profile rbd" on mon and osd',
    errno.EACCES: 'Ceph refused the client: check that client.{client} has the caps "profile rbd" on mon and osd',
    errno.ENOENT: 'something of it does not exist: correct the name, or look at the last line',
    errno.EROFS: 'the image is locked exclusively by another client ("rbd lock ls" shows it)',
    errno.ENXIO: 'the kernel lacks a feature of the image; "rbd feature disable" what dmesg names',
    errno.ETIMEDOUT: 'Ceph did not answer in time: check its health (monitors, and the OSDs of this image), mon_host in ceph.conf '
                     'and the network',
}

# rbd exits with ENOENT for whatever it does not find; only what it prints tells what that was (Ceph: src/tools/rbd/Utils.cc).
_NO_POOL = 'its pool does not exist: correct the name, or make the pool ("ceph osd pool create", then "rbd pool init")'
_NOT_FOUND = (
    (r"^rbd: couldn't connect to the cluster", RbdError,
     'client.{client} does not reach the cluster. See that /etc/ceph/{cluster}.conf and the keyring that it names (without it '
     '/etc/ceph/{cluster}.client.{client}.keyring) are there and hold this client'),
    (r'^rbd: error opening (default )?pool', RbdError, _NO_POOL),
    (r'^rbd: namespace .* does not exist', RbdError, 'its namespace does not exist: correct the name, or make it ("rbd namespace create")'),
    (r'^rbd: error opening image|^error setting snapshot context', NoSuchImage, 'the image or snapshot does not exist: correct the name'),
)

# Seconds for mapping one image. rbd itself waits up to 300 s for monitors, and for ever for an OSD.
MAP_TIMEOUT = 60


def bounded_run(timeout=MAP_TIMEOUT):
    """A C(run) for Rbd that kills the command after so many seconds; the exit code is ETIMEDOUT then."""
    def run(argv, stdin):
        # close_fds: Python 2 would hand our locks down to the command.
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   universal_newlines=True, close_fds=True, env=dict(os.environ, LC_ALL='C'))
        late = []

        def stop():
            late.append(True)
            process.kill()

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            out, err = process.communicate(stdin)
        finally:
            timer.cancel()
        if late:
            err += '\nno answer within %d s' % timeout
        return (errno.ETIMEDOUT if late else process.returncode), out, err

    return run


class Rbd(object):
    """Every call of the rbd command.

    run: callable(argv, stdin) -> (exit code, stdout, stderr), such as a thin wrapper of
    AnsibleModule.run_command. The key never passes here: rbd reads it from the keyring.
    """

    held = None  # of tests: what changes an image whose lock somebody keeps

    def __init__(self, run, client='admin', cluster='ceph', command='rbd'):
        self.run = run
        self.client = client
        self.cluster = cluster
        self.base = [command, '--id', client] + (['--cluster', cluster] if cluster != 'ceph' else [])

    def argv(self, *words):
        return self.base + list(words)

    def call(self, argv):
        code, out, err = self.run(argv, None)
        if code:
            lines = [line for line in err.strip().splitlines() if line.strip()]
            reason, failure = self._reason(code, err)
            raise failure(code, '%s: %s. Last line: %s' % (
                ' '.join(argv), reason.format(client=self.client, cluster=self.cluster), lines[-1] if lines else 'none'))
        return out

    @staticmethod
    def _reason(code, err):
        """(what an exit code means, beside what was printed; the class of the error)."""
        if code == errno.ENOENT:
            for words, failure, reason in _NOT_FOUND:
                if re.search(words, err, re.MULTILINE):
                    return reason, failure
        return _EXPLAINED.get(code, 'exit code %d' % code), RbdError

    def map(self, image, options):
        self.call(self.argv('map', '--options', ','.join(options), image))

    def unmap(self, number, force=False):
        """number: of the mapping; force: although it is in use, which then only sees errors."""
        self.call(self.argv('unmap', *(['-o', 'force'] if force else []) + ['/dev/rbd%d' % number]))

    def perform(self, operation):
        try:
            self.call(operation.target)
        except RbdError as error:
            if error.errno == errno.EROFS and self._beside_holder(operation.target[len(self.base):]):
                return
            if error.errno != errno.ENXIO or 'map' not in operation.target:
                raise
            # What the kernel lacks is asked for only now: a question for each image of each run would cost more than mapping it.
            image = operation.target[-1]
            found = self.info(image)
            problem = found and krbd.feature_problem(image, found['features'], os.uname()[2], krbd.supported())
            if not problem:
                raise
            raise RbdError(errno.ENXIO, problem)

    def _beside_holder(self, words):
        """Do what rbd refused because somebody keeps the image's exclusive lock. Whether that was something that can be done so."""
        verb = 'grow' if words[0] == 'resize' else 'snapshot' if words[:2] == ['snap', 'create'] else None
        image, dummy, name = words[-1].partition('@')
        info = self.ask('info', image) if verb else None
        if info is None:
            return False
        held = self.held or Held(self.client, self.cluster)
        if verb == 'grow':
            held.grow(image, info, int(words[words.index('--size') + 1][:-1]) << 20)  # in MiB, as rbd_plan has it
        else:
            held.snapshot(image, info, name)
        return True

    def ask(self, *words):
        """What a command answers in JSON, or None when there is no such image."""
        try:
            return json.loads(self.call(self.argv(words[0], *(words[1:-1] + ('--format', 'json', words[-1])))))
        except NoSuchImage:
            return None

    def info(self, image):
        """{size (bytes), id, features} of an image, or None when there is no such image."""
        answer = self.ask('info', image)
        return answer and dict(size=answer['size'], image_id=answer['id'], features=answer['features'])

    def watchers(self, image):
        """Addresses of the clients that have the image open: each writable mapping is one.

        Read-only mappings are not seen since Linux 5.5, which watches only what it may write.
        """
        answer = self.ask('status', image) or {}
        found = answer.get('watchers') or []
        # Older releases (before 14) answer with a dictionary.
        return sorted(entry['address'] for entry in (found.values() if isinstance(found, dict) else found))

    def snapshots(self, image):
        """{name: whether protected} of an image, or None when there is no such image."""
        found = self.ask('snap', 'ls', image)
        # Before 14 nothing is said of protection here; asked for by image@snapshot it is.
        return None if found is None else dict(
            (entry['name'], _true(entry['protected']) if 'protected' in entry else self._protected(image, entry['name']))
            for entry in found)

    def _protected(self, image, name):
        return _true((self.ask('info', '%s@%s' % (image, name)) or {}).get('protected'))

    def children(self, image):
        """Clones that live on snapshots of an image, as pool/image."""
        found = []
        for name in sorted(self.snapshots(image) or ()):
            for child in self.ask('children', '%s@%s' % (image, name)) or ():
                # Before 14 a dictionary for each, later one with pool_namespace.
                found.append('/'.join(part for part in (child['pool'], child.get('pool_namespace'), child['image']) if part))
        return found

    def changed_since(self, image, name):
        """Whether an image differs from its snapshot."""
        return bool(self.ask('diff', '--from-snap', name, image))

    def listing(self, pool):
        """{image: {size, image_id, locked: whether somebody has its exclusive lock}} of a pool (or pool/namespace) in one call."""
        answer = json.loads(self.call(self.argv('ls', '--long', '--format', 'json', pool)))
        return dict(('%s/%s' % (pool, entry['image']), dict(size=entry['size'], image_id=entry['id'], locked=entry.get('lock_type') == 'exclusive'))
                    for entry in answer if 'snapshot' not in entry)

    def images(self, names):
        """{image: {size, image_id, and features or locked} or None} for the given images: one call for each pool that more
        than one of them is in, since starting a Ceph client costs more than listing."""
        pools = {}
        for name in names:
            pools.setdefault(name.rsplit('/', 1)[0], []).append(name)
        found = {}
        for pool, members in pools.items():
            if len(members) == 1:
                found[members[0]] = self.info(members[0])
            else:
                listed = self.listing(pool)
                for name in members:
                    found[name] = listed.get(name)
        return found


def _true(value):
    return value in (True, 'true')


def _value(path):
    # Not open(): an agent reads some of these files for each of its disks several times a second.
    handle = os.open(path, os.O_RDONLY)
    try:
        return to_text(os.read(handle, 4096)).strip()
    finally:
        os.close(handle)


def _optional(path):
    """A value that older kernels do not have: None."""
    try:
        return _value(path)
    except (IOError, OSError) as error:
        if error.errno != errno.ENOENT:
            raise
        return None


def _lasting(base):
    """(image, what of a mapping stays as it is), or None of a snapshot."""
    if _value(os.path.join(base, 'current_snap')) != '-':
        return None
    # pool_ns, cluster_fsid and client_addr are younger than the oldest kernels that map images.
    parts = [_value(os.path.join(base, 'pool')), _optional(os.path.join(base, 'pool_ns')), _value(os.path.join(base, 'name'))]
    return '/'.join(part for part in parts if part), dict(
        image_id=_value(os.path.join(base, 'image_id')), fsid=_optional(os.path.join(base, 'cluster_fsid')),
        client=_optional(os.path.join(base, 'client_addr')))


def _numbers(sysfs):
    """Of all mappings; none without the kernel module."""
    return sorted(int(name) for name in os.listdir(sysfs) if name.isdigit()) if os.path.isdir(sysfs) else []


def mapped(sysfs='/sys/bus/rbd/devices', dev='/dev', known=None):
    """What the kernel has mapped: {image: {number, path, image_id, fsid, size, client}}.

    size in bytes; path is the stable name that udev makes, /dev/rbd/pool/[namespace/]image, when
    it is there and leads to the device, else /dev/rbdN. Snapshots are left out. An image that is
    mapped twice is listed under its lowest number; the others are in C(also).

    known: a dictionary for whoever asks again and again; what cannot change of a mapping is then read once, and path and size are not told.
    """
    found = {}
    for number in _numbers(sysfs):
        base = os.path.join(sysfs, str(number))
        try:
            lasting = _lasting(base) if known is None else _known(number, base, known)
            if lasting is None:
                continue
            image, entry = lasting[0], dict(lasting[1], number=number)
            if known is None:
                entry['size'] = int(_value(os.path.join(base, 'size')))
        except (IOError, OSError) as error:
            if error.errno in (errno.ENOENT, errno.ENODEV):
                continue  # unmapped while we looked
            raise
        if image in found:
            found[image].setdefault('also', []).append(number)
            continue
        if known is None:
            entry['path'] = _device_path(image, number, dev)
        found[image] = entry
    return found


def numbers(entry):
    """Of all mappings of an image, from its entry of C(mapped)."""
    return [entry['number']] + entry.get('also', [])


def _known(number, base, known):
    """What C(_lasting) says, read once for each mapping."""
    # Another mapping under the same number is another folder: with another inode, or the same one made at another time.
    status = os.stat(base)
    stamp, lasting = known.get(number, (None, None))
    if stamp != (status.st_ino, status.st_ctime):
        lasting = _lasting(base)
        known[number] = ((status.st_ino, status.st_ctime), lasting)
    return lasting


def mapping(image, known, sysfs='/sys/bus/rbd/devices'):
    """One image's entry as C(mapped) tells it, without what it tells of others; None when the image is not mapped.

    A take-over of many disks asks for one at each of its steps, and all that are mapped would make that cost the square of their number.
    """
    before = sorted(number for number, (dummy, lasting) in list(known.items()) if lasting is not None and lasting[0] == image)
    found = _mapping_among(before, image, known, sysfs)
    if found is None:
        # What was never looked at first, for it may just have been mapped; a number that is known may be another mapping's by now.
        found = _mapping_among(sorted(_numbers(sysfs), key=lambda number: (number in known, number)), image, known, sysfs)
    return found


def _mapping_among(numbers, image, known, sysfs):
    for number in numbers:
        base = os.path.join(sysfs, str(number))
        try:
            lasting = _known(number, base, known)
            if lasting is not None and lasting[0] == image:
                return dict(lasting[1], number=number, size=int(_value(os.path.join(base, 'size'))))
        except (IOError, OSError) as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise
    return None


def clients(known, sysfs='/sys/bus/rbd/devices'):
    """{image: address of the Ceph client that its mapping has}, with as little to read as can be; known: see C(mapped)."""
    found = {}
    for number in _numbers(sysfs):
        try:
            lasting = _known(number, os.path.join(sysfs, str(number)), known)
        except (IOError, OSError) as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise
            continue
        if lasting is not None:
            found.setdefault(lasting[0], lasting[1]['client'])
    return found


def _device_path(image, number, dev):
    plain = os.path.join(dev, 'rbd%d' % number)
    stable = os.path.join(dev, 'rbd', image)
    try:
        if os.path.realpath(stable) == os.path.realpath(plain) and stat.S_ISBLK(os.stat(plain).st_mode):
            return stable
    except OSError:
        pass
    return plain


def holders(entry, sysfs='/sys/block', dev='/dev', scst=ROOT):
    """What uses a mapping, as texts for people; empty when nothing does."""
    name = 'rbd%d' % entry['number']
    base = os.path.join(sysfs, name, 'holders')
    used = sorted(os.listdir(base)) if os.path.isdir(base) else []
    used += _exported(os.path.join(dev, name), scst)
    try:
        # Mounts, device mapper and SCST since 3.8 claim a block device exclusively; only the claim shows them all.
        os.close(os.open(os.path.join(dev, name), os.O_RDONLY | os.O_EXCL))
    except OSError as error:
        if error.errno == errno.EBUSY and not used:
            used.append('a mount or an exported SCST device')
        elif error.errno not in (errno.EBUSY, errno.ENOENT):
            used.append('something that keeps it from being opened (%s)' % os.strerror(error.errno))
    return used


def _exported(path, scst):
    """SCST's devices on a block device or a partition of it, as texts: before 3.8 SCST opens them without a claim. Closed ones hold nothing."""
    base, found = os.path.join(scst, 'devices'), []
    real = os.path.realpath(path)
    for device in sorted(os.listdir(base)) if os.path.isdir(base) else ():
        try:
            # active is younger than the oldest SCST.
            if (_optional(os.path.join(base, device, 'active')) or '1').startswith('0'):
                continue
            below = os.path.realpath(_value(os.path.join(base, device, 'filename')).split('\n')[0])
            if below == real or below.startswith(real + 'p'):
                found.append('the SCST device %s' % device)
        except (IOError, OSError) as error:
            # A device of another handler has no file; one may go just now. SCST that does not answer (EAGAIN) may have it open.
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                found.append('perhaps the SCST device %s (what it has open is not told: %s)' % (device, os.strerror(error.errno)))
    return found


def check_image_name(image):
    parts = image.split('/')
    if not 2 <= len(parts) <= 3 or not all(parts) or '@' in image or any(c.isspace() for c in image):
        raise Refused('image "%s": an image is written pool/image or pool/namespace/image, without spaces and '
                      'without a snapshot. Correct the name.' % image)
