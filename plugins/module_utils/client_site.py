# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as one client sees it: which targets, which disks, and what is wrong with the declaration."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import disk_mounts
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import parse_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import chap_settings
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import target_name
from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import forms, iscsi_name_problem


def initiator_of(client, hosts):
    """Initiator name of a client {host, initiator_name}: its own, else the only one of its host; or None."""
    if client.get('initiator_name'):
        return client['initiator_name']
    initiators = (hosts.get(client.get('host')) or {}).get('initiators') or []
    return initiators[0] if len(initiators) == 1 else None


def targets(iqn_prefix, gateways):
    """What iscsi_session takes: every gateway with all its portals, by name."""
    return [dict(name=target_name(iqn_prefix, name), portals=list(gateways[name]['portals'] or []))
            for name in sorted(gateways)]


def luns_of(luns, host):
    return [lun for lun in luns if lun.get('image') and lun.get('state') != 'absent' and host in (lun.get('hosts') or {})]


def released(luns, host, exports):
    """What multipath_map has to remove: LUNs that are not, or no longer, for this host."""
    own = [lun['image'] for lun in luns_of(luns, host)]
    result = {}
    for gateway in sorted(exports):
        for image in sorted(exports[gateway]):
            if image not in own:
                result.setdefault(image, dict(name=image, serial=exports[gateway][image]['serial']))
    return [result[image] for image in sorted(result)]


def maps(luns, host, iqn_prefix, exports, sessions):
    """What multipath_map takes, for the LUNs of a host.

    exports:  {gateway: {image: {serial, size}}} of the gateways that said what they export
    sessions: of iscsi_session; each that works is a path to every LUN that its gateway exports

    Of gateways that said nothing the same is expected as of the others, unless some did say:
    then the silent ones failed earlier in this run, and may have the LUN or not.
    """
    gateway_of = dict((target_name(iqn_prefix, name), name) for name in exports)
    result = []
    for lun in luns_of(luns, host):
        known = [exports[name][lun['image']] for name in sorted(exports) if lun['image'] in exports[name]]
        if not known:
            continue
        paths = [session for session in sessions if session['state'] == 'LOGGED_IN'
                 and lun['image'] in exports.get(gateway_of.get(session['target']), {})]
        result.append(dict(name=lun['image'], serial=known[0]['serial'], paths=max(1, len(paths)),
                           size=min(entry['size'] for entry in known)))
    return result


def _ordered(options):
    """Mount options with which systemd stops multipathd only after the unmount. Nothing else orders the two: Debian's unit is stopped
    at the begin of a shutdown, and an ending multipathd has its maps queue no longer, so that the last writes of a file system would
    fail where they should wait for a gateway."""
    words = [word for word in options.split(',') if word]
    after = 'x-systemd.after=multipathd.service'
    return ','.join(words if after in words else words + [after])


def file_systems(mounts, maps, options):
    """What disk_mount takes for the file systems of a client.

    maps:    of multipath_map; in check mode a disk may have no device yet, then its file system is left out
    options: mount options of those that name none
    """
    devices = dict((entry['name'], entry['device']) for entry in maps)
    result = []
    for mount in mounts:
        state = mount.get('state', 'mounted')
        if state == 'absent':
            known = dict(device=devices[mount['image']]) if devices.get(mount['image']) else {}
            result.append(dict(known, path=mount['path'], name=mount['image'], state=state))
        elif devices.get(mount['image']):
            result.append(dict(path=mount['path'], name=mount['image'], state=state, device=devices[mount['image']],
                               fstype=mount.get('fstype', 'ext4'), options=_ordered(mount.get('options') or options)))
    return result


def _mount_problems(client, host, luns, hosts, mounts, variable):
    mine = dict((lun.get('image'), lun) for lun in luns_of(luns, host))
    for mount in mounts:
        if mount.get('state') == 'absent':
            continue
        image = mount['image']
        if image not in mine:
            yield ('client %s: %s names %s, which is none of the images for host %s (%s). Correct the name, or '
                   "add the host to the image's hosts." % (client, variable, image, host, ', '.join(sorted(mine)) or 'it has none'))
            continue
        initiators = [one for name in mine[image]['hosts'] for one in (hosts.get(name) or {}).get('initiators') or []]
        if len(initiators) > 1 and not mount.get('shared'):
            # Two hosts that have one ext4, xfs or NTFS mounted destroy it.
            yield ('client %s: %s is shown to %d initiators (%s); two hosts that mount the same ext4, xfs or NTFS destroy it. Take it '
                   'out of %s, or, when its file system is made for several hosts, add "shared: true" to the '
                   'entry.' % (client, image, len(initiators), ', '.join(initiators), variable))


def _path_problems(client, mounts):
    """File systems of a Linux client, by the rules of the module disk_mount, which says so only when much has been done."""
    # The devices are not known yet; an image stands for its own.
    entries = [dict(path='%s' % (mount.get('path') or ''), name=mount['image'], state=mount.get('state', 'mounted'),
                    device=None if mount.get('state') == 'absent' else '/dev/mapper/%s' % mount['image'],
                    fstype='%s' % mount.get('fstype', 'ext4'), options='%s' % (mount.get('options') or '')) for mount in mounts]
    return ['client %s: linux_client_mounts: %s' % (client, text) for text in disk_mounts.faults(entries)]


def _portal_problems(client, gateways):
    owners = {}
    for gateway in sorted(gateways):
        portals = gateways[gateway].get('portals')
        if not portals or not isinstance(portals, (list, tuple)):
            yield ('gateway %s has no cephgate_portals, or not as a list, so client %s cannot log in there. List its addresses.'
                   % (gateway, client))
            continue
        for text in portals:
            try:
                portal = parse_portal('%s' % text)[:2]
            except Refused as error:
                yield 'gateway %s: cephgate_portals: %s' % (gateway, error)
                continue
            if portal in owners:
                yield ('portal %s is declared by %s; an address belongs to one gateway and is listed there once. Remove the other '
                       'one.' % (text, ' and '.join(sorted(set([owners[portal], gateway])))))
            owners[portal] = gateway


def problems(client, clients, luns, hosts, gateways, iqn_prefix, mounts=(), mounts_variable='linux_client_mounts'):
    """Sentences on what is wrong for a client; empty when nothing is.

    client:  inventory name
    clients: {name: {host, initiator_name}} of all clients
    mounts:  [{image, state, shared}] of this client, and the variable that holds them
    """
    found = ['client %s: %s' % (client, text) for text in forms(luns, hosts, iqn_prefix)]
    if found:
        return found
    host = clients[client].get('host')
    if host and not isinstance(host, (type(u''), str)):
        return ['client %s: cephgate_host is no text. Set it to one of the names in cephgate_hosts (%s).' % (client, ', '.join(sorted(hosts)) or 'empty')]
    if not host:
        found.append('client %s: cephgate_host is not set, so it is not known which LUNs are its own. Set it to one of '
                     'the names in cephgate_hosts (%s).' % (client, ', '.join(sorted(hosts)) or 'empty'))
        return found
    if host not in hosts:
        found.append('client %s: cephgate_host "%s" is not in cephgate_hosts (%s). Add it there or correct the name.'
                     % (client, host, ', '.join(sorted(hosts)) or 'empty'))
        return found
    for lun in luns:
        if not lun.get('image'):
            found.append('a LUN of cephgate_luns has no image (it has %s), so client %s cannot tell which disk it is. Give it one, as '
                         'pool/image.' % (', '.join(sorted(lun)) or 'nothing', client))
    try:
        chap_settings((hosts[host] or {}).get('chap'))
    except Refused as error:
        found.append('client %s, host %s: %s' % (client, host, error))
    found += _mount_problems(client, host, luns, hosts, mounts, mounts_variable)
    if mounts_variable == 'linux_client_mounts':
        found += _path_problems(client, [mount for mount in mounts if 'path' in mount])
    allowed = (hosts[host] or {}).get('initiators') or []
    name = initiator_of(clients[client], hosts)
    if name is None:
        found.append('client %s: host %s has %d initiators, so it is not known which one this client is. Set '
                     'cephgate_initiator_name in its host variables to one of them (%s).'
                     % (client, host, len(allowed), ', '.join(allowed) or 'none'))
    else:
        problem = iscsi_name_problem(name)
        if problem:
            found.append('client %s: initiator name "%s" is not a valid iSCSI name: %s (RFC 7143, 4.2.7).'
                         % (client, name, problem))
        if name not in allowed:
            found.append('client %s: its initiator name %s is not among the initiators of host %s (%s), so the '
                         'gateways would show it nothing. Add it there or correct cephgate_initiator_name.'
                         % (client, name, host, ', '.join(allowed) or 'none'))
        twins = sorted(other for other in clients
                       if other != client and initiator_of(clients[other], hosts) == name)
        if twins:
            found.append('clients %s and %s have the same initiator name %s: the gateways would take them for one '
                         'host and both would write to the same disks. Give each its own cephgate_initiator_name.'
                         % (client, ', '.join(twins), name))
    found += _portal_problems(client, gateways)
    if not gateways:
        found.append('client %s: the gateways group is empty, so there is nowhere to log in.' % client)
    if iscsi_name_problem(iqn_prefix):
        found.append('cephgate_iqn_prefix "%s" is not a valid iSCSI name: %s (RFC 7143, 4.2.7).'
                     % (iqn_prefix, iscsi_name_problem(iqn_prefix)))
    return found
