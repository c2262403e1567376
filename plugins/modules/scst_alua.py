#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scst_alua
short_description: Manage SCST's ALUA device and target groups
version_added: "0.1.0"
description:
  - Manages device groups, the target groups in them with their identifiers and states, and the targets, of this node and of others, in
    those.
  - Changes are ordered so that the kernel does not close a backing device by accident. Targets come before states, states that open come
    before states that close, devices come last.
  - One call takes any number of device groups. What is not listed is not touched, unless O(device_groups[].exclusive) or
    O(exclusive_device_groups) says that a list is complete.
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.sysfs
options:
  device_groups:
    description: The device groups.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name.
        type: str
        required: true
      state:
        description: Whether the device group should exist. Its target groups go with it.
        type: str
        choices: [present, absent]
        default: present
      devices:
        description: Devices. Each can be in one device group only.
        type: list
        elements: str
        default: []
      target_groups:
        description: The target groups; normally one per gateway.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name.
            type: str
            required: true
          group_id:
            description: Target port group identifier, 1 to 65535, with the same meaning on all gateways.
            type: int
          state:
            description:
              - The asymmetric access state. Left as it is when not given; a new group is V(active).
              - With C(bind_alua_state) set on a device (the default), leaving V(active) and V(nonoptimized) in a group with targets of this
                node closes its backing device, and returning opens it.
            type: str
            choices: [active, nonoptimized, standby, unavailable, offline, transitioning]
          preferred:
            description: Whether initiators should prefer the group. Left as it is when not given.
            type: bool
          targets:
            description:
              - Targets. A name that is no target of this node stands for a target of another node.
            type: list
            elements: dict
            default: []
            suboptions:
              name:
                description: The iSCSI name of the target.
                type: str
                required: true
              rel_tgt_id:
                description:
                  - The relative target port identifier of a target of another node. Of a target of this node it is set by
                    M(cephgate.iscsi.scst_target), and ignored here except that it must be unique.
                type: int
      exclusive:
        description:
          - The lists of this device group that are complete; what SCST has besides is removed.
        type: list
        elements: str
        choices: [devices, target_groups, targets]
        default: []
  exclusive_device_groups:
    description: Remove all device groups that are not listed.
    type: bool
    default: false
  allow_mixed_states:
    description:
      - Accept target groups with targets of this node in states on both sides of the line between V(active)/V(nonoptimized) and the rest,
        although their devices have C(bind_alua_state) set and would be closed for all of them.
    type: bool
    default: false
  allow_duplicate_ids:
    description:
      - Accept target groups of a device group with the same C(group_id), and targets in it with the same C(rel_tgt_id). SCST does;
        initiators then confuse the gateways.
    type: bool
    default: false
author:
  - the cephgate contributors (@cephgate)
seealso:
  - module: cephgate.iscsi.scst_device
  - module: cephgate.iscsi.scst_target
'''

EXAMPLES = r'''
- name: This node (gw1) is preferred for these devices, gw2 serves them too
  cephgate.iscsi.scst_alua:
    device_groups:
      - name: gw1
        devices: [db01-3fa2c1, ref-90be11]
        target_groups:
          - name: gw1
            group_id: 1
            state: active
            preferred: true
            targets:
              - name: iqn.2026-11.com.example.cephgate:gw1
                rel_tgt_id: 1
          - name: gw2
            group_id: 2
            state: nonoptimized
            targets:
              - name: iqn.2026-11.com.example.cephgate:gw2
                rel_tgt_id: 2
        exclusive: [devices, target_groups, targets]
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
    - object: 'device group gw1: target group gw2'
      action: set state to nonoptimized (was active)
      how: write
      target: device_groups/gw1/target_groups/gw2/state
      data: 'nonoptimized'
      done: true
'''

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock, scst_alua
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, performer

TARGET = dict(
    name=dict(type='str', required=True),
    rel_tgt_id=dict(type='int'),
)
TARGET_GROUP = dict(
    name=dict(type='str', required=True),
    group_id=dict(type='int'),
    state=dict(type='str', choices=list(scst_alua.STATES)),
    preferred=dict(type='bool'),
    targets=dict(type='list', elements='dict', default=[], options=TARGET),
)
DEVICE_GROUP = dict(
    name=dict(type='str', required=True),
    state=dict(type='str', choices=['present', 'absent'], default='present'),
    devices=dict(type='list', elements='str', default=[]),
    target_groups=dict(type='list', elements='dict', default=[], options=TARGET_GROUP),
    exclusive=dict(type='list', elements='str', choices=list(scst_alua.SCOPES), default=[]),
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            device_groups=dict(type='list', elements='dict', default=[], options=DEVICE_GROUP),
            exclusive_device_groups=dict(type='bool', default=False),
            allow_mixed_states=dict(type='bool', default=False),
            allow_duplicate_ids=dict(type='bool', default=False),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True)
    options = module.params
    sysfs = Sysfs(options['sysfs_root'])

    def plan():
        wanted = scst_alua.normalise(options['device_groups'], options['allow_duplicate_ids'])
        current = scst_alua.snapshot(sysfs, wanted, assume=module.check_mode)
        return scst_alua.plan(current, wanted, options['exclusive_device_groups'], options['allow_mixed_states'],
                              options['allow_duplicate_ids'])

    plan_and_apply(module, plan, performer(sysfs), lock=lock.scst('module scst_alua'))


if __name__ == '__main__':
    main()
