# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the tree: names, links and values, and nothing that was not asked for.

A snapshot of 1000 LUNs must cost what their names and links cost, so nothing here walks. Reads that SCST hands
to a kernel thread of their own (C(filename), everything answered by iscsi-scstd, C(active_commands)) are made for
objects that the user declared only.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import stat

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_names import HCIL

DRIVER = 'targets/iscsi'
COPY_MANAGER = 'copy_manager_tgt'
# What a driver's folder holds besides its targets, in the releases looked at; whatever else it holds is looked into.
NO_TARGETS = frozenset(('enabled', 'iSNSServer', 'internal_portal', 'isns_entity_name', 'link_local', 'open_state', 'trace_level', 'version'))


def names(sysfs, path):
    """The objects of a folder, sorted; none when the folder does not exist."""
    try:
        found = sysfs.listdir(path)
    except EnvironmentError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        return []
    if 'mgmt' in found:
        found.remove('mgmt')
    found.sort()
    return found


def value(sysfs, path):
    """An attribute in the form of C(values.canonical); None when this SCST does not offer it."""
    try:
        content = sysfs.read(path)
    except EnvironmentError as error:
        if error.errno != errno.ENOENT:
            raise
        return None
    return values.shown(path.rsplit('/', 1)[-1], content)


def link(sysfs, path):
    """The name of the object that a link leads to; None when there is no such link."""
    try:
        return sysfs.readlink(path).rstrip('/').rsplit('/', 1)[-1]
    except EnvironmentError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):
            raise
        return None


def devices(sysfs, handler):
    """The virtual disks of a handler. SCST 3.0 lists the node's own SCSI devices (H:C:I:L) there too; they are left out."""
    return [name for name in names(sysfs, 'handlers/' + handler)
            if name not in ('type', 'trace_level') and not HCIL.match(name)]


def sessions(sysfs, target):
    """The live sessions of an iSCSI target as {session: group}; the group of the default LUNs is None.

    A session's folder has the name of its initiator, with C(#portal) when per_portal_acl is set and C(_1) for another
    session of the same initiator.
    """
    found = {}
    folder = '%s/%s/sessions' % (DRIVER, target)
    for session in names(sysfs, folder):
        try:
            parts = sysfs.readlink('%s/%s/luns' % (folder, session)).split('/')
        except EnvironmentError as error:
            if error.errno != errno.ENOENT:
                raise
            continue  # it went away meanwhile
        found[session] = parts[-2] if len(parts) > 2 and parts[-3] == 'ini_groups' else None
    return found


def targets(sysfs, listing=None):
    """Every target of every driver except the copy manager, as {name: folder}; listing: the names in the iSCSI driver's folder."""
    found = {}
    for driver in names(sysfs, 'targets'):
        if driver == 'copy_manager':
            continue
        base = 'targets/' + driver
        for name in listing if listing is not None and base == DRIVER else names(sysfs, base):
            folder = base + '/' + name
            if name not in NO_TARGETS and ('.' in name or ':' in name or sysfs.exists(folder + '/ini_groups')):
                found[name] = folder
    return found


def require_driver(listing):
    """Refuse when targets cannot be made, as the names in the driver's folder show: no module, or its daemon does not run."""
    if not listing:
        raise Refused('%s does not exist: the kernel module iscsi-scst is not loaded. Start the service scst.' % DRIVER)
    if 'enabled' not in listing:
        raise Refused('%s/enabled does not exist: iscsi-scstd does not run, and without it SCST makes no iSCSI target. '
                      'Start it (or the service scst).' % DRIVER)


def write(thing, action, path, data, secrets=()):
    return Operation(thing, action, 'write', path, data, secrets)


def set_attribute(thing, folder, name, wanted, found=None, certain=True):
    """The operation that sets an attribute; C(found) is its value until now, if it was read."""
    action = 'set ' + name + ' to ' + (wanted or 'nothing')
    if found is not None:
        action += ' (was %s)' % (found or 'nothing')
    # SCST never sees a write of no bytes, so an attribute is cleared by a newline.
    data, path = wanted or '\n', folder + '/' + name
    if certain:
        return Operation(thing, action, 'write', path, data)
    return Operation(thing, action + ', if SCST offers it', 'write_if_offered', path, data)


def same_file(one, other):
    """Whether two paths lead to one file or block device, now."""
    try:
        return bool(one) and os.path.samefile(one, other)
    except EnvironmentError:
        return False


def backing_size(filename):
    """Size of a backing block device or file in bytes; None when it cannot be told, for example because it is away."""
    try:
        status = os.stat(filename)
        if not stat.S_ISBLK(status.st_mode):
            return status.st_size
        number = '/sys/dev/block/%d:%d/size' % (os.major(status.st_rdev), os.minor(status.st_rdev))
        with open(number) as handle:
            return int(handle.read()) * 512  # always in units of 512 bytes, whatever the device's block size
    except (EnvironmentError, ValueError):
        return None
