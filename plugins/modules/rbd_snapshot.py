#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: rbd_snapshot
short_description: Snapshots of Ceph block images, and the way back to them
version_added: "0.1.0"
description:
  - Creates, protects and removes snapshots, and rolls images back to them.
  - A snapshot of an image that is written to is what a power cut would leave. For more, stop or freeze the application first.
  - An image is rolled back only when nobody has it open, because hosts keep what they have read of a disk. A LUN is therefore
    removed from its hosts first.
  - The whole list is checked before the first snapshot is changed.
  - An image that a gateway serves with C(ha_mode=fenced) keeps its exclusive lock, for which C(rbd snap create) asks in vain. Its snapshot is made
    through its header, which needs Ceph's Python library C(rados) on the host. With the feature C(object-map) or C(journaling) it is refused.
options:
  snapshots:
    description: The snapshots.
    type: list
    elements: dict
    required: true
    suboptions:
      image:
        description: The image as C(pool/image) or C(pool/namespace/image).
        type: str
        required: true
      name:
        description: Name of the snapshot.
        type: str
        required: true
      state:
        description:
          - V(rolled_back) gives the image back the content that the snapshot has. What was written since is lost. It changes
            nothing when the image is as the snapshot already.
          - V(absent) removes the snapshot; one that is protected only with O(snapshots[].protected=false) beside it.
        type: str
        choices: [present, absent, rolled_back]
        default: present
      protected:
        description: Whether the snapshot cannot be removed, as clones want it. Without it that is left as it is.
        type: bool
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.ceph
seealso:
  - module: cephgate.iscsi.rbd_image
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: A snapshot before an upgrade
  cephgate.iscsi.rbd_snapshot:
    client: igw
    snapshots:
      - image: rbd/db01
        name: before-upgrade
        protected: true

- name: Back to it, when no gateway has the image mapped
  cephgate.iscsi.rbd_snapshot:
    client: igw
    snapshots:
      - image: rbd/db01
        name: before-upgrade
        state: rolled_back
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
  sample:
    - {object: snapshot rbd/db01@before-upgrade, action: create, how: run, done: true, target: [rbd, snap, create]}
snapshots:
  description: All snapshots of the listed images, and whether each is protected.
  returned: success
  type: dict
  sample: {rbd/db01: {before-upgrade: true}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph import ceph_argument_spec, rbd_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import plan_snapshots, users_of


def main():
    module = AnsibleModule(
        argument_spec=dict(
            ceph_argument_spec(),
            snapshots=dict(type='list', elements='dict', required=True, options=dict(
                image=dict(type='str', required=True),
                name=dict(type='str', required=True),
                state=dict(type='str', choices=['present', 'absent', 'rolled_back'], default='present'),
                protected=dict(type='bool'),
            )),
        ),
        supports_check_mode=True,
    )
    rbd = rbd_of(module)
    wanted = module.params['snapshots']

    def current():
        return dict((image, rbd.snapshots(image)) for image in sorted(set(entry['image'] for entry in wanted)))

    plan_and_apply(
        module, lambda: plan_snapshots(rbd, current(), wanted, rbd.changed_since, users_of(rbd, mapped())), rbd.perform,
        lambda: dict(snapshots=current()))


if __name__ == '__main__':
    main()
