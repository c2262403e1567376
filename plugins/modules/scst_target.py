#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scst_target
short_description: Manage SCST's iSCSI targets
version_added: "0.1.0"
description:
  - Creates, configures, enables and removes iSCSI targets, with their portals, CHAP users, negotiated parameters and initiator groups,
    and configures the driver itself.
  - One call takes any number of targets. What is not listed is not touched, unless O(targets[].exclusive) or O(exclusive_targets)
    says that a list is complete.
  - Whatever else is to change, targets and then the driver are enabled last.
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.sysfs
options:
  targets:
    description: The targets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The iSCSI name of the target.
        type: str
        required: true
      state:
        description: Whether the target should exist. Removing one removes its groups and LUNs, and its entries in ALUA target groups.
        type: str
        choices: [present, absent]
        default: present
      enabled:
        description:
          - Whether initiators may log in. Left as it is when not given; a new target is disabled.
          - Disabling does not end sessions that exist.
        type: bool
      rel_tgt_id:
        description:
          - Relative target port identifier, 1 to 65535. It must differ between all targets, on all gateways, that export the same LUN.
          - Not given, SCST assigns the lowest free one when the target is first enabled.
        type: int
      allowed_portals:
        description:
          - Addresses on which the target answers, IPv4 or IPv6, without port; C(*) and C(?) are wildcards, a leading C(!) excludes.
          - A target without any answers on every address of the node.
        type: list
        elements: str
        default: []
      incoming_users:
        description: Users that initiators may log in as (CHAP). A target without any asks for no password.
        type: list
        elements: dict
        default: []
        suboptions: &user
          name:
            description: The name.
            type: str
            required: true
          secret:
            description: The secret (password), at least 12 characters. Required unless it is to be absent.
            type: str
          state:
            description: Whether the user should exist.
            type: str
            choices: [present, absent]
            default: present
      outgoing_user:
        description:
          - The user as which the target proves itself to initiators (mutual CHAP). There is at most one.
        type: dict
        suboptions: *user
      attributes:
        description:
          - SCST's attributes of the target under their own names, for example C(QueuedCommands), C(MaxSessions), C(per_portal_acl),
            C(InitialR2T), C(ImmediateData), C(MaxRecvDataSegmentLength), C(MaxBurstLength), C(HeaderDigest), C(NopInInterval),
            C(RspTimeout), C(alias), C(comment), C(redirect), C(addr_method), C(io_grouping_type), C(cpu_mask).
          - Most apply to new sessions only.
        type: dict
        default: {}
      attributes_if_offered:
        description: Like O(targets[].attributes), but skipped where this SCST does not offer them.
        type: dict
        default: {}
      groups:
        description: Initiator groups. An initiator sees the LUNs of the group that it is in.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name of the group.
            type: str
            required: true
          state:
            description: Whether the group should exist. Its LUNs go with it.
            type: str
            choices: [present, absent]
            default: present
          initiators:
            description:
              - Names of initiators, as they log in; C(*), C(?) and a leading C(!) are wildcards. With C(per_portal_acl), C(name#portal).
              - One initiator can be in one group of a target only, see O(allow_ambiguous_initiators).
            type: list
            elements: str
          attributes:
            description: SCST's attributes of the group, for example C(addr_method), C(io_grouping_type), C(cpu_mask).
            type: dict
            default: {}
      exclusive:
        description:
          - The lists of this target that are complete; what SCST has besides is removed.
          - V(initiators) is about the groups that give O(targets[].groups[].initiators). V(outgoing_user) without
            O(targets[].outgoing_user) means that there is none.
        type: list
        elements: str
        choices: [allowed_portals, incoming_users, outgoing_user, groups, initiators]
        default: []
  exclusive_targets:
    description: Remove all iSCSI targets that are not listed.
    type: bool
    default: false
  driver:
    description: The iSCSI driver as a whole.
    type: dict
    suboptions:
      enabled:
        description: Whether the driver accepts connections.
        type: bool
      incoming_users:
        description: Users for discovery.
        type: list
        elements: dict
        default: []
        suboptions: *user
      outgoing_user:
        description: The user as which the node proves itself at discovery.
        type: dict
        suboptions: *user
      attributes:
        description: SCST's attributes of the driver, for example C(link_local), C(isns_entity_name), C(iSNSServer).
        type: dict
        default: {}
      exclusive:
        description: The lists that are complete.
        type: list
        elements: str
        choices: [incoming_users, outgoing_user]
        default: []
  disrupt_sessions:
    description:
      - Remove targets, groups and initiators although they have live sessions. The sessions of a target are closed; those of a group or
        an initiator lose their LUNs. Without it that is an error.
    type: bool
    default: false
  allow_default_luns:
    description:
      - Accept initiator groups in a target that has default LUNs, which every initiator in no group sees.
    type: bool
    default: false
  allow_ambiguous_initiators:
    description:
      - Accept entries of two groups of a target that the same initiator matches, be it by its name or by wildcards. SCST then takes the
        group that was made first.
    type: bool
    default: false
author:
  - the cephgate contributors (@cephgate)
seealso:
  - module: cephgate.iscsi.scst_lun
  - module: cephgate.iscsi.scst_alua
'''

EXAMPLES = r'''
- name: A target with two portals and one group of initiators, not yet enabled
  cephgate.iscsi.scst_target:
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw1
        rel_tgt_id: 1
        allowed_portals: [10.99.1.11, 10.99.2.11]
        attributes:
          QueuedCommands: 64
        incoming_users:
          - name: db
            secret: "{{ vault_chap_secret }}"
        groups:
          - name: db
            initiators: [iqn.1993-08.org.debian:01:db1]
        exclusive: [allowed_portals, incoming_users, groups, initiators]

- name: Open the doors when LUNs and ALUA states are in place
  cephgate.iscsi.scst_target:
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw1
        enabled: true
    driver:
      enabled: true

- name: Take a target away from hosts that still use it
  cephgate.iscsi.scst_target:
    targets:
      - name: iqn.2026-11.com.example.cephgate:old
        state: absent
    disrupt_sessions: true
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
    - object: 'target iqn.2026-11.com.example.cephgate:gw1'
      action: enable
      how: write
      target: targets/iscsi/iqn.2026-11.com.example.cephgate:gw1/enabled
      data: '1'
      done: true
'''

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock, scst_target
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import DeclaredModule, plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, performer

STATE = dict(type='str', choices=['present', 'absent'], default='present')
USER = dict(
    name=dict(type='str', required=True),
    secret=dict(type='str', no_log=True),
    state=STATE,
)
GROUP = dict(
    name=dict(type='str', required=True),
    state=STATE,
    initiators=dict(type='list', elements='str'),
    attributes=dict(type='dict', default={}),
)
TARGET = dict(
    name=dict(type='str', required=True),
    state=STATE,
    enabled=dict(type='bool'),
    rel_tgt_id=dict(type='int'),
    allowed_portals=dict(type='list', elements='str', default=[]),
    incoming_users=dict(type='list', elements='dict', default=[], options=USER),
    outgoing_user=dict(type='dict', options=USER),
    attributes=dict(type='dict', default={}),
    attributes_if_offered=dict(type='dict', default={}),
    groups=dict(type='list', elements='dict', default=[], options=GROUP),
    exclusive=dict(type='list', elements='str', choices=list(scst_target.SCOPES), default=[]),
)
DRIVER = dict(
    enabled=dict(type='bool'),
    incoming_users=dict(type='list', elements='dict', default=[], options=USER),
    outgoing_user=dict(type='dict', options=USER),
    attributes=dict(type='dict', default={}),
    exclusive=dict(type='list', elements='str', choices=['incoming_users', 'outgoing_user'], default=[]),
)


def main():
    module = DeclaredModule(
        argument_spec=dict(
            targets=dict(type='list', elements='dict', default=[], options=TARGET),
            exclusive_targets=dict(type='bool', default=False),
            driver=dict(type='dict', options=DRIVER),
            disrupt_sessions=dict(type='bool', default=False),
            allow_default_luns=dict(type='bool', default=False),
            allow_ambiguous_initiators=dict(type='bool', default=False),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True)
    options = module.params
    sysfs = Sysfs(options['sysfs_root'])

    def plan():
        wanted, driver = scst_target.normalise(options['targets'], options['driver'], options['allow_ambiguous_initiators'])
        current = scst_target.snapshot(sysfs, wanted, driver, options['exclusive_targets'], assume=module.check_mode)
        return scst_target.plan(current, wanted, driver, options['disrupt_sessions'], options['allow_default_luns'],
                                options['allow_ambiguous_initiators'])

    plan_and_apply(module, plan, performer(sysfs), lock=lock.scst('module scst_target'))


if __name__ == '__main__':
    main()
