#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scst_info
short_description: Show what SCST exports, and write down what it should export
version_added: "0.1.0"
description:
  - Gathers the running state in the shape that the modules of this collection take, so that it can be stored, compared and applied again.
  - Shows sizes, exports and sessions with their I/O counters.
  - Renders such a configuration as the text of an C(scst.conf), without touching the host.
  - By default it reads only what costs SCST no more than a look at its memory. What the modules need beyond that, SCST has a thread of
    its own look up, or asks iscsi-scstd - one such read per device (C(filename)), some 25 per target. See O(gather).
extends_documentation_fragment:
  - cephgate.iscsi.attributes.info
  - cephgate.iscsi.sysfs
options:
  gather:
    description:
      - What to gather. V(status) is about devices and targets, V(sessions) about who is logged in; the others go to RV(gathered), as the
        modules take them.
      - By default all that needs no slow read, which is V(luns), V(device_groups), V(status) and V(sessions); or nothing when O(render)
        is given.
    type: list
    elements: str
    choices: [devices, targets, luns, device_groups, status, sessions]
  include_secrets:
    description:
      - Gather CHAP secrets too. They then stand in the result in clear text; set C(no_log) for the task.
    type: bool
    default: false
  render:
    description:
      - A configuration to render as RV(rendered), as RV(gathered) has it. Any of C(devices), C(targets), C(driver), C(luns) and
        C(device_groups), each as M(cephgate.iscsi.scst_device), M(cephgate.iscsi.scst_target), M(cephgate.iscsi.scst_lun) and
        M(cephgate.iscsi.scst_alua) take it. It is checked as they check it.
      - Secrets are masked in the text. The filter P(cephgate.iscsi.scst_conf#filter) gives the same text with them.
    type: dict
author:
  - the cephgate contributors (@cephgate)
seealso:
  - plugin: cephgate.iscsi.scst_conf
    plugin_type: filter
'''

EXAMPLES = r'''
- name: Look at what is exported to whom
  cephgate.iscsi.scst_info:

- name: Gather all that it takes to make a gateway like this one
  cephgate.iscsi.scst_info:
    gather: [devices, targets, luns, device_groups]
  register: scst

- name: Give another gateway the same devices
  cephgate.iscsi.scst_device:
    devices: "{{ scst.gathered.devices }}"
  delegate_to: gw2

- name: Who uses what
  cephgate.iscsi.scst_info:
    gather: [sessions]

- name: The scst.conf that corresponds to a declaration
  cephgate.iscsi.scst_info:
    render:
      devices:
        - name: db01-3fa2c1
          filename: /dev/rbd/rbd/db01
      luns:
        - target: iqn.2026-11.com.example.cephgate:gw1
          group: db
          lun: 0
          device: db01-3fa2c1
  delegate_to: localhost
'''

RETURN = r'''
gathered:
  description:
    - The running state, as the modules take it.
    - Attributes are those that differ from SCST's defaults, and always those that make up a device's identity.
  type: dict
  returned: when one of its parts is asked for
  contains:
    devices:
      description: For O(ignore:devices) of M(cephgate.iscsi.scst_device).
      type: list
      elements: dict
    targets:
      description: For O(ignore:targets) of M(cephgate.iscsi.scst_target).
      type: list
      elements: dict
    driver:
      description: For O(ignore:driver) of M(cephgate.iscsi.scst_target). Missing while iscsi-scstd does not run.
      type: dict
    luns:
      description: For O(ignore:luns) of M(cephgate.iscsi.scst_lun).
      type: list
      elements: dict
    device_groups:
      description: For O(ignore:device_groups) of M(cephgate.iscsi.scst_alua).
      type: list
      elements: dict
devices:
  description: The virtual disks, with C(name), C(handler), C(size) in bytes, C(active) (whether it is open), and C(exported), where.
  type: list
  elements: dict
  returned: when V(status) is asked for
  sample:
    - name: db01-3fa2c1
      handler: vdisk_blockio
      size: 107374182400
      active: true
      exported: ['iscsi/iqn.2026-11.com.example.cephgate:gw1/ini_groups/db/luns/0']
targets:
  description: The targets, with C(name), C(enabled), C(rel_tgt_id) (0 until SCST assigns one) and their C(groups) of initiators.
  type: list
  elements: dict
  returned: when V(status) is asked for
  sample:
    - name: iqn.2026-11.com.example.cephgate:gw1
      enabled: true
      rel_tgt_id: 1
      groups:
        - name: db
          initiators: ['iqn.1993-08.org.debian:01:db1']
sessions:
  description:
    - The sessions, with C(target), C(initiator), C(group) (null for the default LUNs), C(connections), C(counters) of commands and
      kibibytes since login, and for each of C(luns) the commands in flight.
    - SCST counts I/O per session and not per LUN. For counters of one LUN look at its backing device.
  type: list
  elements: dict
  returned: when V(sessions) is asked for
  sample:
    - target: iqn.2026-11.com.example.cephgate:gw1
      initiator: iqn.1993-08.org.debian:01:db1
      session: iqn.1993-08.org.debian:01:db1
      group: db
      connections:
        - {ip: 10.99.1.21, target_ip: 10.99.1.11, transport: iSCSI-TCP, state: established idle, cid: '0'}
      counters: {read_cmd_count: 344, read_io_count_kb: 3474, write_cmd_count: 0, write_io_count_kb: 0}
      luns:
        - {lun: 0, active_commands: 0}
rendered:
  description: The configuration of O(render) as the text of an C(scst.conf).
  type: str
  returned: when O(render) is given
version:
  description: The release of SCST, for people.
  type: str
  returned: when something is gathered
  sample: 3.10.0
'''

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_conf, scst_info
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs


def main():
    module = AnsibleModule(
        argument_spec=dict(
            gather=dict(type='list', elements='str', choices=list(scst_info.PARTS)),
            include_secrets=dict(type='bool', default=False, no_log=False),
            render=dict(type='dict'),
            sysfs_root=dict(type='path', default=ROOT),
        ),
        supports_check_mode=True)
    options = module.params
    gather = options['gather']
    if gather is None:
        gather = [] if options['render'] is not None else list(scst_info.FAST)
    result = dict(changed=False)
    try:
        if options['render'] is not None:
            module.no_log_values.update(scst_conf.secrets(options['render']))
            result['rendered'] = scst_conf.render(options['render'])
        if gather:
            result.update(scst_info.collect(Sysfs(options['sysfs_root']), gather, options['include_secrets']))
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == '__main__':
    main()
