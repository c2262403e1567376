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

from ansible_collections.cephgate.iscsi.plugins.module_utils.site import preferred_gateway, present, record_pool, target_name

ANYWAY = 'set cephgate_disrupt_sessions to true'


def gateways_seen(looked, told, iqn_prefix):
    """What every gateway said.

    looked: results of scst_info (status, sessions) in a loop over gateways; told: those of C(cephgate --json status).
    """
    said = {}
    for result in told:
        try:
            said[result['item']] = dict(json.loads(result.get('stdout') or '{}'))
        except (ValueError, TypeError):
            pass  # an older command, or none: that gateway does not know of draining
    seen = {}
    names = dict((target_name(iqn_prefix, result['item']), result['item']) for result in looked)
    for result in looked:
        name = result['item']
        target = target_name(iqn_prefix, name)
        # Of another machine than is meant nothing is known of the one that is: who is logged in there would be overlooked.
        others = sorted(set(names[one['name']] for one in result.get('targets') or () if one['name'] in names) - set([name]))
        why = None
        if 'sessions' not in result or 'targets' not in result:
            why = ' '.join(str(result.get('msg') or 'it did not answer').split())
        elif others:
            why = 'the machine that answered has the target of gateway %s: do both names lead to one machine?' % others[0]
        seen[name] = dict(
            answered=why is None, why=why,
            enabled=any(one['name'] == target and one['enabled'] for one in result.get('targets') or ()),
            drained=bool(said.get(name, {}).get('drained')),
            images=dict((one['image'], dict(served=one['served'], here=one.get('here'))) for one in said.get(name, {}).get('images') or ()),
            sessions=[one for one in result.get('sessions') or () if one['target'] == target])
    return seen


def mode_problems(told, gateway, mode, pool, luns):
    """Why a gateway cannot get this mode, or this pool of records, as long as it is in service.

    told: what C(cephgate --json status) printed there; pool: as declared
    """
    try:
        found = dict(json.loads(told or '{}'))
    except (ValueError, TypeError):
        return []  # no command, or one that could not tell: nothing is in service by it
    held = found.get('held')
    if not held or 'ha_mode' not in found:
        return []
    how = ('changes out of service: on every gateway "systemctl disable --now cephgate-agent", "systemctl stop cephgate" and "cephgate '
           'release" (hosts lose their disks meanwhile), then the site playbook.')
    having = '%s%s' % ('; '.join(word.split(' (process')[0] for word in held[:3]), ' and %d more' % (len(held) - 3) if len(held) > 3 else '')
    if found['ha_mode'] != mode:
        return ['gateway %s: cephgate_ha_mode is %s, and it is in service in the mode %s (%s). Set cephgate_ha_mode to %s. The mode %s' % (
            gateway, mode, found['ha_mode'], having, found['ha_mode'], how)]
    wanted = record_pool(present(luns), pool)
    if mode == 'fenced' and found.get('pool') and wanted and wanted != found['pool']:
        return ['gateway %s: the records of the gateways would lie in pool %s, and its agent has them in pool %s: gateways that keep them in '
                'different pools take each other for dead. Set cephgate_ha_pool to %s. The pool %s' % (
                    gateway, wanted, found['pool'], found['pool'], how)]
    return []


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


def _state(entry):
    """Why a gateway does not serve, or None."""
    return 'it does not answer (%s)' % entry['why'].rstrip('.') if not entry['answered'] else \
        'it is drained' if entry['drained'] else 'its target is not enabled' if not entry['enabled'] else None


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


def failback_problems(gateways, luns, seen):
    """Why the disks that are declared to be these gateways' cannot be moved there: initiators that would lose their path. For ha_mode fenced."""
    problems = []
    for gateway in gateways:
        wrong = name_problem('gateway', 'cephgate_gateway', gateway, seen)
        if wrong:
            problems.append(wrong)
        elif not serving(seen[gateway]):
            problems.append('gateway %s takes no disk: %s. Bring it back first (playbooks/undrain.yml if it is drained).' % (
                gateway, _state(seen[gateway])))
        else:
            problems += _paths_lost(gateway, luns, seen)
    return problems


def _paths_lost(gateway, luns, seen):
    problems = []
    for lun in present(luns):
        if preferred_gateway(lun['image'], sorted(seen), lun.get('gateway')) != gateway:
            continue
        for name in sorted(seen):
            if name == gateway or seen[name]['images'].get(lun['image'], {}).get('here') != 'active':
                continue
            for initiator, host, number in sorted(_users(lun, seen[name]) - _users(lun, seen[gateway])):
                problems.append(
                    'image %s: initiator %s (host %s) sees it as LUN %d through gateway %s, which has it, and not through %s, where it is to go. '
                    'Log it in there first (playbooks/site.yml on that host), or see why its sessions are gone; to move it all the same, %s.' % (
                        lun['image'], initiator, host, number, name, gateway, ANYWAY))
    return problems


def _users(lun, entry):
    """{(initiator, host, LUN number)} that see a LUN through a gateway."""
    hosts = lun.get('hosts') or {}
    return set((session['initiator'], session['group'], hosts[session['group']]) for session in entry['sessions']
               if session['group'] in hosts and hosts[session['group']] in [one['lun'] for one in session['luns']])


def unserved(image_list, stdout, giver):
    """Which of these images a gateway does not call served by another than C(giver) yet, or is still at.

    stdout: of C(cephgate --json status). It may be a second old, and from before the giver let go.
    """
    try:
        found = dict((one['image'], one) for one in json.loads(stdout)['images'])
    except (ValueError, KeyError, TypeError):
        return list(image_list)
    return [image for image in image_list
            if image in found and (not found[image]['served'] or found[image].get('doing') or found[image].get('owner') == giver)]


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
    # Without SCST's core module there is no session to overlook.
    silent = ['gateway %s does not answer (%s), so it is not known who is logged in there. Bring it back first, or %s.' % (
        name, seen[name]['why'].rstrip('.'), ANYWAY) for name in sorted(seen)
        if not seen[name]['answered'] and 'kernel module scst is not loaded' not in seen[name]['why']]
    return silent + ['gateway %s: initiator %s%s is logged in. Log it out first, or %s.' % (
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
