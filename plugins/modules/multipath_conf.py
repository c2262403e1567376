#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: multipath_conf
short_description: Edit multipath.conf as a document
version_added: "0.1.0"
description:
  - Sets and removes entries and sections of C(/etc/multipath.conf) by their names. Everything else, comments and
    layout too, stays byte for byte as it is.
  - Before the file is replaced, multipath's own parser reads the new one (C(multipath -t) in a mount namespace of its
    own). A complaint that it did not have before makes the module fail and leaves the file as it is.
  - The file is replaced atomically, and C(multipathd) is told to read it when it changed and the daemon runs. When that
    fails, the previous file is put back, so that file and daemon agree and the next run tries again.
  - Entries of C(overrides), here or in C(/etc/multipath/conf.d), go before those of O(devices). Where they differ the module warns.
  - Values are plain texts and numbers; V(yes) and V(no) may be written as booleans. A value of V(null) removes the
    entry.
options:
  path:
    description:
      - The file. Besides C(/etc/multipath.conf) it may be one in C(/etc/multipath/conf.d), whose entries go before
        those of the main file.
    type: path
    default: /etc/multipath.conf
  defaults:
    description: Entries of the section C(defaults).
    type: dict
    default: {}
  overrides:
    description: Entries of the section C(overrides), which go before those of all devices.
    type: dict
    default: {}
  devices:
    description: Rules for kinds of disks, by vendor and product.
    type: list
    elements: dict
    default: []
    suboptions:
      vendor:
        description: Regular expression for the vendor, compared as text to find the rule in the file.
        type: str
        required: true
      product:
        description: Regular expression for the product, compared as text to find the rule in the file.
        type: str
        required: true
      entries:
        description: Entries of the rule. Others that it has stay.
        type: dict
        default: {}
      state:
        description: V(absent) removes the rule.
        type: str
        choices: [present, absent]
        default: present
  multipaths:
    description: Settings of single disks, by WWID.
    type: list
    elements: dict
    default: []
    suboptions:
      wwid:
        description: The disk's WWID, as in RV(cephgate.iscsi.multipath_map#module:maps).
        type: str
        required: true
      entries:
        description: Entries, for example C(alias).
        type: dict
        default: {}
      state:
        description: V(absent) removes the section.
        type: str
        choices: [present, absent]
        default: present
  blacklist:
    description: Values of the section C(blacklist).
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description: What the value is compared with; V(device) is a kind of disks, by vendor and product.
        type: str
        choices: [devnode, wwid, property, protocol, device]
        required: true
      value:
        description: Regular expression. Not for O(blacklist[].type=device).
        type: str
      vendor:
        description: Regular expression for the vendor, with O(blacklist[].type=device).
        type: str
      product:
        description: Regular expression for the product, with O(blacklist[].type=device).
        type: str
      state:
        description: V(absent) removes the value.
        type: str
        choices: [present, absent]
        default: present
  blacklist_exceptions:
    description: Values of the section C(blacklist_exceptions).
    type: list
    elements: dict
    default: []
    suboptions:
      type:
        description: What the value is compared with; V(device) is a kind of disks, by vendor and product.
        type: str
        choices: [devnode, wwid, property, protocol, device]
        required: true
      value:
        description: Regular expression. Not for O(blacklist_exceptions[].type=device).
        type: str
      vendor:
        description: Regular expression for the vendor, with O(blacklist_exceptions[].type=device).
        type: str
      product:
        description: Regular expression for the product, with O(blacklist_exceptions[].type=device).
        type: str
      state:
        description: V(absent) removes the value.
        type: str
        choices: [present, absent]
        default: present
  backup:
    description: Keep the previous file beside the new one, with the time in its name.
    type: bool
    default: false
  validate:
    description:
      - Have multipath's parser read the new file before it replaces the old one.
      - In check mode this is left out while multipath-tools is not installed.
    type: bool
    default: true
  reload:
    description:
      - Tell a running C(multipathd) to read the file when it changed.
    type: bool
    default: true
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.multipath_map
requirements:
  - multipath-tools
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: A rule for the disks of this site, and nothing else
  cephgate.iscsi.multipath_conf:
    devices:
      - vendor: CEPHGATE
        product: RBD
        entries:
          path_grouping_policy: group_by_node_name
          prio: alua
          detect_prio: false
          failback: 2
          no_path_retry: queue
    backup: true

- name: A name of its own for one disk
  cephgate.iscsi.multipath_conf:
    multipaths:
      - wwid: 36db1a8a5b3f3c9d1
        entries:
          alias: db01

- name: A gateway must not take its rbd devices for paths
  cephgate.iscsi.multipath_conf:
    blacklist:
      - type: devnode
        value: ^rbd[0-9]*
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
edits:
  description: The edits of the file, one text each.
  returned: success
  type: list
  elements: str
  sample: ["device CEPHGATE RBD: set failback to 2 (was manual)"]
validated:
  description: Whether multipath's parser has read the new file.
  returned: success
  type: bool
backup_file:
  description: Name of the copy of the previous file.
  returned: when O(backup) is set and there was a file to change
  type: str
  sample: /etc/multipath.conf.4711.2026-11-22@09:30:00~
"""

import io
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.glue import DeclaredModule
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_document import Document
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_edit import LIST_KINDS, Edits, latin, shown
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_overrides import beaten, others
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_parser import Parser, new_complaints
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd, MultipathError
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_rules import check
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused, report


def read(path):
    """The file as text with one character for each byte; None when there is none."""
    if not os.path.exists(path):
        return None
    with io.open(path, encoding='latin-1', newline='') as handle:
        return handle.read()


def edited(text, params):
    """(new text, a text for each edit) for the options of the module."""
    document = Document(text)
    edits = Edits(document)
    document.check_editable()
    for name in ('defaults', 'overrides'):
        edits.plain_section(name, params[name])
    for rule in params['devices']:
        edits.named('devices', 'device', [('vendor', latin(rule['vendor'])), ('product', latin(rule['product']))],
                    rule['entries'], rule['state'])
    for disk in params['multipaths']:
        edits.named('multipaths', 'multipath', [('wwid', latin(disk['wwid']))], disk['entries'], disk['state'])
    for name in ('blacklist', 'blacklist_exceptions'):
        for item in params[name]:
            if item['type'] == 'device':
                edits.named(name, 'device', [('vendor', latin(item['vendor'])), ('product', latin(item['product']))], {},
                            item['state'])
            else:
                edits.listed(name, item['type'], item['value'], item['state'])
    return document.text, ['%s: %s' % (shown(thing), shown(action)) for thing, action in edits.done]


def name_below_etc(path):
    """The file's place for the parser: the main file, or one of conf.d."""
    if os.path.basename(os.path.dirname(path)) == 'conf.d':
        return os.path.join('multipath', 'conf.d', os.path.basename(path))
    return 'multipath.conf'


def validate(parser, path, old, new):
    """Refuse a new text of which multipath's parser says something that it did not say of the old one."""
    name = name_below_etc(path)
    found = parser.complaints(new.encode('latin-1'), name)
    if found:
        found = new_complaints(parser.complaints((old or '').encode('latin-1'), name), found)
    if found:
        raise Refused('multipath.conf: multipath does not accept the new text and the file was left as it is: %s. '
                      'Correct the options of this task.' % '; '.join(found))


def section_spec(key):
    options = dict((name, dict(type='str', required=True)) for name in key)
    return dict(type='list', elements='dict', default=[], options=dict(
        options, entries=dict(type='dict', default={}),
        state=dict(type='str', choices=['present', 'absent'], default='present')))


LIST_SPEC = dict(type='list', elements='dict', default=[], options=dict(
    type=dict(type='str', choices=list(LIST_KINDS) + ['device'], required=True),
    value=dict(type='str'),
    vendor=dict(type='str'),
    product=dict(type='str'),
    state=dict(type='str', choices=['present', 'absent'], default='present'),
), required_if=[('type', kind, ['value']) for kind in LIST_KINDS] + [('type', 'device', ['vendor', 'product'])])


def main():
    module = DeclaredModule(
        argument_spec=dict(
            path=dict(type='path', default='/etc/multipath.conf'),
            defaults=dict(type='dict', default={}),
            overrides=dict(type='dict', default={}),
            devices=section_spec(['vendor', 'product']),
            multipaths=section_spec(['wwid']),
            blacklist=LIST_SPEC,
            blacklist_exceptions=LIST_SPEC,
            backup=dict(type='bool', default=False),
            validate=dict(type='bool', default=True),
            reload=dict(type='bool', default=True),
        ),
        supports_check_mode=True,
    )
    params, path = module.params, module.params['path']
    multipathd = Multipathd(module.run_command)
    installed = multipathd.installed()
    checked = False
    try:
        check(params)
        old = read(path)
        if u'\0' in (old or u''):
            raise Refused('%s: line %d holds a NUL byte, so it is no text, and multipath would stop reading there. Restore the file.' % (
                path, old[:old.index(u'\0')].count('\n') + 1))
        new, edits = edited(old or '', params)
        if edits and params['validate'] and (installed or not module.check_mode):
            validate(Parser(module.run_command), path, old, new)
            checked = True
        for text in beaten(params['devices'], [(path, new)] + [(each, read(each) or '') for each in others(path)]):
            module.warn(text)
    except (Refused, EnvironmentError) as error:
        module.fail_json(msg=str(error), changed=False)

    operations = []
    if edits:
        operations.append(Operation('file %s' % path, '; '.join(edits), 'file', path))
        if params['reload'] and installed and multipathd.running():
            operations.append(Operation('multipathd', 'read the new configuration', 'run',
                                        ['multipathd', 'reconfigure']))
    result = dict(report(operations, 0, module.check_mode), edits=edits, validated=checked)
    result['diff'] = dict(before_header=path, after_header=path, before=shown(old or u''), after=shown(new))
    if edits and not module.check_mode:
        if params['backup'] and old is not None:
            result['backup_file'] = module.backup_local(path)
        replace(module, path, new)
        result['changed'] = True
        try:
            for operation in operations[1:]:
                multipathd.call(operation.target)
        except MultipathError as error:
            # With the new file in place the next run would find nothing to do, and the daemon would never be told.
            restore(module, path, old)
            result['changed'] = False
            module.fail_json(msg='%s. multipathd did not take the new settings, so %s is again as it was; "journalctl -u '
                             'multipathd" has the reason.' % (error, path), **result)
        for entry in result['operations']:
            entry['done'] = True
    module.exit_json(**result)


def restore(module, path, old):
    if old is None:
        os.unlink(path)
    else:
        replace(module, path, old)


def replace(module, path, text):
    """Put the new text in place of the file, in one step; mode and owner of an old one stay."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    temporary = os.path.join(module.tmpdir, 'multipath.conf')
    with open(temporary, 'wb') as handle:
        handle.write(text.encode('latin-1'))
    os.chmod(temporary, 0o644)
    module.atomic_move(temporary, path)


if __name__ == '__main__':
    main()
