#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scst_lun
short_description: Manage the LUNs of SCST's iSCSI targets
version_added: "0.1.0"
description:
  - Gives devices LUN numbers in the initiator groups of targets, replaces and renumbers them in place, and removes them.
  - One call takes any number of LUNs. What is not listed is not touched, unless O(exclusive) says that a group's LUNs are complete.
  - What is added or replaced comes before what is removed, and a LUN that stays is not touched.
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.sysfs
options:
  luns:
    description: The LUNs.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The iSCSI name of the target.
        type: str
        required: true
      group:
        description:
          - The initiator group. Left out, the LUN is one of the target's default LUNs, which every initiator in no group sees.
        type: str
      lun:
        description: The number, 0 to 16383. Hosts find LUNs reliably when there is a LUN 0.
        type: int
        required: true
      device:
        description: The device. Required unless the LUN is to be absent.
        type: str
      read_only:
        description: Whether initiators may only read.
        type: bool
        default: false
      state:
        description: Whether the LUN should exist.
        type: str
        choices: [present, absent]
        default: present
  exclusive:
    description:
      - Where the list is complete; other LUNs there are removed.
    type: list
    elements: dict
    default: []
    suboptions:
      target:
        description: The iSCSI name of the target.
        type: str
        required: true
      group:
        description: One initiator group. Left out, all groups of the target and its default LUNs.
        type: str
  disrupt_sessions:
    description:
      - Remove LUNs, or put another device behind them, although live sessions see them. Without it that is an error.
    type: bool
    default: false
  allow_default_luns:
    description:
      - Accept default LUNs in a target that has initiator groups. An initiator that is taken out of its group would see them in the place
        of its own disks.
    type: bool
    default: false
author:
  - the cephgate contributors (@cephgate)
seealso:
  - module: cephgate.iscsi.scst_device
  - module: cephgate.iscsi.scst_target
'''

EXAMPLES = r'''
- name: Two LUNs of one group, one of them read only, and nothing else in this target
  cephgate.iscsi.scst_lun:
    luns:
      - target: iqn.2026-11.com.example.cephgate:gw1
        group: db
        lun: 0
        device: db01-3fa2c1
      - target: iqn.2026-11.com.example.cephgate:gw1
        group: db
        lun: 1
        device: ref-90be11
        read_only: true
    exclusive:
      - target: iqn.2026-11.com.example.cephgate:gw1

- name: Remove one LUN
  cephgate.iscsi.scst_lun:
    luns:
      - target: iqn.2026-11.com.example.cephgate:gw1
        group: db
        lun: 1
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
    - object: 'target iqn.2026-11.com.example.cephgate:gw1: group db: LUN 0'
      action: add device db01-3fa2c1
      how: write
      target: targets/iscsi/iqn.2026-11.com.example.cephgate:gw1/ini_groups/db/luns/mgmt
      data: 'add db01-3fa2c1 0'
      done: true
'''

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock, scst_lun
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, performer

LUN = dict(
    target=dict(type='str', required=True),
    group=dict(type='str'),
    lun=dict(type='int', required=True),
    device=dict(type='str'),
    read_only=dict(type='bool', default=False),
    state=dict(type='str', choices=['present', 'absent'], default='present'),
)
SCOPE = dict(
    target=dict(type='str', required=True),
    group=dict(type='str'),
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            luns=dict(type='list', elements='dict', default=[], options=LUN),
            exclusive=dict(type='list', elements='dict', default=[], options=SCOPE),
            disrupt_sessions=dict(type='bool', default=False),
            allow_default_luns=dict(type='bool', default=False),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True)
    options = module.params
    sysfs = Sysfs(options['sysfs_root'])

    def plan():
        wanted, scopes = scst_lun.normalise(options['luns'], options['exclusive'])
        current = scst_lun.snapshot(sysfs, wanted, scopes, assume=module.check_mode)
        return scst_lun.plan(current, wanted, scopes, options['disrupt_sessions'], options['allow_default_luns'])

    plan_and_apply(module, plan, performer(sysfs), lock=lock.scst('module scst_lun'))


if __name__ == '__main__':
    main()
