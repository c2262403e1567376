# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How gateways do, and which images each of them serves."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import preferred_gateway, present, target_name
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_agent
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import (
    BROKEN, DEGRADED, HEALTHY, UNKNOWN, count, finding, natural, some, why, worst)

# Lines of a plan that the document holds for each host; the rest is only counted.
DRIFT_SHOWN = 50
# Besides being broken, what explains that images have a gateway less, or another one, and hosts fewer paths.
EXPLAINING = ('drained', 'draining', 'standby only', 'unfit')


def views(site, seen):
    """{gateway: {image: (whether it is served there, why not, access state)}}; served is None where nobody could look."""
    return dict((name, _view(site, name, usable(seen.get(name)))) for name in site['gateways'])


def gateways(site, seen, planned, used, served):
    """[record] of all declared gateways.

    seen, planned: {name: result of gateway_info, without and with a state}; missing where the host was not in the run
    used:          names of gateways through which some host has a working path
    served:        as views() gives it
    """
    nowhere = set(image for image in _names(site) if all(view[image][0] is False for view in served.values()))
    return [_gateway(site, name, seen.get(name), planned.get(name) or {}, name in used, served[name], nowhere)
            for name in sorted(site['gateways'], key=natural)]


def _names(site):
    return [lun['image'] for lun in present(site['luns'])]


def usable(result):
    """What gateway_info found, or None when it could not look."""
    return result if result and 'mapped' in result else None


def _gateway(site, name, result, planned, used, view, nowhere):
    declared = site['gateways'][name]
    record = dict(name=name, number=declared.get('number'), portals=list(declared.get('portals') or []), asked=result is not None,
                  reachable=usable(result) is not None, enabled=None, drained=False, daemon=None, service=None, unfinished=None, written=None,
                  kernel=None, scst=None, agent=None, sessions=None, serves=None, images=len(view), drift=[], drift_more=0, findings=[])
    add = record['findings'].append
    if result is None:
        record['health'] = UNKNOWN
        return record
    if usable(result) is None:
        _silent(record, result, used)
    else:
        _look(site, record, result, view, nowhere, add)
        _drift(record, planned, result.get('plan'), add)
    record['health'] = worst(entry['health'] for entry in record['findings'])
    return record


def _silent(record, result, used):
    text = why(result)
    if result.get('unreachable') and used:
        record['findings'].append(finding(
            DEGRADED, 'silent', 'it does not answer to Ansible, although hosts have working paths through it: %s' % text,
            'Make it reachable over ssh again: it serves, but could not be repaired or changed now'))
    elif result.get('unreachable'):
        record['findings'].append(finding(
            BROKEN, 'down', 'it does not answer, and no host has a working path through it: %s' % text,
            'See its console and its network, and start it. It restores by itself what it serves; the other gateways serve meanwhile'))
    else:
        record['findings'].append(finding(BROKEN, 'not looked at', 'looking at it failed: %s' % text,
                                          'Run the playbook status with -vvv for this host'))


def _look(site, record, result, view, nowhere, add):
    state, scst = result['state'], result['scst']
    record.update(daemon=result['daemon'], drained=result['drained'], service=bool(result['service']), kernel=result['kernel'])
    if scst is None:
        add(finding(BROKEN, 'no SCST', result['errors'].get('scst', 'SCST does not run'),
                    'Start the service scst, or run the site playbook'))
        return
    target = dict((entry['name'], entry) for entry in scst['targets']).get(target_name(site['iqn_prefix'], record['name']))
    record.update(scst=scst['version'], enabled=bool(target and target['enabled']),
                  sessions=len([one for one in scst['sessions'] if target and one['target'] == target['name']]))
    agent_tells = _agent(site, record, result, add)
    if not result['daemon']:
        add(finding(BROKEN, 'no daemon', 'iscsi-scstd does not run, and without it there are no targets',
                    'Start it (systemctl start iscsi-scstd) and see why it ended (journalctl -u iscsi-scstd)'))
    elif record['drained'] and not (record['agent'] and record['agent']['draining']):
        add(finding(DEGRADED, 'drained', 'it was taken out of service, and stays so until that is taken back',
                    'When its time has come: ansible-playbook cephgate.iscsi.undrain -e cephgate_gateway=NAME'))
    elif not record['enabled'] and not agent_tells:
        add(finding(BROKEN, 'no target', 'its target is %s' % ('not enabled' if target else 'missing'),
                    'See "cephgate status" and "journalctl -u cephgate" there; "cephgate apply" restores it'))
    if 'state' in result['errors']:
        add(finding(DEGRADED, 'state file', 'its state file cannot be used: %s' % result['errors']['state'],
                    'Run the site playbook on it, which writes it anew'))
    elif state is None:
        add(finding(DEGRADED, 'state file', 'it has no state file, so after a reboot it would serve nothing',
                    'Run the site playbook on it'))
    else:
        record.update(unfinished=state['unfinished'], written=state['written'])
        if state['unfinished']:
            add(finding(DEGRADED, 'unfinished', 'a playbook is under way, or was stopped before its end',
                        'If no playbook runs now, run the site playbook again to finish'))
    if not result['service']:
        add(finding(DEGRADED, 'no service', 'the service cephgate does not run, so nothing restores the gateway after a restart of iscsi-scstd',
                    'Start it: systemctl start cephgate'))
    record['serves'] = len([image for image in view if view[image][0]])
    _missing(record, view, nowhere, add)


def _agent(site, record, result, add):
    """Whether the agent's trouble is why the target is closed."""
    if not fenced(result):
        return False
    record['agent'] = status_agent.summary(result.get('agent'))
    found = status_agent.findings(site, record['name'], record['agent'], record['enabled'], record['drained'])
    for entry in found if result['daemon'] else ():
        add(entry)
    return any(entry['what'] in status_agent.CLOSING for entry in found)


def _missing(record, view, nowhere, add):
    lacking = {}
    for image in sorted(view):
        served, reason, dummy = view[image]
        # What nobody serves is told once, with the image.
        if served is False and record['enabled'] and (image not in nowhere or not record['serves']):
            lacking.setdefault(reason, []).append(image)
    for reason in sorted(lacking):
        names = lacking[reason]
        add(finding(DEGRADED if record['serves'] else BROKEN, 'missing images', '%s not served here (%s): %s' % (
            'its only image is' if len(view) == 1 else '%d of %d %s' % (len(names), len(view), 'is' if len(names) == 1 else 'are'),
            some(names), reason),
            '"journalctl -u cephgate" there says what is in the way; it is tried again by itself'))


def _view(site, gateway, result):
    images = _names(site)
    if result is None:
        return dict((image, (None, 'the gateway does not answer', None)) for image in images)
    scst, target = result['scst'] or {}, target_name(site['iqn_prefix'], gateway)
    enabled = any(entry['name'] == target and entry['enabled'] for entry in scst.get('targets') or [])
    known = dict((entry['image'], entry) for entry in (result['state'] or {}).get('images') or [])
    devices = dict((entry['name'], entry) for entry in scst.get('devices') or [])
    states = _states(scst, target)
    found = {}
    for image in images:
        name = device_name(image)
        lacks = known.get(image, {}).get('missing')
        if not enabled:
            reason = 'its target is not enabled'
        elif lacks:
            reason = known[image]['reason'] or '; '.join(lacks)
        elif image not in result['mapped'] and not fenced(result):
            reason = 'the image is not mapped'
        elif name not in devices:
            reason = 'SCST has no device %s' % name
        elif not any('/%s/' % target in place for place in devices[name]['exported']):
            reason = 'its device is in no LUN'
        else:
            reason = None
        found[image] = reason is None, reason, states.get(name) if reason is None else None
    return found


def fenced(result):
    """Whether a gateway takes part in the take-over protocol: then only a disk's owner has it mapped, and the others are ready for it."""
    return ((usable(result) or {}).get('state') or {}).get('ha_mode') == 'fenced'


def _states(scst, target):
    """{device: access state of the gateway's own target}, as that gateway tells it"""
    found = {}
    for group in (scst.get('gathered') or {}).get('device_groups') or []:
        for ports in group['target_groups']:
            if target in [port['name'] for port in ports['targets']]:
                found.update((device, ports['state']) for device in group['devices'])
    return found


def _drift(record, planned, own_plan, add):
    plan = planned.get('plan') or own_plan
    if plan is None:
        if planned.get('failed') or planned.get('unreachable'):
            add(finding(DEGRADED, 'no plan', 'it cannot be compared with the declaration: %s' % why(planned),
                        'Run the site playbook with --check, which says more'))
        return
    lines = list(plan['operations'])
    record.update(drift=lines[:DRIFT_SHOWN], drift_more=max(0, len(lines) - DRIFT_SHOWN))
    if lines and (record['enabled'] or record['drained']):
        add(finding(DEGRADED, 'drift', 'it differs from the declaration: the site playbook would make %s, such as "%s"' % (
            count(len(lines), 'change'), lines[0]), 'Look with "ansible-playbook cephgate.iscsi.site --check --diff", then run it'))


def _owner(own, owners, silent, moves, found):
    """In the mode fenced one gateway has a disk, and it is no harm when that is not the preferred one for a while."""
    explained, under_way, unowned = moves
    if under_way and not owners:
        found.append(finding(DEGRADED, 'moving', 'it is on its way to another gateway (%s); I/O waits' % ', '.join(
            '%s: %s' % item for item in sorted(under_way.items())), 'Look again in some seconds'))
        return
    if not owners and (unowned or not silent):
        found.append(finding(BROKEN, 'no owner', 'no gateway has it: all paths are passive, and I/O waits',
                             '"cephgate status" on the gateways says who could take it; see that cephgate-agent runs'))
    elif owners and own not in owners:
        found.append(finding(DEGRADED, 'taken over', '%s has it instead of its preferred gateway %s' % (some(owners), own),
                             '"cephgate status" on %s says why' % own, cause=own if own in explained else None))


def out_of_service(records):
    """Names of the gateways that serve nothing: broken, or drained."""
    return [record['name'] for record in records if record['health'] == BROKEN or record['drained']]


def _moves(image, records):
    """In the mode fenced: (names of gateways whose trouble explains that others have their images, {gateway: what it does with this image},
    whether all agents that run see no living gateway that has it)"""
    agents = [record['agent'] for record in records if record['agent'] and record['agent']['runs']]
    return (set(record['name'] for record in records if record['health'] == BROKEN or any(entry['what'] in EXPLAINING for entry in record['findings'])),
            dict((record['name'], record['agent']['moving'][image]) for record in records if record['agent'] and image in record['agent']['moving']),
            bool(agents) and all(image in agent['unowned'] for agent in agents))


def images(site, seen, records, served):
    """[record] of all declared images, as the gateways serve them."""
    broken = set(out_of_service(records))
    names = [record['name'] for record in records]
    mapped = dict((name, (usable(seen.get(name)) or {}).get('mapped') or {}) for name in names)
    moving = any(fenced(seen.get(name)) for name in names)
    return [_image(lun, names, broken, _moves(lun['image'], records) if moving else None,
                   dict((name, served[name][lun['image']]) for name in names),
                   [mapped[name][lun['image']]['size'] for name in names if lun['image'] in mapped[name]])
            for lun in sorted(present(site['luns']), key=lambda lun: lun['image'])]


def _image(lun, names, broken, moves, views, sizes):
    image = lun['image']
    own = preferred_gateway(image, names, lun.get('gateway')) if names else None
    places = dict((name, dict(served=views[name][0], alua=views[name][2])) for name in names)
    reasons = dict((name, views[name][1]) for name in names)
    serving = [name for name in names if places[name]['served']]
    silent = [name for name in names if places[name]['served'] is None]
    lacking = [name for name in names if places[name]['served'] is False]
    found = []
    if lacking and not serving and not silent:
        texts = sorted(set(reasons[name] for name in lacking))
        found.append(finding(BROKEN, 'not served', 'no gateway serves it: %s' % '; '.join(
            '%s: %s' % (some([name for name in lacking if reasons[name] == text], 2), text) for text in texts[:3]),
            'See the gateways\' own problems first; then "rbd info %s" with the gateways\' Ceph client' % image))
    else:
        # A gateway that is down as a whole is told once, as the gateway's problem.
        for name in lacking + [name for name in silent if name in broken]:
            found.append(finding(DEGRADED, 'fewer gateways', '%s does not serve it: %s' % (name, reasons[name]),
                                 '"cephgate status" on %s says what it lacks' % name, cause=name))
    owners = [name for name in serving if places[name]['alua'] == 'active']
    if moves and serving:
        _owner(own, owners, silent, moves, found)
    elif own in serving:
        state = places[own]['alua']
        if state is not None and state != 'active':
            found.append(finding(DEGRADED, 'access state', 'its preferred gateway %s has the access state %s instead of active' % (own, state),
                                 'Run the site playbook, which sets the states'))
    if len(set(sizes)) > 1:
        found.append(finding(DEGRADED, 'sizes', 'gateways see it with different sizes (%s bytes)' % ', '.join(
            '%d' % size for size in sorted(set(sizes))), 'It was just grown, or a gateway lost its contact to Ceph; look again in a minute'))
    health = worst(entry['health'] for entry in found)
    if not serving and health == HEALTHY:
        health = UNKNOWN
    return dict(image=image, device=device_name(image), size=min(sizes) if sizes else None, gateway=own, hosts=dict(lun.get('hosts') or {}),
                owner=owners[0] if moves and len(owners) == 1 else None,
                serving=serving, gateways=places, health=health, findings=found)
