# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iscsicli: argument vectors, exit codes and outputs [4]."""
import re

from .initiator import LoginError
from .iscsi import Wish, status

OK, INVALID = 0, 87
NOT_KNOWN, PORTAL_EXISTS, STOPPED, LOGGED_IN, BUSY, NOT_REMOVED, NO_PORTAL, BAD_SECRET = (
    0xEFFF0029, 0xEFFF0032, 0xEFFF003E, 0xEFFF003F, 0xEFFF0040, 0xEFFF0042, 0xEFFF0043, 0xEFFF004B)
MESSAGES = {
    OK: 'The operation completed successfully. ',
    INVALID: 'The parameter is incorrect.',
    0xEFFF0002: 'Login Failed.', 0xEFFF0003: 'Connection Failed.', 0xEFFF0009: 'Authentication Failure.',
    0xEFFF000A: 'Authorization Failure.', 0xEFFF000B: 'Not Found.', 0xEFFF0012: 'Target Error.',
    NOT_KNOWN: 'The target name is not found or is marked as hidden from login.',
    STOPPED: 'The Microsoft iSCSI Initiator Service is not running. Please start the service and retry.',
    LOGGED_IN: 'The target has already been logged in via an iSCSI session.',
    BUSY: 'The session cannot be logged out since a device on that session is currently being used.',
    NO_PORTAL: 'The specified portal was not found.',
    BAD_SECRET: 'Target CHAP secret given is invalid. Maximum size of CHAP secret is 16 bytes. Minimum size is 12 bytes if IPSec is not used.',
}
WRITES = ('addtargetportal', 'removetargetportal', 'refreshtargetportal', 'logintarget', 'persistentlogintarget', 'removepersistenttarget',
          'logouttarget', 'nodename', 'chapsecret', 'bindpersistentvolumes')


def iscsicli(host, argv, stdin):
    banner = host.say('Microsoft iSCSI Initiator Version %s') % host.personality.iscsicli + '\n\n'
    verb = argv[0].lower() if argv else ''
    if verb in WRITES:
        host.wrote('iscsicli', argv[0])
    forced = host.iscsi_errors.get(verb)
    if forced is not None:
        code, text = forced, ''
    elif not host.service['running']:
        code, text = STOPPED, ''
    elif not argv:
        return 0, banner + '[%s] %s\n' % (host.iscsi.name, host.say('Enter command or ^C to exit'))
    else:
        host.iscsi.refresh()
        code, text = VERBS.get(verb, usage)(host, argv[1:])
    return code, banner + text + host.say(MESSAGES.get(code, 'Error.')) + '\n'


def usage(host, words):
    """With a wrong number of arguments it prints its usage, and exits with 0."""
    return OK, 'iscsicli AddTarget <TargetName> <TargetAlias> <TargetPortalAddress> ...\niscsicli LoginTarget <TargetName> ...\n\n'


def number(word):
    return int(word, 0)


def add_target_portal(host, words):
    if len(words) != 2:
        return usage(host, words)
    portal = (words[0], number(words[1]))
    # The portal is kept even when discovery fails.
    if portal not in host.iscsi.portals:
        host.iscsi.portals.append(portal)
    return host.iscsi.discover(portal), ''


def remove_target_portal(host, words):
    portal = (words[0], number(words[1]))
    if portal not in host.iscsi.portals:
        return NO_PORTAL, ''
    # What discovery brought stays known.
    host.iscsi.portals.remove(portal)
    return OK, ''


def refresh_target_portal(host, words):
    portal = (words[0], number(words[1]))
    return (host.iscsi.discover(portal), '') if portal in host.iscsi.portals else (NO_PORTAL, '')


def wish(words):
    """18 words: see the vector in [4]."""
    user = None if words[13] == '*' else words[13]
    return Wish(words[0], (words[2], number(words[3])), words[4], 0 if words[7] == '*' else number(words[7]),
                (user, words[14]) if user else None, words[15] == '2')


def login_target(host, words):
    if len(words) != 18:
        return usage(host, words)
    if (words[2] == '*') != (words[3] == '*'):
        return INVALID, 'Portal address and socket must be specified\n'
    asked = wish(words)
    text = 'LoginTarget to %s on %s to %s/%d\n' % (asked.target, asked.instance, *asked.portal)
    if asked.chap and not 12 <= len(asked.chap[1]) <= 16:
        return BAD_SECRET, text
    if asked.target not in host.iscsi.targets:
        return NOT_KNOWN, text
    # Without the multipath flag only one session is allowed.
    if not asked.flags & 2 and any(one.wish.target == asked.target for one in host.iscsi.sessions):
        return LOGGED_IN, text
    try:
        session = host.iscsi.log_in(asked)
    except LoginError as error:
        return status(error), text
    return OK, text + 'Session Id is 0x%s\nConnection Id is 0x%s-1b\n' % (session.id.replace('-', '-0x'), session.id.split('-')[0])


def persistent_login_target(host, words):
    if len(words) != 18:
        return usage(host, words)
    asked = wish(words)
    if asked.chap and not 12 <= len(asked.chap[1]) <= 16:
        return BAD_SECRET, ''
    if asked.target not in host.iscsi.targets:
        return NOT_KNOWN, ''
    # Not idempotent: one more each time. It takes effect at the next boot.
    host.iscsi.persistent.append(asked)
    return OK, 'LoginTarget to %s on %s to %s/%d\n' % (asked.target, asked.instance, *asked.portal)


def remove_persistent_target(host, words):
    if len(words) != 5:
        return usage(host, words)
    portal = ('*', 0) if words[3] == '*' else (words[3], number(words[4]))
    for entry in host.iscsi.persistent:
        if (entry.instance.lower(), entry.target, entry.portal) == (words[0].lower(), words[1], portal):
            host.iscsi.persistent.remove(entry)
            if host.removes_all_equal:
                host.iscsi.persistent = [one for one in host.iscsi.persistent if one != entry]
            return OK, ''
    return NOT_REMOVED, ''


def logout_target(host, words):
    wanted = words[0].lower().replace('0x', '')
    if not re.match(r'^[0-9a-f]+-[0-9a-f]+$', wanted):
        return INVALID, 'Invalid sessionid: %s\n' % words[0]
    for session in host.iscsi.sessions:
        if session.id == wanted:
            if host.iscsi.in_use(session):
                return BUSY, ''
            host.iscsi.log_out(session)
            return OK, 'Logout Target 0x%s\n' % wanted.replace('-', '-0x')
    return 0xEFFF001C, ''


def node_name(host, words):
    host.iscsi.name = words[0]
    host.registry.set('HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\iSCSI\\Discovery', 'DefaultInitiatorName', 'REG_SZ', words[0])
    return OK, ''


def chap_secret(host, words):
    if words[0] != '*' and not 12 <= len(words[0]) <= 16:
        return BAD_SECRET, ''
    # The secret of the initiator: what targets must prove to know.
    host.iscsi.own_secret = None if words[0] == '*' else words[0]
    return OK, ''


# what only reads

def fields(host, indent, width, rows):
    return ''.join('%s%s: %s\n' % (' ' * indent, host.say(label).ljust(width), value) for label, value in rows)


def list_target_portals(host, words):
    found = host.iscsi.portals
    # Nothing but banner and success when there are none.
    text = host.say('Total of %d portals are persisted:') % len(found) + '\n\n' if found else ''
    return OK, text + '\n'.join(fields(host, 4, 21, [
        ('Address and Socket', '%s %d' % portal), ('Symbolic Name', ''), ('Initiator Name', ''),
        ('Port Number', host.say('<Any Port>')), ('Security Flags', '0x0'), ('Version', '0'),
        ('Information Specified', '0x0'), ('Login Flags', '0x0')]) for portal in found) + '\n'


def list_targets(host, words):
    return OK, host.say('Targets List:') + '\n' + ''.join('    %s\n' % name for name in host.iscsi.targets)


def list_persistent_targets(host, words):
    found = host.iscsi.persistent
    # The misspelling is Microsoft's.
    text = host.say('Total of %d peristent targets') % len(found) + '\n' if found else ''
    for entry in found:
        text += fields(host, 4, 22, [
            ('Target Name', entry.target), ('Address and Socket', '%s %d' % entry.portal), ('Session Type', host.say('Data')),
            ('Initiator Name', entry.instance), ('Port Number', host.say('<Any Port>')), ('Security Flags', '0x0'), ('Version', '0'),
            ('Information Specified', '0x20'), ('Login Flags', '0x%x' % entry.flags)])
        if entry.flags & 2:
            text += ' ' * 27 + host.say('Multipath Enabled') + '\n'
        if entry.chap:
            text += fields(host, 4, 22, [('Authentication Type', 'CHAP'), ('Username', ''), ('Password', host.say('<is established>'))])
        text += '\n'
    return OK, text


def session_list(host, words):
    text = host.say('Total of %d sessions') % len(host.iscsi.sessions) + '\n\n'
    drives = host.iscsi.drives()
    for session in host.iscsi.sessions:
        text += fields(host, 0, 23, [
            ('Session Id', session.id), ('Initiator Node Name', host.iscsi.name), ('Target Node Name', '(null)'),
            ('Target Name', session.wish.target), ('ISID', '40 00 01 37 00 00'), ('TSID', '27 00'),
            # None while it tries to connect again.
            ('Number Connections', '%d' % session.connected)])
        if session.connected:
            text += '\n    %s\n\n' % host.say('Connections:') + fields(host, 8, 18, [
                ('Connection Id', session.id.split('-')[0] + '-1b'), ('Initiator Portal', '0.0.0.0/58847'),
                ('Target Portal', '%s/%d' % session.wish.portal), ('CID', '01 00')])
        text += '\n    %s\n' % host.say('Devices:')
        for drive, (lun, sessions, multipath) in sorted(drives.items()):
            if session in sessions:
                text += fields(host, 8, 23, [
                    ('Device Type', host.say('Disk')), ('Device Number', '%d' % drive), ('Storage Device Type', '7'), ('Partition Number', '0'),
                    ('Friendly Name', 'CEPHGATE RBD SCSI Disk Device'), ('Device Description', host.say('Disk drive')),
                    ('Reported Mappings', 'Port 1, Bus 0, Target Id 0, LUN 0'), ('Location', 'Bus Number 0, Target Id 0, LUN 0'),
                    ('Initiator Name', 'ROOT\\ISCSIPRT\\0000_0'), ('Target Name', session.wish.target),
                    ('Legacy Device Name', '\\\\.\\PhysicalDrive%d' % drive), ('Device Instance', '0x82c')])
        text += '\n'
    return OK, text


VERBS = dict(addtargetportal=add_target_portal, removetargetportal=remove_target_portal, refreshtargetportal=refresh_target_portal,
             logintarget=login_target, persistentlogintarget=persistent_login_target, removepersistenttarget=remove_persistent_target,
             logouttarget=logout_target, nodename=node_name, chapsecret=chap_secret, listtargetportals=list_target_portals,
             listtargets=list_targets, listpersistenttargets=list_persistent_targets, sessionlist=session_list)
