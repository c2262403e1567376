#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: rbd_image
short_description: Create, grow and, on request, delete Ceph block images
version_added: "0.1.0"
description:
  - Creates images that are absent and grows images that are smaller than declared.
  - Never shrinks an image, and deletes one only with both O(images[].state=absent) and O(images[].delete).
  - The whole list is checked before the first image is changed.
  - An image that a gateway serves with C(ha_mode=fenced) keeps its exclusive lock, for which C(rbd resize) asks in vain. It is grown through its
    header, which needs Ceph's Python library C(rados) on the host. With the feature C(object-map) or C(journaling) it is refused.
options:
  images:
    description: The images.
    type: list
    elements: dict
    required: true
    suboptions:
      image:
        description: The image as C(pool/image) or C(pool/namespace/image).
        type: str
        required: true
      size:
        description:
          - Size of the image, in bytes or with a unit of 1024 such as V(100G). A multiple of 1 MiB.
          - Needed to create an image. Without it the image has to exist and keeps its size.
        type: bytes
      state:
        description:
          - With V(absent) the image is deleted, which O(images[].delete) has to confirm.
          - An image that is open anywhere (mapped on a gateway, say), that has clones or snapshots is not deleted. Mappings that
            are read-only are not seen when they are on other hosts.
        type: str
        choices: [present, absent]
        default: present
      delete:
        description:
          - How an image with O(images[].state=absent) is deleted. V(trash) moves it into the trash of its pool, from where C(rbd trash
            restore) brings it back, as the same disk; V(forever) destroys its data.
        type: str
        choices: [trash, forever]
      data_pool:
        description: Pool for the data of an image that is created, such as an erasure-coded one. Linux 4.11 and newer.
        type: str
      object_size:
        description: Size of the objects of an image that is created, a power of two from V(4K) to V(32M). Ceph's default is 4 MiB.
        type: bytes
  required_features:
    description:
      - Features that images which exist already must have. When one lacks any of them, all is refused.
    type: list
    elements: str
    default: []
  features:
    description:
      - Features of images that are created. All gateways' kernels must know them.
      - Linux 4.9 and newer know V(layering) and V(exclusive-lock), 5.1 V(deep-flatten), 5.3 V(object-map) and V(fast-diff).
        Older kernels know V(layering) only, and none knows V(journaling).
    type: list
    elements: str
    default: [layering, exclusive-lock]
  exported:
    description:
      - What gateways export under names of O(images), as P(cephgate.iscsi.exported#filter) tells it. When the image of such a name is gone or
        has another internal id, it is another disk to hosts, and all is refused.
      - Names that are not in O(images), or there with O(images[].state=absent), do not count.
    type: list
    elements: dict
    default: []
    suboptions:
      image:
        description: The image as C(pool/image) or C(pool/namespace/image).
        type: str
        required: true
      image_id:
        description: The internal id that it had when it was exported.
        type: str
        required: true
      gateways:
        description: Who exports it, to be named when it is refused.
        type: list
        elements: str
        default: []
extends_documentation_fragment:
  - cephgate.iscsi.attributes
  - cephgate.iscsi.ceph
seealso:
  - module: cephgate.iscsi.rbd_map
  - module: cephgate.iscsi.rbd_snapshot
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Two images, one of which only has to exist
  cephgate.iscsi.rbd_image:
    client: igw
    images:
      - image: rbd/db01
        size: 100G
      - image: rbd/archive

- name: An image of an erasure-coded pool
  cephgate.iscsi.rbd_image:
    client: igw
    images:
      - image: rbd/backup
        size: 1T
        data_pool: ec42
        object_size: 8M

- name: Grow an image that a gateway exports, and only that one
  cephgate.iscsi.rbd_image:
    client: igw
    images:
      - image: rbd/db01
        size: 200G
    exported:
      - image: rbd/db01
        image_id: 1037c2a4b7f1
        gateways: [gw1, gw2]

- name: Put an image away that no gateway has mapped any more
  cephgate.iscsi.rbd_image:
    client: igw
    images:
      - image: rbd/old
        state: absent
        delete: trash
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
  sample:
    - {object: image rbd/db01, action: create with 100 GiB, how: run, done: true, target: [rbd, create]}
images:
  description:
    - For each image its size in bytes and its internal id; empty for an image that does not exist, as in check mode
      before it was created.
  returned: success
  type: dict
  sample: {rbd/db01: {size: 107374182400, image_id: 1037c2a4b7f1}}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph import ceph_argument_spec, rbd_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_identity import check_images
from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import plan_and_apply
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import mapped
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import WAYS, lacks_of, plan_images, unique, uses_of


def main():
    module = AnsibleModule(
        argument_spec=dict(
            ceph_argument_spec(),
            images=dict(type='list', elements='dict', required=True, options=dict(
                image=dict(type='str', required=True),
                size=dict(type='bytes'),
                state=dict(type='str', choices=['present', 'absent'], default='present'),
                delete=dict(type='str', choices=list(WAYS)),
                data_pool=dict(type='str'),
                object_size=dict(type='bytes'),
            )),
            required_features=dict(type='list', elements='str', default=[]),
            features=dict(type='list', elements='str', default=['layering', 'exclusive-lock']),
            exported=dict(type='list', elements='dict', default=[], options=dict(
                image=dict(type='str', required=True),
                image_id=dict(type='str', required=True),
                gateways=dict(type='list', elements='str', default=[]),
            )),
        ),
        supports_check_mode=True,
    )
    rbd = rbd_of(module)
    names = [entry['image'] for entry in module.params['images']]

    def plan():
        unique(module.params['images'])
        if rbd.missing and module.check_mode:
            # A fresh host: the role would have installed the client by now.
            module.warn('The rbd command or its configuration is not installed yet, so it is not known which images exist. '
                        'What is said here assumes none.')
            current = {}
        else:
            current = rbd.images(names)
            check_images(current, module.params['images'], module.params['exported'])
        return plan_images(rbd, current, module.params['images'], module.params['features'],
                           uses_of(rbd, mapped()), lacks_of(rbd, module.params['required_features']))

    def facts():
        if rbd.missing:
            return dict(images=dict((name, {}) for name in names))
        return dict(images=dict((name, dict((key, found[key]) for key in ('size', 'image_id')) if found else {})
                                for name, found in rbd.images(names).items()))

    plan_and_apply(module, plan, rbd.perform, facts)


if __name__ == '__main__':
    main()
