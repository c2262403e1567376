# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iSCSI targets and their driver: what is wanted, what is there, how to get from one to the other."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_chap as chap
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_group
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

SCOPES = ('allowed_portals', 'incoming_users', 'outgoing_user', 'groups', 'initiators')
OWN_OPTIONS = {'enabled': 'enabled', 'rel_tgt_id': 'rel_tgt_id', 'allowed_portal': 'allowed_portals',
               'IncomingUser': 'incoming_users', 'OutgoingUser': 'outgoing_user'}
# Files of a target's folder that only tell.
READ_ONLY = frozenset(('tid', 'luns', 'ini_groups', 'sessions', 'sg_tablesize'))


def normalise(targets, driver=None, allow_ambiguous_initiators=False):
    """The user's lists, checked, every value in canonical form. Returns (targets, driver). Raises Refused."""
    wanted = [_normalise_one(item, allow_ambiguous_initiators) for item in names.mappings(targets, 'targets')]
    names.unique([(target['name'].lower(), 'an entry of the list') for target in wanted], 'target')
    names.unique([(target['rel_tgt_id'], target['thing']) for target in wanted if target.get('rel_tgt_id')], 'rel_tgt_id')
    return wanted, _normalise_driver(driver)


def _normalise_one(item, allow_ambiguous):
    name = names.target(item.get('name'))
    thing = 'target %s' % name
    target = dict(name=name, thing=thing, present=names.present(item, thing),
                  exclusive=_scopes(item.get('exclusive'), SCOPES, thing))
    if not target['present']:
        return target
    target['enabled'] = None if item.get('enabled') is None else values.canonical('enabled', item['enabled'], thing)
    target['rel_tgt_id'] = None if item.get('rel_tgt_id') is None else names.integer(
        item['rel_tgt_id'], thing + ': rel_tgt_id', 1, 65535)
    target['allowed_portals'] = [names.portal(portal, thing + ': portal')
                                 for portal in names.listed(item.get('allowed_portals'), thing + ': allowed_portals')]
    target['allowed_portals'] = sorted(set(target['allowed_portals']), key=target['allowed_portals'].index)
    target['incoming'] = chap.normalise_users(item.get('incoming_users'), thing + ': incoming user')
    target['outgoing'] = chap.normalise_outgoing(item.get('outgoing_user'), thing + ': outgoing user')
    _different_secrets(target['incoming'], target['outgoing'], thing)
    target['attributes'] = _attributes(item.get('attributes'), thing)
    target['if_offered'] = _attributes(item.get('attributes_if_offered'), thing)
    target['groups'] = scst_group.normalise(item.get('groups'), thing, allow_ambiguous)
    return target


def _normalise_driver(driver):
    thing = 'iSCSI driver'
    if not names.mapping(driver, thing):
        return None
    wanted = dict(exclusive=_scopes(driver.get('exclusive'), ('incoming_users', 'outgoing_user'), thing))
    wanted['enabled'] = None if driver.get('enabled') is None else values.canonical('enabled', driver['enabled'], thing)
    wanted['incoming'] = chap.normalise_users(driver.get('incoming_users'), thing + ': incoming user')
    wanted['outgoing'] = chap.normalise_outgoing(driver.get('outgoing_user'), thing + ': outgoing user')
    _different_secrets(wanted['incoming'], wanted['outgoing'], thing)
    wanted['attributes'] = _attributes(driver.get('attributes'), thing)
    return wanted


def _scopes(given, allowed, thing):
    return set(names.choice(scope, thing + ': exclusive', allowed) for scope in names.listed(given, thing + ': exclusive'))


def _different_secrets(incoming, outgoing, thing):
    # RFC 7143 section 12.1.4: a peer could answer its own challenge otherwise, and initiators refuse.
    if outgoing and outgoing['present'] and any(user['secret'] == outgoing['secret'] for user in incoming):
        raise Refused('%s: the outgoing user has the password of an incoming user. CHAP wants two.' % thing)


def _attributes(given, thing):
    attributes = {}
    for name, value in names.mapping(given, thing + ': attributes').items():
        name = values.attribute(name, thing)
        if name in OWN_OPTIONS:
            raise Refused('%s: %s is not set under attributes but by the option %s.' % (thing, name, OWN_OPTIONS[name]))
        if name in READ_ONLY:
            raise Refused('%s: %s cannot be set.' % (thing, name))
        if value is not None:
            attributes[name] = values.canonical(name, value, thing)
    return attributes


def snapshot(sysfs, wanted, driver=None, exclusive_targets=False, assume=False):
    """What is there, as far as C(wanted) needs it. C(assume): as if SCST ran when it does not (check mode)."""
    listing = read.names(sysfs, read.DRIVER)
    if not assume:
        read.require_driver(listing)
    current = dict(targets={}, driver=None, unlisted={}, ids={}, offered=None)
    lower = dict((name.lower(), name) for name in listing)
    for target in wanted:
        there = lower.get(target['name'].lower())
        if there == target['name']:
            current['targets'][there] = _snapshot_one(sysfs, target)
        elif there:
            raise Refused("%s: there is a target '%s'; SCST takes them for the same but removes only the exact spelling. "
                          "Use that one." % (target['thing'], there))
        elif target['present'] and current['offered'] is None:
            current['offered'] = _offered(sysfs, listing)
    listed = set(target['name'] for target in wanted)
    if exclusive_targets:
        for name in listing:
            if name not in listed and sysfs.exists('%s/%s/ini_groups' % (read.DRIVER, name)):
                current['unlisted'][name] = dict(sessions=read.sessions(sysfs, name))
    if any(target.get('rel_tgt_id') for target in wanted):
        for name, folder in read.targets(sysfs, listing).items():
            if name not in current['unlisted']:
                current['ids'][name] = int(read.value(sysfs, folder + '/rel_tgt_id') or 0)
    if driver:
        current['driver'] = _snapshot_common(sysfs, read.DRIVER, listing, driver)
        current['driver']['enabled'] = read.value(sysfs, read.DRIVER + '/enabled')
        if current['driver']['enabled'] is None:
            current['driver']['attributes'] = None  # only when assumed: nothing can be known about it
    return current


def _offered(sysfs, listing):
    """The attributes of a target, seen on one that exists; None when there is none to look at."""
    for name in listing:
        if ':' in name or '.' in name:
            return dict.fromkeys(read.names(sysfs, '%s/%s' % (read.DRIVER, name)), '')
    return None


def _users_matter(wanted):
    return wanted['incoming'] or wanted['outgoing'] or wanted['exclusive'].intersection(('incoming_users', 'outgoing_user'))


def _snapshot_common(sysfs, folder, listing, wanted):
    found = dict(incoming={}, outgoing={})
    names_wanted = list(wanted['attributes']) + list(wanted.get('if_offered', ()))
    found['attributes'] = dict((name, read.value(sysfs, '%s/%s' % (folder, name))) for name in names_wanted)
    if wanted['incoming'] or 'incoming_users' in wanted['exclusive']:
        found['incoming'] = chap.files(sysfs, folder, listing, 'IncomingUser')
    if wanted['outgoing'] or 'outgoing_user' in wanted['exclusive']:
        found['outgoing'] = chap.files(sysfs, folder, listing, 'OutgoingUser')
    return found


def _snapshot_one(sysfs, target):
    folder = '%s/%s' % (read.DRIVER, target['name'])
    if not target['present']:
        return dict(sessions=read.sessions(sysfs, target['name']))
    portals = target['allowed_portals'] or 'allowed_portals' in target['exclusive']
    listing = read.names(sysfs, folder) if portals or _users_matter(target) else []
    found = _snapshot_common(sysfs, folder, listing, target)
    found['enabled'] = read.value(sysfs, folder + '/enabled') if target['enabled'] is not None else None
    found['allowed_portals'] = chap.files(sysfs, folder, listing, 'allowed_portal') if portals else {}
    found.update(groups={}, sessions={}, default_luns=[])
    if target['groups'] or 'groups' in target['exclusive']:
        found['groups'] = scst_group.snapshot(sysfs, folder, target['groups'])
        found['default_luns'] = read.names(sysfs, folder + '/luns')
        if scst_group.may_disturb(target['groups'], found['groups'], target['exclusive'], found['default_luns']):
            found['sessions'] = read.sessions(sysfs, target['name'])
    return found


def plan(current, wanted, driver=None, disrupt_sessions=False, allow_default_luns=False, allow_ambiguous_initiators=False):
    """The operations that lead from C(current) to C(wanted). Raises Refused."""
    first, operations, last = [], [], []
    for name in sorted(current['unlisted']):
        first += _remove(name, current['unlisted'][name], disrupt_sessions)
    for target in wanted:
        if not target['present'] and target['name'] in current['targets']:
            first += _remove(target['name'], current['targets'][target['name']], disrupt_sessions)
    kept = [target for target in wanted if target['present']]
    for target in kept:
        if target['name'] not in current['targets']:
            operations.append(read.write(target['thing'], 'create', read.DRIVER + '/mgmt', 'add_target ' + target['name']))
    operations += _relative_ids(kept, current)
    for target in kept:
        operations += _configure(target, current['targets'].get(target['name']), current['offered'],
                                 (disrupt_sessions, allow_default_luns, allow_ambiguous_initiators))
        last += _enable(target['thing'], '%s/%s' % (read.DRIVER, target['name']), target['enabled'],
                        current['targets'].get(target['name'], {}).get('enabled', '0'))
    if driver:
        found = current['driver']
        owner = chap.Owner()
        operations += _set_all(owner.thing, owner.folder, driver['attributes'], {}, found['attributes'],
                               possible=driver['attributes'])
        operations += chap.plan_incoming(owner, driver['incoming'], found['incoming'], 'incoming_users' in driver['exclusive'])
        operations += chap.plan_outgoing(owner, driver['outgoing'], found['outgoing'], 'outgoing_user' in driver['exclusive'])
        switch = _enable(owner.thing, owner.folder, driver['enabled'], found['enabled'] or '0')
        if driver['enabled'] == '1':
            last += switch
        else:
            first = switch + first
    # Whoever connects must find everything in place, so enabling comes last.
    return first + operations + last


def _remove(name, found, disrupt_sessions):
    thing, folder, operations = 'target %s' % name, '%s/%s' % (read.DRIVER, name), []
    if found['sessions']:
        if not disrupt_sessions:
            raise Refused('%s: has live sessions (%s). Log them out, or set disrupt_sessions.' % (
                thing, ', '.join(sorted(found['sessions'])[:3])))
        operations.append(read.write(thing, 'disable', folder + '/enabled', '0'))
        operations += [read.write(thing, 'close session %s' % session, '%s/sessions/%s/force_close' % (folder, session), '1')
                       for session in sorted(found['sessions'])]
    return operations + [read.write(thing, 'remove', read.DRIVER + '/mgmt', 'del_target ' + name)]


def _relative_ids(kept, current):
    """Set the relative target port ids so that no two enabled targets have the same one even for a moment."""
    ids = dict(current['ids'])
    wanted = dict((target['name'], target['rel_tgt_id']) for target in kept if target['rel_tgt_id'])
    going = set(target for target in current['targets'] if target not in set(item['name'] for item in kept))
    for name in going:
        ids.pop(name, None)
    for target in kept:
        owners = [name for name, number in ids.items() if number and number == wanted.get(target['name'])
                  and name != target['name'] and name not in wanted]
        if owners:
            raise Refused('%s: rel_tgt_id %d is that of target %s. It must be unique. Give one of them another.' % (
                target['thing'], target['rel_tgt_id'], owners[0]))
    operations = []

    def write(name, number, was):
        ids[name] = number
        return read.set_attribute('target %s' % name, '%s/%s' % (read.DRIVER, name), 'rel_tgt_id', str(number),
                                  str(was) if was else None)
    todo = [name for name in sorted(wanted) if ids.get(name, 0) != wanted[name]]
    while todo:
        free = [name for name in todo if wanted[name] not in ids.values()]
        if free:
            operations += [write(name, wanted[name], ids.get(name)) for name in free[:1]]
            todo.remove(free[0])
        else:  # they wait for each other in a ring: one steps aside
            taken = set(ids.values()) | set(wanted.values())
            operations.append(write(todo[0], max(n for n in range(65535, 0, -1) if n not in taken), ids.get(todo[0])))
    return operations


def _configure(target, found, offered, words):
    owner = chap.Owner(target['name'])
    if found is None:
        found = dict(attributes=None, allowed_portals={}, incoming={}, outgoing={}, groups={}, sessions={}, default_luns=[])
    exclusive = target['exclusive']
    operations = _set_all(owner.thing, owner.folder, target['attributes'], target['if_offered'], found['attributes'], offered)
    operations += chap.plan_portals(owner, target['allowed_portals'], found['allowed_portals'], 'allowed_portals' in exclusive)
    operations += chap.plan_incoming(owner, target['incoming'], found['incoming'], 'incoming_users' in exclusive)
    operations += chap.plan_outgoing(owner, target['outgoing'], found['outgoing'], 'outgoing_user' in exclusive)
    return operations + scst_group.Plan(target['name'], target['groups'], found['groups'], exclusive, found['sessions'],
                                        found['default_luns'], *words).operations()


def _set_all(thing, folder, attributes, if_offered, found, offered=None, possible=values.TARGET_ATTRIBUTES):
    """Set what differs. C(found) is None for an object that is made in this run; then C(offered) tells, if known, what it will have."""
    operations = []
    for group, certain in ((attributes, True), (if_offered, False)):
        for name, value in sorted(group.items()):
            was = found[name] if found is not None else None
            known = found if found is not None else offered
            if (known.get(name) is None) if known is not None else certain and name not in possible:
                if certain:
                    raise Refused('%s: this SCST does not offer %s. Leave it out, or give it under attributes_if_offered '
                                  '(targets only).' % (thing, name))
            elif was != value:
                operations.append(read.set_attribute(thing, folder, name, value, was, certain or known is not None))
    return operations


def _enable(thing, folder, wanted, found):
    if wanted is None or wanted == found:
        return []
    return [read.write(thing, 'enable' if wanted == '1' else 'disable', folder + '/enabled', wanted)]
