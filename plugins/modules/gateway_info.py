#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: gateway_info
short_description: Say how a gateway does, and how it differs from a declaration
version_added: "0.1.0"
description:
  - Reads what SCST exports, who is logged in, which images are mapped, what the state file says and whether the service C(cephgate)
    runs. Nothing is written and Ceph is asked nothing, so it answers while Ceph does not.
  - A part that cannot be read is named in RV(errors) and costs no other part.
  - With O(state) it says what M(cephgate.iscsi.rbd_map), M(cephgate.iscsi.scst_device), M(cephgate.iscsi.scst_target),
    M(cephgate.iscsi.scst_alua) and M(cephgate.iscsi.scst_lun) would change, which is how the gateway differs from what is declared.
options:
  state:
    description: What the gateway is to serve, as C(state) of the filter P(cephgate.iscsi.gateway_view#filter). Then only RV(plan) is returned.
    type: dict
  secrets:
    description: CHAP secrets by user name, for the users that O(state) names.
    type: dict
    default: {}
  path:
    description: The state file.
    type: path
    default: /etc/cephgate/state.json
extends_documentation_fragment:
  - cephgate.iscsi.attributes.info
  - cephgate.iscsi.sysfs
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: See how the gateway does
  cephgate.iscsi.gateway_info:
  register: seen

- name: See how it differs from what is declared
  cephgate.iscsi.gateway_info:
    state: "{{ view.state }}"
    secrets: "{{ view.secrets }}"
  vars:
    view: >-
      {{ cephgate_luns | cephgate.iscsi.gateway_view(inventory_hostname, cephgate_hosts,
         groups['gateways'] | cephgate.iscsi.gateways(hostvars), cephgate_iqn_prefix, seen.mapped) }}
"""

RETURN = r"""
scst:
  description: Devices, targets, LUNs, ALUA and sessions as M(cephgate.iscsi.scst_info) gives them; V(null) when SCST does not run.
  type: dict
  returned: without O(state)
daemon:
  description: Whether C(iscsi-scstd) runs.
  type: bool
  returned: without O(state)
service:
  description: Who keeps the gateway as its state file says, or V(null).
  type: str
  returned: without O(state)
  sample: cephgate serve (process 812, since 2026-11-22 10:02:11)
drained:
  description: Whether it is out of service by an operator's order.
  type: bool
  returned: without O(state)
state:
  description:
    - Of the state file C(ha_mode), C(unfinished) (a playbook is under way or was stopped), C(written) (seconds since 1970) and C(images), each with
      C(image), C(image_id) (of the exported one), C(device), C(served), what is C(missing), and the service's C(reason).
    - V(null) when there is none.
  type: dict
  returned: without O(state)
agent:
  description:
    - What the agent says of itself, V(null) when it does not run or hangs. C(ceph) is how many seconds ago Ceph answered it, V(null) for never,
      C(refused) the addresses of this gateway's clients that Ceph refuses, C(drain) whether it gives everything away, C(trouble) what fails,
      C(gateways) how the others seem to it, and C(disks) by device with C(image), C(owner), C(here) (access state), C(mapped) (client address),
      C(health) (of the reads of the mapping), C(doing) (a take-over or a release under way) and C(unfit) (could not be taken, is not tried for a while).
  type: dict
  returned: without O(state), with ha_mode fenced
mapped:
  description: The mappings, as RV(cephgate.iscsi.rbd_map#module:mapped).
  type: dict
  returned: without O(state)
kernel:
  description: Release of the running kernel.
  type: str
  returned: without O(state)
errors:
  description: What could not be read, by part.
  type: dict
  returned: without O(state)
plan:
  description:
    - C(operations), one line each, and C(problems), by image.
    - Without O(state) on a gateway with C(ha_mode) V(fenced), of its state file.
  type: dict
  returned: with O(state), or with ha_mode fenced
  sample: {operations: ["image rbd/db01: map"], problems: {}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_state
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_look import Look
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import users, with_secrets
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs


def main():
    module = AnsibleModule(
        argument_spec=dict(
            state=dict(type='dict'),
            secrets=dict(type='dict', default={}, no_log=True),
            path=dict(type='path', default=gateway_cli.STATE),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True,
    )
    params = module.params
    look = Look(Sysfs(params['sysfs_root']), params['path'])
    if params['state'] is None:
        module.exit_json(changed=False, **look.all())
    try:
        gateway_state.check(params['state'])
        unknown = [user['name'] for target in params['state']['targets'] for user in users(target)
                   if user['name'] not in params['secrets']]
        if unknown:
            raise Refused('CHAP user %s: it is in the state, but has no entry in secrets. Give both from one gateway_view.'
                          % ', '.join(sorted(unknown)))
        plan = look.lines(with_secrets(params['state'], params['secrets']))
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error), changed=False)
    module.exit_json(changed=False, plan=plan)


if __name__ == '__main__':
    main()
