#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: multipath_map
short_description: See that LUNs are whole multipath disks, grow them, or remove them
version_added: "0.1.0"
description:
  - Finds LUNs by their serial number (VPD page 0x80), which is what a site knows of a LUN beforehand, and waits until
    each is one multipath map with the expected number of paths and at least the expected size.
  - With multipath's default C(find_multipaths strict) no disk becomes a multipath device by itself. The WWIDs of these
    LUNs, and of nothing else, are put into multipath's wwids file.
  - Targets are asked for new LUNs only where a path is missing, and disks for their size only where it is too small.
    Nothing is asked of a session whose connection is broken.
  - Behind a session where a path is missing, a disk that nobody uses and that has neither size nor serial number, since it did not
    answer the scan that found it, is deleted and found anew. The kernel would leave it so.
  - Many LUNs in one call; a LUN that is complete costs a few reads of sysfs.
options:
  maps:
    description: The LUNs.
    type: list
    elements: dict
    required: true
    suboptions:
      serial:
        description: Unit serial number.
        type: str
        required: true
      paths:
        description: Number of paths that are expected. More are no error.
        type: int
        default: 1
      size:
        description:
          - Size in bytes, or with a unit of 1024, that the disk must at least have.
          - A disk that is larger is left alone; nothing is ever shrunk.
        type: bytes
      name:
        description: A name for messages, such as that of the image.
        type: str
  state:
    description:
      - V(present) completes and grows the disks.
      - V(absent) flushes each map and deletes its paths, so that no device is left that leads nowhere. Refused when
        something uses the disk. To be done before the gateways take the LUN away.
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Longest wait for all disks to be complete, in seconds.
    type: int
    default: 120
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.iscsi_session
  - module: cephgate.iscsi.multipath_conf
requirements:
  - multipath-tools, with multipathd running.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Wait for two disks with four paths each
  cephgate.iscsi.multipath_map:
    maps:
      - serial: 5d1c2a7e9b3f40668a12
        name: rbd/db01
        paths: 4
        size: 100G
      - serial: 0c9e44d1a2b7f3e8d615
        name: rbd/archive
        paths: 4
  register: disks

- name: Let go of a disk before the gateways take it away
  cephgate.iscsi.multipath_map:
    state: absent
    maps:
      - serial: 0c9e44d1a2b7f3e8d615
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
maps:
  description: The LUNs as they are at the end.
  returned: always
  type: list
  elements: dict
  contains:
    serial:
      description: Unit serial number.
      type: str
    name:
      description: As in O(maps[].name).
      type: str
    device:
      description: The multipath device.
      type: str
      sample: /dev/mapper/36db1a8a5b3f3c9d1
    dm:
      description: Its kernel name.
      type: str
    wwid:
      description: What multipath knows it by.
      type: str
    size:
      description: Bytes.
      type: int
    paths:
      description:
        - The paths, each with C(device), C(hctl), C(size), C(state) (SCSI), C(access_state) (ALUA, where the
          kernel knows it), C(target), C(portal), C(dm_state) and C(checker_state) (multipathd).
      type: list
      elements: dict
incomplete:
  description: What LUNs still lack; in check mode only, since otherwise the module fails.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils import multipath_luns
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import DeclaredModule
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_wait import Work
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, report


def main():
    module = DeclaredModule(
        argument_spec=dict(
            maps=dict(type='list', elements='dict', required=True, options=dict(
                serial=dict(type='str', required=True),
                paths=dict(type='int', default=1),
                size=dict(type='bytes'),
                name=dict(type='str'),
            )),
            state=dict(type='str', choices=['present', 'absent'], default='present'),
            timeout=dict(type='int', default=120),
        ),
        supports_check_mode=True,
    )
    params = module.params
    multipathd = Multipathd(module.run_command)
    work = Work(Disks(), multipathd, module.check_mode)
    problem, lacking, luns = None, [], []
    try:
        if params['timeout'] < 0:
            raise Refused('timeout is %d seconds. Give 0, to look once, or more.' % params['timeout'])
        if params['state'] == 'present':
            luns, lacking = work.complete(params['maps'], params['timeout'])
        else:
            work.remove(params['maps'])
            luns = multipath_luns.look(work.disks, params['maps'])
    except (Refused, Failed, EnvironmentError) as error:
        problem = str(error)
    texts = ['%s: %s' % (lun.title, text) for lun, text in lacking]
    result = report(work.operations, work.done, module.check_mode)
    states = multipathd.path_states() if any(lun.paths for lun in luns) else {}
    sessions = work.sessions()
    result['maps'] = [multipath_luns.describe(lun, sessions, states) for lun in luns]
    result['incomplete'] = texts
    if texts and not module.check_mode:
        problem = problem or (
            '%d of %d LUNs are not complete after %d s. %s. Compare the sessions (iscsiadm -m session -P 3), what the '
            'gateways export to this host, and "multipathd show paths".' % (
                len(texts), len(luns), params['timeout'], '. '.join(texts)
                + ('. The last command that failed: %s' % work.failure if work.failure else '')))
    if problem:
        module.fail_json(msg=problem, **result)
    module.exit_json(**result)


if __name__ == '__main__':
    main()
