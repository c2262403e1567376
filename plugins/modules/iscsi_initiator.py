#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: iscsi_initiator
short_description: Give this host its iSCSI initiator name, without taking it away from others
version_added: "0.1.0"
description:
  - Writes the name into C(/etc/iscsi/initiatorname.iscsi); everything else in that file stays.
  - The name is one for all targets of a host. It is not replaced while sessions or records of targets that are not
    of the site exist, because those arrays know the host by its present name.
  - A host that is logged in under the name of another host of the site is taken for a copy of it, and refused.
  - C(iscsid) reads the name when it starts. Sessions keep the name that they were made with.
options:
  name:
    description: Initiator name.
    type: str
    required: true
  targets:
    description:
      - Prefixes of target names that belong to the site, as in O(cephgate.iscsi.iscsi_session#module:exclusive). Other targets
        are other people's.
    type: list
    elements: str
    default: []
  others:
    description: Initiator names of other hosts of the site, with a name of each host for messages. O(name) must be none of them.
    type: dict
    default: {}
  replace:
    description: Replace the name although other people's targets know this host by it.
    type: bool
    default: false
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.iscsi_session
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Name this host
  cephgate.iscsi.iscsi_initiator:
    name: iqn.1993-08.org.debian:01:db1
    targets: [iqn.2026-11.com.example.cephgate]
    others:
      iqn.1993-08.org.debian:01:web1: web1
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
previous:
  description: Name that the host had before, or V(null).
  returned: success
  type: str
copy_of:
  description: Host of O(others) whose name this one had before, or V(null). Cloned machines have that.
  returned: success
  type: str
other_targets:
  description: Other people's targets that know this host by its name.
  returned: success
  type: list
  elements: str
stale_sessions:
  description: Sessions of the site that were made under another name; they have the new one from their next login on.
  returned: success
  type: list
  elements: str
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils import iscsiadm_initiator
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records, put
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import read as read_file
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions as read_sessions


def read():
    if not os.path.isfile(iscsiadm_initiator.FILE):
        return None
    return read_file(iscsiadm_initiator.FILE)


def write(operation):
    folder = os.path.dirname(iscsiadm_initiator.FILE)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    # Readable by root only, as Debian's package makes it.
    put(iscsiadm_initiator.FILE, operation.data, folder)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            name=dict(type='str', required=True),
            targets=dict(type='list', elements='str', default=[]),
            others=dict(type='dict', default={}),
            replace=dict(type='bool', default=False),
        ),
        supports_check_mode=True,
    )
    params = module.params
    before = {}

    def plan():
        before['text'] = read()
        before['records'] = [(record, record.settings()) for record in Records().all()]
        before['sessions'] = read_sessions()
        return iscsiadm_initiator.plan(params['name'], before['text'], params['targets'], params['others'], params['replace'],
                                       before['records'], before['sessions'])

    def facts():
        previous = iscsiadm_initiator.current_name(before['text'])
        return dict(
            previous=previous, copy_of=params['others'].get(previous),
            other_targets=iscsiadm_initiator.depending(params['targets'], before['records'], before['sessions']),
            stale_sessions=['%s %s' % (session.target, session.portal) for session in iscsiadm_initiator.stale(
                params['name'], params['targets'], before['sessions'], before['records'])])

    plan_and_apply(module, plan, write, facts)


if __name__ == '__main__':
    main()
