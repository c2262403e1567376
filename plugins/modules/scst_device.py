#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scst_device
short_description: Manage SCST's virtual disks
version_added: "0.1.0"
description:
  - Creates, changes, resizes and removes devices of SCST's handlers C(vdisk_blockio), C(vdisk_fileio) and C(vdisk_nullio).
  - One call takes any number of devices. Devices that are not listed are not touched, unless O(exclusive_handlers) says so.
  - When SCST refuses one of them, the others are still made, and the module fails at the end, naming all that were refused.
  - The attributes of a device are set before the module returns, so nothing is visible to initiators before M(cephgate.iscsi.scst_lun)
    adds a LUN with it.
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.sysfs
options:
  devices:
    description: The devices.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the device. No blanks and none of C(./;=,!), at most 64 characters (16 with SCST 3.0).
        type: str
        required: true
      state:
        description: Whether the device should exist.
        type: str
        choices: [present, absent]
        default: present
      handler:
        description: The handler that serves it.
        type: str
        choices: [vdisk_blockio, vdisk_fileio, vdisk_nullio]
        default: vdisk_blockio
      filename:
        description:
          - Absolute path of the block device (V(vdisk_blockio)) or file (V(vdisk_fileio)) behind it. Required for both.
          - Changed in place only while the device is closed (C(active) is 0), else by re-creation, see O(recreate).
        type: str
      attributes:
        description:
          - SCST's attributes of the device, under their own names, for example C(t10_vend_id), C(prod_id), C(t10_dev_id), C(usn),
            C(naa_id), C(vend_specific_id), C(blocksize), C(rotational), C(thin_provisioned), C(nv_cache), C(threads_num), C(active),
            C(bind_alua_state), C(cluster_mode), C(expl_alua), and for V(vdisk_nullio) C(size).
          - Those that are not listed keep what they are. An attribute that this SCST does not offer is an error.
          - Some are fixed at creation (C(blocksize), C(nv_cache), C(o_direct), C(read_only), C(removable), C(rotational),
            C(thin_provisioned), C(tst), C(write_through)); see O(recreate).
          - Put values in quotes that YAML would read as numbers, or C(0123) becomes 83.
        type: dict
        default: {}
      attributes_if_offered:
        description:
          - Like O(devices[].attributes), but skipped where this SCST does not offer them. C(naa_id), C(active) and
            C(bind_alua_state) are missing from SCST 3.0, for example.
          - A C(naa_id) given here does not count as what tells two devices apart, since it may be missing; the first 8 bytes of their
            C(t10_dev_id) then have to differ.
        type: dict
        default: {}
  exclusive_handlers:
    description:
      - Handlers whose devices are all listed. Other devices of these handlers are removed.
    type: list
    elements: str
    choices: [vdisk_blockio, vdisk_fileio, vdisk_nullio]
    default: []
  recreate:
    description:
      - Remove and make again a device when something differs that is fixed at creation. Without it that is an error.
      - An exported device also needs O(remove_exported). Its LUNs go and are not put back by this module; run
        M(cephgate.iscsi.scst_lun) and M(cephgate.iscsi.scst_alua) afterwards.
    type: bool
    default: false
  remove_exported:
    description:
      - Remove devices although they are exported. SCST removes their LUNs from all targets, under the eyes of the initiators.
    type: bool
    default: false
  allow_shrink:
    description:
      - Announce a smaller size when the backing device has become smaller than what SCST exports. Without it that is an error.
      - Growth is always announced.
    type: bool
    default: false
  allow_duplicate_identity:
    description:
      - Accept devices with the same C(usn), C(t10_dev_id), C(naa_id) or C(eui64_id), or with the same first 8 bytes of C(t10_dev_id) where
        nothing else tells them apart. Initiators take such devices for paths to one disk; if they are not, data is destroyed.
    type: bool
    default: false
author:
  - the cephgate contributors (@cephgate)
seealso:
  - module: cephgate.iscsi.scst_lun
  - module: cephgate.iscsi.scst_alua
'''

EXAMPLES = r'''
- name: Export an RBD image with an identity that is the same on every gateway
  cephgate.iscsi.scst_device:
    devices:
      - name: db01-3fa2c1
        handler: vdisk_blockio
        filename: /dev/rbd/rbd/db01
        attributes:
          t10_vend_id: CEPHGATE
          prod_id: RBD
          t10_dev_id: 3fa2c1d04be59a77-db01
          vend_specific_id: 3fa2c1d04be59a77-db01
          usn: 3fa2c1d04be59a77c0de
          rotational: false
        attributes_if_offered:
          naa_id: "0x33fa2c1d04be59a7"

- name: These are all the block devices that this node exports
  cephgate.iscsi.scst_device:
    devices:
      - name: db01-3fa2c1
        filename: /dev/rbd/rbd/db01
    exclusive_handlers: [vdisk_blockio]

- name: A device that is gone for good
  cephgate.iscsi.scst_device:
    devices:
      - name: old-77aa01
        state: absent
'''

RETURN = r'''
operations:
  description:
    - What was done, or in check mode what would be done, in order. Empty when nothing differs.
    - After a failure, the operations that were not reached have C(done=false).
  type: list
  elements: dict
  returned: always
  contains:
    object:
      description: The object that it changes.
      type: str
    action:
      description: What happens to it.
      type: str
    how:
      description: How it is done; for SCST always a write to a file of its sysfs tree.
      type: str
    target:
      description: The file, relative to O(sysfs_root).
      type: str
    data:
      description: The text written; secrets are masked.
      type: str
    done:
      description: Whether it was carried out.
      type: bool
  sample:
    - object: 'device db01-3fa2c1'
      action: set prod_id to RBD
      how: write
      target: devices/db01-3fa2c1/prod_id
      data: 'RBD'
      done: true
'''

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock, scst_device
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, performer

DEVICE = dict(
    name=dict(type='str', required=True),
    state=dict(type='str', choices=['present', 'absent'], default='present'),
    handler=dict(type='str', choices=list(scst_device.HANDLERS), default='vdisk_blockio'),
    filename=dict(type='str'),
    attributes=dict(type='dict', default={}),
    attributes_if_offered=dict(type='dict', default={}),
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            devices=dict(type='list', elements='dict', required=True, options=DEVICE),
            exclusive_handlers=dict(type='list', elements='str', choices=list(scst_device.HANDLERS), default=[]),
            recreate=dict(type='bool', default=False),
            remove_exported=dict(type='bool', default=False),
            allow_shrink=dict(type='bool', default=False),
            allow_duplicate_identity=dict(type='bool', default=False),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True)
    options = module.params
    sysfs = Sysfs(options['sysfs_root'])

    def plan():
        wanted = scst_device.normalise(options['devices'], options['exclusive_handlers'], options['allow_duplicate_identity'])
        current = scst_device.snapshot(sysfs, wanted, options['exclusive_handlers'], assume=module.check_mode)
        return scst_device.plan(current, wanted, options['recreate'], options['remove_exported'], options['allow_shrink'],
                                options['allow_duplicate_identity'])

    plan_and_apply(module, plan, performer(sysfs), apart=lambda operation: operation.thing, lock=lock.scst('module scst_device'))


if __name__ == '__main__':
    main()
