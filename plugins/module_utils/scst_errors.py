# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an errno means that SCST answered to a command, and what to do about it.

SCST answers with a number only, and one number stands for many things; what it meant shows in what was asked of it.
Which errno belongs to which cause was recorded on SCST 3.10 and 3.0.1.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import re
import stat

RUN_AGAIN = 'Other hands may have changed it meanwhile: run again.'
LOG = 'The kernel log (dmesg) says more.'

# (file, beginning of the text written, errno, advice); the first that matches counts.
ADVICE = [(re.compile(path + '$'), re.compile(data), numbers.split(), advice) for path, data, numbers, advice in (
    ('handlers/[^/]+/mgmt', 'add_device .*filename=', 'ENOENT',
     'The backing device {filename} does not exist. Map or create it, or correct filename.'),
    ('handlers/[^/]+/mgmt', '', 'ENOENT', 'The handler has lost its mgmt file, which a device called mgmt does to it. Reload the module scst_vdisk.'),
    ('handlers/[^/]+/mgmt', 'add_device ', 'ENOTBLK',
     '{filename} is no block device. Give a block device, or use the handler vdisk_fileio.'),
    ('handlers/[^/]+/mgmt', 'add_device ', 'EBUSY',
     '{filename} is open elsewhere: mounted, part of LVM or multipath, or behind another vdisk_blockio device. Find out with lsblk and '
     'end that use.'),
    ('handlers/[^/]+/mgmt', 'add_device ', 'EEXIST',
     'There is a device of that name, or one with the serial number that SCST makes of the name. Choose another name. ' + RUN_AGAIN),
    ('handlers/[^/]+/mgmt', 'add_device ', 'EINVAL', '{name_or_parameters}'),
    ('handlers/[^/]+/mgmt', 'del_device ', 'EINVAL', 'There is no such device any more. ' + RUN_AGAIN),
    ('devices/[^/]+/active', '1', 'ENOENT', 'Its backing device does not exist. Map or create it first.'),
    ('devices/[^/]+/active', '1', 'EBUSY', 'Its backing device is open elsewhere. Find out with lsblk and end that use.'),
    ('devices/[^/]+/filename', '', 'EINVAL', 'SCST takes a new filename only while the device is closed (active is 0).'),
    ('devices/[^/]+/pr_file_name', '', 'EBUSY',
     'It cannot be changed once the device is exported, and SCST 3.1 and later export every device to their own copy manager. Leave it out.'),
    ('targets/iscsi/mgmt', '', 'EPERM', 'iscsi-scstd does not run, and without it there is no iSCSI target. Start it (or the service scst).'),
    ('targets/iscsi/mgmt', 'add_target ', 'EEXIST', 'There is a target of that name, upper and lower case taken for the same. ' + RUN_AGAIN),
    ('targets/iscsi/mgmt', 'add_(target_)?attribute .*OutgoingUser ', 'EEXIST',
     'There is an outgoing user, and SCST has now destroyed it half-way. Remove the target (restart iscsi-scstd if it is the '
     "driver's) and run again."),
    ('targets/iscsi/mgmt', 'add_(target_)?attribute .*User ', 'EINVAL', 'SCST has such a user, or takes its secret for too short. ' + RUN_AGAIN),
    ('targets/iscsi/mgmt', '', 'ENOENT', 'The target, the user or the portal is not there any more. ' + RUN_AGAIN),
    ('targets/iscsi/[^/]+/(rel_tgt_id|enabled)', '', 'EBADSLT',
     'Its rel_tgt_id is that of another enabled target of this node, perhaps of another driver. Give one of them another.'),
    ('targets/iscsi/[^/]+/cpu_mask', '', 'EOVERFLOW EINVAL', 'The mask names processors that this node does not have. Leave them out.'),
    ('.*/cpu_mask', '', 'EOVERFLOW EINVAL', 'The mask names processors that this node does not have. Leave them out.'),
    ('targets/iscsi/iSNSServer', '', 'EHOSTUNREACH', 'The iSNS server does not answer. Start it or correct the address.'),
    ('.*/ini_groups/mgmt', 'create ', 'EEXIST EINVAL', 'There is a group of that name. ' + RUN_AGAIN),
    ('.*/ini_groups/mgmt', 'del ', 'EBUSY', 'A live session is in the group. Log the initiator out, or set disrupt_sessions.'),
    ('.*/ini_groups/mgmt', 'del ', 'EINVAL', 'There is no such group any more. ' + RUN_AGAIN),
    ('.*/initiators/mgmt', 'add ', 'EEXIST', 'The initiator is in the group. ' + RUN_AGAIN),
    ('.*/initiators/mgmt', '(del|move) ', 'EINVAL', 'The initiator or the group is not there any more. ' + RUN_AGAIN),
    ('.*/luns/mgmt', 'add ', 'EEXIST', 'The number is taken. ' + RUN_AGAIN),
    ('.*/luns/mgmt', '(add|replace) ', 'EINVAL', 'There is no such device. Create it with scst_device, then run again.'),
    ('.*/luns/mgmt', 'del ', 'EINVAL', 'There is no such LUN any more. ' + RUN_AGAIN),
    ('.*/luns/mgmt', '', 'ENOENT', 'The target or the group is not there any more. Create it with scst_target, then run again.'),
    ('device_groups/[^/]+/devices/mgmt', 'add ', 'EEXIST', 'The device is in a device group, and can be in one only. ' + RUN_AGAIN),
    ('device_groups/[^/]+/devices/mgmt', 'add ', 'EINVAL', 'There is no such device. Create it with scst_device, then run again.'),
    ('device_groups/.*/target_groups/[^/]+/mgmt', 'add ', 'EEXIST',
     'The target is in a target group of the device group, and can be in one only. ' + RUN_AGAIN),
    ('device_groups/.*mgmt', 'create ', 'EEXIST', 'There is one of that name. ' + RUN_AGAIN),
    ('device_groups/.*mgmt', 'del ', 'EINVAL', 'It is not there any more. ' + RUN_AGAIN),
    ('.*/mgmt', '', 'ENOENT', 'What it belongs to is not there (any more), or its kernel module is not loaded. ' + RUN_AGAIN),
    ('(.*/)?[^/]+', '', 'ENOENT',
     'This SCST does not offer {attribute}, or what it belongs to is gone. Leave it out, or give it under attributes_if_offered.'),
    ('(.*/)?[^/]+', '', 'EACCES',
     '{attribute} cannot be changed on an object that exists. Leave it out, or have the object made again (recreate of scst_device).'),
    ('(.*/)?[^/]+', '', 'EINVAL', 'SCST does not take this value for {attribute}: correct it. ' + LOG),
)]

ANYWHERE = {
    'EAGAIN': 'SCST still had not finished when patience ended; it goes on. Look at last_sysfs_mgmt_res and run again when it can be read.',
    'EACCES': 'Run as root.',
    'EPERM': 'Run as root; a locked-down kernel may also refuse.',
    'ENOMEM': 'The kernel has no memory for it. Free some and run again.',
    'E2BIG': 'A sysfs file takes at most one page. Shorten the value.',
    'EROFS': 'sysfs is mounted read only here, as in a container. Run on the host itself.',
    'ENODEV': 'The backing device is gone. Look at it, then run again.',
    'EIO': 'The backing device or the daemon failed. ' + LOG,
    'EINTR': 'The write was interrupted. Run again.',
}


def explain(operation, number, sysfs):
    """One text: the errno and its meaning, the value, the file, and what to do. Secrets are masked by the caller."""
    name = errno.errorcode.get(number, str(number))
    return "SCST answered %s (%s) to '%s', written to %s. %s" % (
        name, os.strerror(number or 0), operation.data.replace('\n', ''), operation.target, advice(operation, name, sysfs))


def advice(operation, name, sysfs):
    path, data = operation.target, operation.data
    for path_pattern, data_pattern, names, text in ADVICE:
        if name in names and path_pattern.match(path) and data_pattern.match(data):
            if text == '{name_or_parameters}':
                return _add_device(data, path, sysfs)
            filename = re.search('filename=([^;]*)', data)
            return text.format(filename=filename.group(1) if filename else 'the backing device', attribute=path.rsplit('/', 1)[-1])
    return ANYWHERE.get(name, LOG)


def _add_device(command, path, sysfs):
    """Why a device could not be made, of what EINVAL may mean there."""
    name, _blank, parameters = command.split(' ', 1)[1].partition(' ')
    size = len(name) if isinstance(name, bytes) else len(name.encode('utf-8', 'replace'))
    # Every SCST with names of up to 64 characters offers naa_id, and a t10_dev_id on creation; 3.0 has neither.
    if size > 16 and not _takes_long_names(sysfs, path):
        return 'The name has %d characters. This SCST offers no naa_id, so it is of the releases that take at most 16. Choose a shorter name.' % size
    filename = re.search('filename=([^;]*)', parameters)
    if filename and 'vdisk_blockio' in path and _is_regular(filename.group(1)):
        return '%s is no block device. Give a block device, or use the handler vdisk_fileio.' % filename.group(1)
    if 'size=' in parameters:
        return 'One of the parameters is wrong for this handler; size must be a multiple of blocksize. ' + LOG
    return 'The name, or one of the parameters, is nothing that this handler takes. ' + LOG


def _takes_long_names(sysfs, path):
    try:
        if 't10_dev_id' in sysfs.read(path).split('parameters available')[-1]:
            return True
        return any(sysfs.exists('devices/%s/naa_id' % device) for device in sysfs.listdir('devices'))
    except EnvironmentError:
        return True


def _is_regular(filename):
    try:
        return stat.S_ISREG(os.stat(filename).st_mode)
    except EnvironmentError:
        return False
