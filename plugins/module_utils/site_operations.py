# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against an operation on the running site: pure functions of the declaration and of who is logged in where.

C(seen), as gateways_seen() makes it: {gateway: {answered, why, enabled, drained, sessions}}, sessions as of scst_info.
Each problem is one sentence that names the object, what was found, the rule and the remedy.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible_collections.cephgate.iscsi.plugins.module_utils.site import target_name

ANYWAY = 'set cephgate_disrupt_sessions to true'


def gateways_seen(looked, told, iqn_prefix):
    """What every gateway said.

    looked: results of scst_info (status, sessions) in a loop over gateways; told: those of C(cephgate --json status).
    """
    drained = {}
    for result in told:
        try:
            drained[result['item']] = bool(json.loads(result.get('stdout') or '{}').get('drained'))
        except (ValueError, AttributeError):
            pass  # an older command, or none: that gateway does not know of draining
    seen = {}
    for result in looked:
        name = result['item']
        target = target_name(iqn_prefix, name)
        answered = 'sessions' in result and 'targets' in result
        seen[name] = dict(
            answered=answered, why=None if answered else ' '.join(str(result.get('msg') or 'it did not answer').split()),
            enabled=any(one['name'] == target and one['enabled'] for one in result.get('targets') or ()),
            drained=drained.get(name, False),
            sessions=[one for one in result.get('sessions') or () if one['target'] == target])
    return seen


def serving(entry):
    return entry['answered'] and entry['enabled'] and not entry['drained']


def name_problem(what, variable, name, known):
    """Why an answer names nothing, or None. C(what): a gateway, an image; C(variable): the variable to set."""
    listed = ', '.join(sorted(known)) or 'none'
    if not name:
        return '%s is not set: name the %s that is meant (%s).' % (variable, what, listed)
    if name not in known:
        return '%s "%s" is no %s of this site (%s). Correct the name.' % (variable, name, what, listed)
    return None


def _luns(sessions):
    """{initiator: numbers of the LUNs that it sees}"""
    found = {}
    for session in sessions:
        found.setdefault(session['initiator'], set()).update(lun['lun'] for lun in session['luns'])
    return found


def _host(initiator, sessions):
    groups = sorted(set(one['group'] for one in sessions if one['initiator'] == initiator and one['group']))
    return ' (host %s)' % ', '.join(groups) if groups else ''


def _reason(name, entry, initiator):
    if not entry['answered']:
        return '%s does not answer: %s' % (name, entry['why'].rstrip('.'))
    if entry['drained']:
        return '%s is drained' % name
    if not entry['enabled']:
        return 'the target of %s is not enabled' % name
    if initiator not in _luns(entry['sessions']):
        return 'it is not logged in to %s' % name
    return '%s does not show it all of them' % name


def drain_problems(gateway, seen):
    """Why a gateway cannot be taken out of service: initiators for which it is the last path to some LUN."""
    wrong = name_problem('gateway', 'cephgate_gateway', gateway, seen)
    if wrong:
        return [wrong]
    here = seen[gateway]
    if not here['answered']:
        return ['gateway %s: who uses it is not known, for it does not answer (%s). Bring it back first; one that is dead needs no '
                'draining.' % (gateway, here['why'].rstrip('.'))]
    others = dict((name, seen[name]) for name in seen if name != gateway)
    elsewhere = {}
    for name in others:
        if serving(others[name]):
            for initiator, luns in _luns(others[name]['sessions']).items():
                elsewhere.setdefault(initiator, set()).update(luns)
    problems = []
    for initiator, luns in sorted(_luns(here['sessions']).items()):
        alone = sorted(luns - elsewhere.get(initiator, set()))
        if alone:
            reasons = [_reason(name, others[name], initiator) for name in sorted(others)] or ['there is no other gateway']
            problems.append(
                'gateway %s is the last path of initiator %s%s to LUN %s: %s. Log it in there (playbooks/site.yml on that host, or see '
                'why its sessions are gone), or let it stop using these disks; to cut it off all the same, %s.' % (
                    gateway, initiator, _host(initiator, here['sessions']), ', '.join(str(number) for number in alone),
                    '; '.join(reasons), ANYWAY))
    return problems


def _places(sessions):
    """{(initiator, address of ours that it is connected to)}; without connections, the initiator alone."""
    found = set()
    for session in sessions:
        addresses = [one.get('target_ip') for one in session['connections'] if one.get('target_ip')] or [None]
        found |= set((session['initiator'], address) for address in addresses)
    return found


def missing_sessions(before, now, gateway):
    """Sessions that a gateway had and has not any more, as sentences; of what gateways_seen() said then and now."""
    entry = now.get(gateway) or dict(answered=False, why='nobody asked it')
    if not entry['answered']:
        return ['gateway %s does not answer: %s' % (gateway, entry['why'])]
    problems = [] if entry['enabled'] else ['the target of gateway %s is not enabled' % gateway]
    gone = _places(before[gateway]['sessions']) - _places(entry['sessions'])
    return problems + ['initiator %s is not back at %s%s' % (initiator, gateway, ' (portal %s)' % address if address else '')
                       for initiator, address in sorted(gone, key=str)]


def lun_problems(image, luns, seen, released=()):
    """Why a LUN cannot be taken away: initiators that see it and did not let go.

    released: initiators whose hosts have let go of it.
    """
    declared = dict((lun['image'], lun) for lun in luns)
    wrong = name_problem('image', 'cephgate_image', image, declared)
    if wrong:
        return [wrong]
    hosts = declared[image].get('hosts') or {}
    users = {}
    for name in sorted(seen):
        for session in seen[name]['sessions']:
            number = hosts.get(session['group'])
            if number is not None and number in [lun['lun'] for lun in session['luns']] and session['initiator'] not in released:
                users.setdefault((session['initiator'], session['group'], number), set()).add(name)
    silent = ['gateway %s does not answer (%s), so it is not known who uses %s there, and it would go on serving it. Bring it back first.' % (
        name, seen[name]['why'].rstrip('.'), image) for name in sorted(seen) if not seen[name]['answered']]
    return silent + [
        'image %s: initiator %s (host %s) sees it as LUN %d through %s. Let that host let go of it first (unmount it and remove its disk; '
        'Linux hosts of this inventory do so by themselves), or take it from under it: %s.' % (
            image, initiator, host, number, ', '.join(sorted(names)), ANYWAY)
        for (initiator, host, number), names in sorted(users.items())]


def withdrawal_problems(gateway, luns, gateways):
    """Why a gateway cannot leave the site for good."""
    wrong = name_problem('gateway', 'cephgate_gateway', gateway, gateways)
    if wrong:
        return [wrong]
    if len(gateways) == 1:
        return ['gateway %s is the only one, so nobody would serve the site any more. To end the whole site use playbooks/purge.yml.' % gateway]
    return ['image %s prefers gateway %s (gateway: in cephgate_luns). Name another one, or none, and it moves.' % (lun['image'], gateway)
            for lun in luns if lun.get('gateway') == gateway and lun.get('state') != 'absent']


def purge_problems(confirm, iqn_prefix, seen):
    """Why the project's objects cannot be removed from all gateways."""
    if confirm != iqn_prefix:
        return ['cephgate_purge_confirm is %s. A purge takes every disk of this site from its hosts: to confirm that it is meant, set it '
                'to the site\'s own name, cephgate_iqn_prefix.' % ('not set' if not confirm else '"%s", which is another name' % confirm)]
    return ['gateway %s: initiator %s%s is logged in. Log it out first, or %s.' % (
        name, initiator, _host(initiator, seen[name]['sessions']), ANYWAY)
        for name in sorted(seen) for initiator in sorted(_luns(seen[name]['sessions']))]


def own_objects(gathered, iqn_prefix, gateway):
    """What of a gateway's SCST is this project's, as scst_target, scst_alua and scst_device take it to remove it.

    gathered: of scst_info with devices, luns and device_groups.
    """
    target = target_name(iqn_prefix, gateway)

    def ours(group):
        targets = [one['name'] for tg in group['target_groups'] for one in tg['targets']]
        return bool(targets) and all(name.startswith(iqn_prefix + ':') for name in targets)

    groups = [group for group in gathered['device_groups'] if ours(group)]
    shown = set(lun['device'] for lun in gathered['luns'] if lun['target'] == target)
    elsewhere = set(lun['device'] for lun in gathered['luns'] if lun['target'] != target)
    grouped = set(name for group in groups for name in group['devices'])
    devices = [device for device in gathered['devices'] if device['name'] in (shown | grouped) - elsewhere]
    backing = [device['filename'] for device in devices if (device.get('filename') or '').startswith('/dev/rbd/')]
    return dict(
        targets=[dict(name=target, state='absent')],
        device_groups=[dict(name=group['name'], state='absent') for group in groups],
        devices=[dict(name=device['name'], state='absent') for device in devices],
        images=[dict(image=path[len('/dev/rbd/'):], state='absent') for path in sorted(backing)])
