#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: disk_mount
short_description: Make, mount and grow file systems on network disks
version_added: "0.1.0"
description:
  - Makes a file system on a disk that is empty, mounts it now and at boot, and grows it when its disk has grown. Many
    disks in one call; one where nothing is to be done costs two short commands.
  - A disk is empty when C(blkid) finds no signature on it, neither of a file system nor of a partition table, a RAID or a
    volume group, its first MiB holds zeros only, and nothing uses it or has it open. Any other disk is refused, unless it
    already holds the declared kind of file system. A new RBD image is empty.
  - In C(/etc/fstab) only the lines of the declared mount points change, every other byte stays. Systemd is told.
  - Everything is checked before the first disk is touched.
options:
  mounts:
    description: The file systems.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Mount point; made when it is missing. Folders of the system itself, such as C(/etc) and C(/var), are refused.
        type: str
        required: true
      device:
        description: The disk, by a name that stays, such as V(/dev/mapper/36db1a8a5b3f3c9d1). Needed unless O(mounts[].state=absent).
          One disk is listed for one mount point.
        type: str
      name:
        description: A name for messages, such as that of the image.
        type: str
      fstype:
        description: Kind of file system. V(ext2), V(ext3), V(ext4) and V(xfs) can be grown.
        type: str
        default: ext4
      options:
        description:
          - Mount options. V(_netdev) is always among them, since without it a boot waits for the disk before there is a network,
            and a shutdown takes the network away first.
          - Changed options of a file system that is mounted hold from its next mount on.
        type: str
        default: _netdev
      create:
        description: Whether to make the file system when the disk is empty.
        type: bool
        default: true
      grow:
        description: Whether to grow the file system when its disk has grown.
        type: bool
        default: true
      state:
        description:
          - V(absent) unmounts it and removes its line of fstab; the data stay.
          - Refused when what is mounted there or stands in fstab is not O(mounts[].device) or, where that is not given, no
            multipath disk. The line of a map that is gone is removed.
        type: str
        choices: [mounted, absent]
        default: mounted
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.multipath_map
requirements:
  - util-linux, and the tools of the file systems (e2fsprogs, xfsprogs).
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Use two disks
  cephgate.iscsi.disk_mount:
    mounts:
      - device: /dev/mapper/36db1a8a5b3f3c9d1
        name: rbd/db01
        path: /srv/db
      - device: /dev/mapper/3650aa51c9a1e2d3f
        path: /srv/archive
        fstype: xfs
        options: _netdev,noatime,x-systemd.device-timeout=180
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
"""

import io
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_mounts import FsTools, Snapshot, plan, plan_growth
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import DeclaredModule
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform, report

FSTAB = '/etc/fstab'


def read():
    if not os.path.exists(FSTAB):
        return u''
    # One character for each byte: nobody says in which encoding the comments are.
    with io.open(FSTAB, encoding='latin-1', newline='') as handle:
        return handle.read()


def write(module, tools, text):
    temporary = os.path.join(module.tmpdir, 'fstab')
    with open(temporary, 'wb') as handle:
        handle.write(text.encode('latin-1'))
    os.chmod(temporary, 0o644)
    module.atomic_move(temporary, FSTAB)
    # Systemd makes its mount units, with their order at boot and shutdown, of fstab when it is told to.
    if os.path.isdir('/run/systemd/system'):
        tools.call(['systemctl', 'daemon-reload'])


def latin(value):
    """As the text of fstab is held: one character for each byte."""
    text = value.decode('utf-8') if isinstance(value, bytes) else u'%s' % value
    return text.encode('utf-8').decode('latin-1')


def main():
    module = DeclaredModule(
        argument_spec=dict(
            mounts=dict(type='list', elements='dict', required=True, options=dict(
                path=dict(type='str', required=True),
                device=dict(type='str'),
                name=dict(type='str'),
                fstype=dict(type='str', default='ext4'),
                options=dict(type='str', default='_netdev'),
                create=dict(type='bool', default=True),
                grow=dict(type='bool', default=True),
                state=dict(type='str', choices=['mounted', 'absent'], default='mounted'),
            )),
        ),
        supports_check_mode=True,
    )
    mounts, tools, disks = module.params['mounts'], FsTools(module.run_command), Disks()

    def performer(operation):
        if operation.how == 'fstab':
            write(module, tools, operation.data)
        elif operation.how == 'mount':
            if not os.path.isdir(operation.target):
                os.makedirs(operation.target)
            tools.call(['mount', operation.target])
        else:
            tools.call(operation.target)

    operations, done, problem = [], 0, None
    try:
        operations = plan(mounts, Snapshot(disks, tools, read(), latin), new_packages=module.check_mode)
        if not module.check_mode:
            done = len(perform(operations, performer))
        growth = plan_growth(mounts, Snapshot(disks, tools, read(), latin))
        operations = operations + growth
        if not module.check_mode:
            done += len(perform(growth, performer))
    except Failed as error:
        done += len(error.done)
        problem = '%s. %d of %d operations were done before it and stay; run again to finish.' % (error, done, len(operations))
    except (Refused, EnvironmentError) as error:
        problem = str(error)
    result = report(operations, done, module.check_mode)
    for entry in result['operations']:
        # The text of fstab holds other people's lines.
        if entry['how'] == 'fstab':
            entry.pop('data', None)
    if problem:
        result['changed'] = done > 0
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == '__main__':
    main()
