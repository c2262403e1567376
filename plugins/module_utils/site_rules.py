# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross-checks of the declared site, made before anything is touched.

Each problem is one sentence that names the object, the value found, the rule and the remedy.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import fnmatch
import re
import socket

from ansible_collections.cephgate.iscsi.plugins.module_utils import lun_rules
from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import target_name

# RFC 7143, 4.2.7.3-4: at most 223 bytes; "iqn.", year-month of the domain's registration,
# the reversed domain name, and whatever its owner likes after a colon. SCST takes any text,
# so this is the only check that there is.
_IQN = re.compile(r'^iqn\.\d{4}-(0[1-9]|1[0-2])\.[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[a-z0-9.:-]+)?\Z')
_EUI = re.compile(r'^eui\.[0-9A-Fa-f]{16}\Z')
_NAA = re.compile(r'^naa\.(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{32})\Z')
_IMAGE = re.compile(r'^[^/@\s]+(?:/[^/@\s]+){1,2}\Z')
_GROUP = re.compile(r'^[A-Za-z0-9][A-Za-z0-9_.-]*\Z')

HOST = ('initiators', 'chap')
CHAP = ('user', 'secret', 'mutual_user', 'mutual_secret')

# SAM-5 4.7.7: what one-level addressing carries, and what SCST accepts.
LUN_MAX = 16383


def iscsi_name_problem(name):
    """Why a text is no iSCSI name, or None. Upper case is legal on the wire but compared folded
    (RFC 7143, 4.2.7.2), while SCST compares access control byte by byte: only lower case is safe."""
    if len(name.encode('utf-8')) > 223:
        return 'it has more than 223 bytes'
    if name.startswith('iqn.'):
        if name != name.lower():
            return 'it has upper-case letters, which initiators fold and access control does not'
        if not _IQN.match(name):
            return 'it is not of the form iqn.YYYY-MM.reversed.domain[:text]'
        return None
    if _EUI.match(name) or _NAA.match(name):
        return None
    return 'it starts with none of iqn., eui. (16 hex digits), naa. (16 or 32 hex digits)'


def address(text):
    """An IPv4 or IPv6 address in its one canonical form, or None when it is none. C(FD00:0::1) and C(fd00::1) are the same."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, text))
        except (socket.error, ValueError, TypeError, UnicodeError):
            continue
    return None


def _gateways(gateways, iqn_prefix):
    problem = iscsi_name_problem(iqn_prefix)
    if problem:
        yield ('cephgate_iqn_prefix "%s" is not a valid iSCSI name: %s (RFC 7143, 4.2.7.3). '
               'Write it like iqn.2026-11.com.example.cephgate.' % (iqn_prefix, problem))
    modes = dict((name, gateways[name].get('mode') or 'shared') for name in gateways)
    if len(set(modes.values())) > 1:
        yield ('gateways differ in cephgate_ha_mode (%s): a gateway in the mode shared would map what another has exclusively. Give all of them '
               'the same.' % ', '.join('%s: %s' % item for item in sorted(modes.items())))
    numbers = {}
    portals = {}
    for name in sorted(gateways):
        gateway = gateways[name]
        number = gateway.get('number')
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65535:
            yield ('gateway %s: cephgate_gateway_id is %r; it must be a number from 1 to 65535, different for '
                   'each gateway, because it becomes the ALUA group id and the relative target port id. '
                   'Set it in the host variables of %s.' % (name, number, name))
        elif number in numbers:
            yield ('gateways %s and %s both have cephgate_gateway_id %d; initiators would take their ports for '
                   'one. Give one of them another number.' % (numbers[number], name, number))
        else:
            numbers[number] = name
        problem = not iscsi_name_problem(iqn_prefix) and iscsi_name_problem(target_name(iqn_prefix, name))
        if problem:
            yield ('gateway %s: its target would be "%s", which is not a valid iSCSI name: %s. Rename the host in '
                   'the inventory.' % (name, target_name(iqn_prefix, name), problem))
        if not isinstance(gateway.get('portals') or [], (list, tuple)):
            yield 'gateway %s: cephgate_portals is no list. Write it as [address, address].' % name
            continue
        if not gateway.get('portals'):
            yield ('gateway %s has no cephgate_portals, so no initiator could reach it. List at least one of its '
                   'addresses.' % name)
        for portal in gateway.get('portals') or []:
            own = address(portal)
            if own is None:
                yield ('gateway %s: portal "%s" is no IPv4 or IPv6 address. Write it without port, brackets and prefix length.'
                       % (name, portal))
                continue
            if own.startswith('fe80:'):
                yield ('gateway %s: portal %s is link-local, so that it means another host on every link. Use an address of the storage '
                       'network.' % (name, portal))
            if own in portals and portals[own] == name:
                yield 'gateway %s: portal %s is declared twice. Keep one of them.' % (name, portal)
            elif own in portals:
                yield ('portal %s is declared by gateways %s and %s; an address belongs to one host. Remove it from '
                       'one of them.' % (portal, portals[own], name))
            portals[own] = name


def _is_text(value):
    return isinstance(value, (type(u''), str))


def chap_strange(chap):
    """What is wrong with the form of a C(chap), as a sentence that shows no value: what is misspelt may be a secret."""
    if not isinstance(chap, dict):
        return 'chap: it is no dictionary. Give user and secret in one, and mutual_user and mutual_secret for mutual CHAP.'
    strange = sorted('%s' % key for key in set(chap) - set(CHAP))
    if strange:
        return 'chap: %s is none of its keys, which are %s. Correct it.' % (', '.join(strange), ', '.join(CHAP))
    return None


def forms(luns, hosts, iqn_prefix):
    """Values of a wrong kind, which every other check would stumble over."""
    if not _is_text(iqn_prefix):
        yield 'cephgate_iqn_prefix is no text. Write the iSCSI name that begins the names of all targets.'
    if not isinstance(luns, (list, tuple)):
        yield 'cephgate_luns is no list. Write each LUN as an entry "- image: pool/image".'
        luns = []
    for lun in luns:
        if not isinstance(lun, dict):
            yield 'cephgate_luns: the entry "%s" is no dictionary. Write it as {image: pool/image, hosts: {name: number}}.' % (lun,)
        elif not isinstance(lun.get('hosts') or {}, dict):
            yield ('image %s: its hosts are no dictionary of LUN numbers by the names of hosts. Write them as {name: number}.' % lun.get('image'))
        elif lun_rules.identity_form(lun):
            yield lun_rules.identity_form(lun)
    if not isinstance(hosts, dict):
        yield 'cephgate_hosts is no dictionary. Write each host as NAME: {initiators: [iqn...]}.'
        hosts = {}
    for name in sorted(hosts):
        host = hosts[name]
        initiators = host.get('initiators') or [] if isinstance(host, dict) else None
        if not isinstance(initiators, (list, tuple)) or not all(map(_is_text, initiators)):
            yield ('host %s: its value is %s; it must be a dictionary with a list "initiators". Write it as '
                   '{initiators: [iqn...]}.' % (name, type(host).__name__ if not isinstance(host, dict) else 'one with initiators that are no list of names'))
        elif set(host) - set(HOST):
            # "Chap" for "chap" would be a host without authentication. Keys only: what they hold may be a secret.
            yield 'host %s: %s is none of its keys, which are %s. Correct it.' % (
                name, ', '.join(sorted('%s' % key for key in set(host) - set(HOST))), ', '.join(HOST))
        elif host.get('chap') and chap_strange(host['chap']):
            yield 'host %s: %s' % (name, chap_strange(host['chap']))


def _hosts(hosts):
    owner = {}
    for name in sorted(hosts):
        if not _GROUP.match(name):
            yield ('host "%s": the name becomes an SCST initiator group and must be made of letters, digits, "_", '
                   '"." and "-". Rename it.' % name)
        initiators = hosts[name].get('initiators') or []
        if not initiators:
            yield 'host %s has no initiators, so nobody could use its LUNs. List their iSCSI names.' % name
        for initiator in initiators:
            # Wildcards are SCST's: * and ? in a name, ! in front of one. They cannot be checked further.
            if not re.search(r'[*?!]', initiator):
                problem = iscsi_name_problem(initiator)
                if problem:
                    yield ('host %s: initiator "%s" is not a valid iSCSI name: %s (RFC 7143, 4.2.7). Correct it: it '
                           'is the InitiatorName of the client.' % (name, initiator, problem))
            if initiator in owner:
                yield ('initiator %s is listed by hosts %s and %s; a target could put it in either group, that is, '
                       'show it either set of disks. Keep it in one of them.' % (initiator, owner[initiator], name))
            for other in owner:
                if owner[other] != name and other != initiator and _may_match_both(initiator, other):
                    yield ('initiators "%s" of host %s and "%s" of host %s can be the same one; a target could put it in either '
                           'group, that is, show it either set of disks. Make them different.' % (
                               initiator, name, other, owner[other]))
            owner[initiator] = name
        chap = hosts[name].get('chap')
        for kind in ('secret', 'mutual_secret') if chap else ():
            if kind == 'mutual_secret' and not chap.get('mutual_user'):
                continue
            secret = chap.get(kind) or ''
            if not isinstance(secret, type(u'')) and not isinstance(secret, str):
                yield 'host %s: its CHAP %s is a number. Put it in quotes.' % (name, kind)
                continue
            if len(secret) < 12 or re.search(r'\s', secret):
                yield ('host %s: its CHAP %s has fewer than 12 characters or a blank in it; SCST refuses both (and '
                       'Windows takes 12 to 16). Choose another.' % (name, kind))


def _may_match_both(one, other):
    """Whether two entries of access lists can name the same initiator. Two wildcards always may: who could tell."""
    wild = [bool(re.search(r'[*?!]', name)) for name in (one, other)]
    if all(wild):
        return True
    pattern, name = (one, other) if wild[0] else (other, one)
    negated = pattern.startswith('!')
    return any(wild) and fnmatch.fnmatchcase(name, pattern.lstrip('!')) != negated


def _chap(hosts):
    # A target has users, not its groups: every user of a target may be used by each of its initiators.
    with_chap = sorted(name for name in hosts if hosts[name].get('chap'))
    without = sorted(set(hosts) - set(with_chap))
    if with_chap and without:
        yield ('hosts %s have chap and hosts %s have none: SCST asks every initiator of a target for CHAP as soon as it has a '
               'user, so the latter could not log in. Give all of them chap, or none.' % (', '.join(with_chap), ', '.join(without)))
    users, outgoing = {}, {}
    for name in with_chap:
        chap = hosts[name]['chap']
        if bool(chap.get('user')) and not chap.get('secret'):
            yield 'host %s: its chap has no secret. Give it one beside the user.' % name
        if bool(chap.get('mutual_user')) != bool(chap.get('mutual_secret')):
            yield ('host %s: mutual_user and mutual_secret belong together, and its chap has only one of them. Give both, or neither for '
                   'one-way CHAP.' % name)
        user = chap.get('user')
        if not user:
            yield 'host %s: its chap has no user. Give it one beside the secret.' % name
        elif user in users:
            yield ('hosts %s and %s have the same CHAP user "%s"; a target has each user once. Give one of them another.'
                   % (users[user], name, user))
        users[user] = name
        if chap.get('mutual_user'):
            outgoing[name] = (chap['mutual_user'], chap.get('mutual_secret'))
            if chap['mutual_user'] == user:
                yield 'host %s: mutual_user is its own CHAP user "%s". Give the target a name of its own.' % (name, user)
            if chap.get('mutual_secret') == chap.get('secret'):
                yield ('host %s: secret and mutual_secret are the same, so that each side could answer with what it heard '
                       '(RFC 7143, 12.1.3). Choose two.' % name)
    for name in sorted(outgoing):
        first = sorted(outgoing)[0]
        if outgoing[name] != outgoing[first]:
            yield ('hosts %s and %s have different mutual_user or mutual_secret; a target proves itself with one name only. '
                   'Give all hosts the same.' % (first, name))


def _luns(luns, hosts, gateways):
    images = {}
    numbers = {}
    devices = {}
    for lun in luns:
        image = lun.get('image') or ''
        if not _IMAGE.match(image):
            yield ('LUN of image "%s": an image is written pool/image or pool/namespace/image, without spaces and '
                   'without a snapshot.' % image)
            continue
        if image in images:
            yield 'image %s is declared twice in cephgate_luns. Merge the two entries (hosts takes several).' % image
            continue
        images[image] = lun
        if lun.get('state', 'present') not in ('present', 'absent'):
            yield 'image %s: state is "%s"; it is present or absent. Correct it.' % (image, lun['state'])
        # Of what goes nothing is made.
        sizes = list(lun_rules.sizes(lun)) if lun.get('state') != 'absent' else []
        if sizes:
            yield ' '.join(sizes)
        device = device_name(image)
        if device in devices:
            yield ('images %s and %s both get the SCST device name %s. Rename one of the images.'
                   % (devices[device], image, device))
        devices[device] = image
        wanted = lun.get('gateway')
        if wanted and wanted not in gateways:
            yield ('image %s: preferred gateway "%s" is not a host of the gateways group (%s). Correct the name or '
                   'leave it out, and one is chosen.' % (image, wanted, ', '.join(sorted(gateways)) or 'empty'))
        for host in sorted(lun.get('hosts') or {}):
            number = lun['hosts'][host]
            if host not in hosts:
                yield ('image %s: host "%s" is not in cephgate_hosts (%s). Add it there or correct the name.'
                       % (image, host, ', '.join(sorted(hosts)) or 'empty'))
                continue
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LUN_MAX:
                yield ('image %s: LUN number %r for host %s is not a number from 0 to %d.'
                       % (image, number, host, LUN_MAX))
                continue
            if (host, number) in numbers:
                yield ('LUN %d of host %s is declared for images %s and %s; a LUN number names one disk in a group. '
                       'Give one of them another number.' % (number, host, numbers[(host, number)], image))
            numbers[(host, number)] = image


def problems(luns, hosts, gateways, iqn_prefix):
    """All that is wrong with a declaration, as a list of sentences; empty when nothing is.

    gateways: {name: {number, portals}}.
    """
    found = list(forms(luns, hosts, iqn_prefix))
    if found:
        return found
    found.extend(_gateways(gateways, iqn_prefix))
    found.extend(_hosts(hosts))
    found.extend(_chap(hosts))
    found.extend(_luns(luns, hosts, gateways))
    found.extend(lun_rules.identities(luns))
    return found
