# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration object of ceph-iscsi as a declaration of this collection.

Its format: ceph_iscsi_config/common.py, lun.py, client.py and group.py of ceph-iscsi 3.9, versions 10 and 11.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import json
import re

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.imports import Declaration, host_name

VERSIONS = (10, 11)


class Unreadable(Exception):
    """A password that cannot be decrypted; the text says why."""


def wwid_of(serial):
    """The NAA id that LIO makes of a unit serial number: NAA 6, the company id 001405, and the first 25 hex digits.

    drivers/target/target_core_spc.c, spc_gen_naa_6h_vendor_specific: other characters are passed over.
    """
    digits = re.sub('[^0-9a-f]', '', serial.lower())
    return '0x6001405' + digits[:25].ljust(25, '0')


def decrypt(text, key):
    """A password that ceph-iscsi has encrypted with its public key: RSA, OAEP with SHA-256, of old with SHA-1."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding
    except ImportError:
        raise Unreadable('the Python package cryptography is not there')
    try:
        private = serialization.load_pem_private_key(key.encode('utf-8'), None)
        sealed = base64.b64decode(text)
    except (ValueError, TypeError) as error:
        raise Unreadable('the private key or the password cannot be read (%s)' % error)
    for algorithm in (hashes.SHA256(), hashes.SHA1()):
        try:
            return private.decrypt(sealed, padding.OAEP(padding.MGF1(algorithm), algorithm, None)).decode('utf-8')
        except ValueError:
            continue
    raise Unreadable('the private key is not the one that it was encrypted for')


def read(text):
    """The object of its text; None when that is none. Nothing of it is repeated: it may hold secrets."""
    if isinstance(text, dict):
        return text
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def convert(config, target=None, key=None):
    """The declaration of one target of a configuration object; see Declaration.result.

    target: its name, when there are several. key: text of ceph-iscsi's private key.
    """
    made = Declaration()
    if not isinstance(config, dict):
        made.problems.append('this is no configuration object of ceph-iscsi, which is one JSON object. Save it anew: rados -p rbd get gateway.conf FILE.')
        return made.result()
    if 'targets' not in config or config.get('version') not in VERSIONS:
        made.problems.append("this is no configuration object of ceph-iscsi that is understood: version %s, wanted is %s. A newer ceph-iscsi "
                             "brings an older object up to date when its services start." % (config.get('version', 'none'), ' or '.join(map(str, VERSIONS))))
        return made.result()
    names = sorted(config['targets'])
    if target not in names and (target or len(names) != 1):
        made.problems.append('the object has the targets %s%s. Name one of them in cephgate_import_target.' % (
            ', '.join(names) or 'none', ', and not %s' % target if target else ', and each becomes a site of its own'))
        return made.result()
    name = target or names[0]
    try:
        _target(made, config, name, config['targets'][name], key)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        made.problems.append('target %s: the object is not as ceph-iscsi writes it (%s: %s). Save it anew with a ceph-iscsi that serves it, or '
                             'declare the site by hand.' % (name, type(error).__name__, error))
    return made.result()


def _target(made, config, name, found, key):
    made.prefix = name.lower()
    if name != made.prefix:
        made.notes.append('target %s has upper-case letters; the prefix is %s.' % (name, made.prefix))
    _gateways(made, name, found)
    if not found.get('acl_enabled', True):
        made.problems.append('target %s has no access control (acl_enabled is false): any initiator may log in. Here LUNs are given to '
                             'named initiators only. Enable it in gwcli ("auth enable_acl") with a client for each host, first.' % name)
    for field, what in (('auth', 'CHAP of the target itself'), ):
        if (found.get(field) or {}).get('username'):
            made.problems.append('target %s has %s (user %s), which holds without access control only. Give the clients CHAP of their '
                                 'own first.' % (name, what, found[field]['username']))
    if (config.get('discovery_auth') or {}).get('username'):
        made.notes.append('CHAP for discovery (user %s) is dropped: it is not offered here.' % config['discovery_auth']['username'])
    if found.get('controls'):
        made.notes.append('controls of target %s are dropped, they are settings of LIO: %s.' % (name, ', '.join(sorted(found['controls']))))
    _clients(made, found, key)
    _disks(made, config, found)


def _gateways(made, name, found):
    portals = found.get('portals') or {}
    if not portals:
        made.problems.append('target %s has no gateways. Nothing can be imported from it.' % name)
    for gateway in sorted(portals):
        entry = portals[gateway]
        made.gateways[gateway] = dict(cephgate_portals=list(
            entry.get('portal_ip_addresses') or [entry[field] for field in ('portal_ip_address', ) if entry.get(field)]))
    made.number(portals)


def _password(made, client, auth, field, key):
    text = auth.get(field) or ''
    if text and auth.get(field + '_encryption_enabled'):
        if not key:
            made.problems.append("client %s: its %s is encrypted. Give ceph-iscsi's private key (/etc/ceph/iscsi-gateway.key of a gateway) "
                                 "in cephgate_import_key." % (client, field.replace('_', ' ')))
            return ''
        try:
            return decrypt(text, key)
        except Unreadable as error:
            made.problems.append('client %s: its %s is encrypted, and %s.' % (client, field.replace('_', ' '), error))
            return ''
    return text


def _clients(made, found, key):
    clients = found.get('clients') or {}
    auth = {}
    for client in sorted(clients):
        given = clients[client].get('auth') or {}
        auth[client] = (given.get('username') or '', _password(made, client, given, 'password', key),
                        given.get('mutual_username') or '', _password(made, client, given, 'mutual_password', key))
    grouped = set()
    for group in sorted(found.get('groups') or {}):
        entry = found['groups'][group]
        members = sorted(member for member in entry.get('members') or [] if member in clients)
        grouped.update(members)
        disks = dict((disk, number['lun_id']) for disk, number in (entry.get('disks') or {}).items())
        if not members:
            made.notes.append('host group %s has no members and is dropped.' % group)
        elif len(set(auth[member] for member in members)) == 1:
            _host(made, host_name(group, made.hosts), members, auth[members[0]], disks)
        else:
            # CHAP is one for each host here; LUN numbers stay the same.
            made.notes.append('the members of host group %s have different CHAP: each becomes a host of its own.' % group)
            for member in members:
                _host(made, host_name(member, made.hosts), [member], auth[member], disks)
    for client in sorted(set(clients) - grouped):
        disks = dict((disk, number['lun_id']) for disk, number in (clients[client].get('luns') or {}).items())
        _host(made, host_name(client, made.hosts), [client], auth[client], disks)


def _host(made, host, initiators, auth, disks):
    folded = [initiator.lower() for initiator in initiators]
    for initiator in initiators:
        if initiator != initiator.lower():
            made.notes.append('initiator %s has upper-case letters, which SCST would compare; it is declared in lower case. Correct it on the '
                              'host if it sends them.' % initiator)
    made.hosts[host] = dict(initiators=folded)
    user, secret, mutual_user, mutual_secret = auth
    if user:
        made.chap(host, user, secret, mutual_user, mutual_secret)
    for disk in sorted(disks):
        made.lun(disk, host, disks[disk])


def _disks(made, config, found):
    disks = config.get('disks') or {}
    for disk in sorted(set(found.get('disks') or {}) | set(made.luns)):
        about = disks.get(disk)
        if about is None:
            made.problems.append('disk %s of the target is not among the disks of the object. Repair it in gwcli first.' % disk)
            continue
        lun = made.luns.setdefault(disk, dict(image=disk, hosts={}))
        if about.get('backstore', 'user:rbd') not in ('user:rbd', 'rbd'):
            made.problems.append('disk %s has the backstore %s; only RBD images can be served.' % (disk, about['backstore']))
        if about.get('owner') in made.gateways:
            lun['gateway'] = about['owner']
        if about.get('wwn'):
            lun['identity'] = dict(naa_id=wwid_of(about['wwn']))
        if about.get('controls'):
            made.notes.append('controls of disk %s are dropped, they are settings of TCMU: %s.' % (disk, ', '.join(sorted(about['controls']))))
        if not lun['hosts']:
            made.notes.append('disk %s is seen by no host.' % disk)
