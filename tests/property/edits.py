# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small changes of a declaration, such as people make: most objects stay as they are."""
import copy

from hypothesis import strategies as st
from world import GROUPS, INITIATORS, TARGETS, declarations, secret


def drop_device(draw, declared):
    if declared['devices']:
        name = draw(st.sampled_from(declared['devices']))['name']
        declared['devices'] = [device for device in declared['devices'] if device['name'] != name]
        declared['luns'] = [lun for lun in declared['luns'] if lun['device'] != name]
        for group in declared['device_groups']:
            group['devices'] = [device for device in group['devices'] if device != name]


def swap_files(draw, declared):
    backed = [device for device in declared['devices'] if device.get('filename')]
    if len(backed) > 1:
        one, other = backed[0], backed[-1]
        one['filename'], other['filename'] = other['filename'], one['filename']


def swap_identities(draw, declared):
    if len(declared['devices']) > 1:
        one, other = declared['devices'][0]['attributes'], declared['devices'][-1]['attributes']
        for name in ('t10_dev_id', 'usn'):
            one[name], other[name] = other[name], one[name]


def set_attribute(draw, declared):
    if declared['devices']:
        draw(st.sampled_from(declared['devices']))['attributes'].update(
            draw(st.sampled_from([dict(threads_num=5), dict(prod_id='OTHER'), dict(rotational=False), dict(blocksize='4096')])))


def rotate_relative_ids(draw, declared):
    numbers = [target['rel_tgt_id'] for target in declared['targets']]
    for target, number in zip(declared['targets'], numbers[1:] + numbers[:1]):
        target['rel_tgt_id'] = number


def toggle_target(draw, declared):
    if declared['targets']:
        target = draw(st.sampled_from(declared['targets']))
        target['enabled'] = not target['enabled']


def drop_target(draw, declared):
    """A target moves to another node: the device groups know it from now on as a remote one."""
    if len(declared['targets']) > 1:
        name = declared['targets'].pop()['name']
        declared['luns'] = [lun for lun in declared['luns'] if lun['target'] != name]
        for group in declared['device_groups']:
            for tg in group['target_groups']:
                for target in tg['targets']:
                    if target['name'] == name:
                        target['rel_tgt_id'] = 200 + TARGETS.index(name)


def change_secret(draw, declared):
    for target in declared['targets']:
        for user in target['incoming_users'][:1]:
            user['secret'] = secret('another')
        if target.get('outgoing_user'):
            target['outgoing_user'] = dict(name='out3', secret=secret('third'))


def move_initiator(draw, declared):
    for target in declared['targets']:
        if len(target['groups']) > 1:
            initiator = draw(st.sampled_from(INITIATORS))
            for group in target['groups']:
                group['initiators'] = [name for name in group['initiators'] if name != initiator]
            draw(st.sampled_from(target['groups']))['initiators'].append(initiator)


def drop_group(draw, declared):
    targets = [target for target in declared['targets'] if len(target['groups']) > 1]
    if targets:
        target = draw(st.sampled_from(targets))
        name = target['groups'].pop()['name']
        declared['luns'] = [lun for lun in declared['luns'] if (lun['target'], lun['group']) != (target['name'], name)]


def add_group(draw, declared):
    for target in declared['targets'][:1]:
        free = [name for name in GROUPS if name not in [group['name'] for group in target['groups']]]
        if target['groups'] and free:
            target['groups'].append(dict(name=free[0], initiators=[]))


def change_lun(draw, declared):
    if declared['luns'] and declared['devices']:
        lun = draw(st.sampled_from(declared['luns']))
        kind = draw(st.sampled_from(['device', 'read_only', 'drop', 'renumber']))
        if kind == 'device':
            lun['device'] = draw(st.sampled_from(declared['devices']))['name']
        elif kind == 'read_only':
            lun['read_only'] = not lun['read_only']
        elif kind == 'drop':
            declared['luns'].remove(lun)
        else:
            lun['lun'] = 10 + max(other['lun'] for other in declared['luns'])


def change_state(draw, declared):
    for group in declared['device_groups'][:1]:
        for tg in group['target_groups']:
            tg['preferred'] = not tg['preferred']
            if tg['state'] in ('active', 'nonoptimized'):
                tg['state'] = 'active' if tg['state'] == 'nonoptimized' else 'nonoptimized'


def swap_group_ids(draw, declared):
    for group in declared['device_groups']:
        tgs = group['target_groups']
        if len(tgs) > 1:
            tgs[0]['group_id'], tgs[1]['group_id'] = tgs[1]['group_id'], tgs[0]['group_id']


def swap_members(draw, declared):
    """The targets of two target groups change places; only where no state would then close a device."""
    for group in declared['device_groups']:
        tgs = group['target_groups']
        if len(tgs) > 1 and all(tg['state'] in ('active', 'nonoptimized') for tg in tgs):
            tgs[0]['targets'], tgs[1]['targets'] = tgs[1]['targets'], tgs[0]['targets']


def move_device(draw, declared):
    if len(declared['device_groups']) > 1:
        one, other = declared['device_groups'][:2]
        one['devices'], other['devices'] = other['devices'], one['devices']


EDITS = [drop_target, drop_device, swap_files, swap_identities, set_attribute, rotate_relative_ids, toggle_target, change_secret, move_initiator,
         drop_group, add_group, change_lun, change_lun, change_state, swap_group_ids, swap_members, move_device]


@st.composite
def changes(draw):
    """(declaration, the same with one to four edits)."""
    before = draw(declarations())
    after = copy.deepcopy(before)
    for edit in draw(st.lists(st.sampled_from(EDITS), min_size=1, max_size=4)):
        edit(draw, after)
    return before, after
