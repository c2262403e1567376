# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""open-iscsi on the same host, as far as scenarios use iscsiadm: node records, CHAP, login, logout."""
import errno

from .session import login

NAME = 'iqn.1993-08.org.debian:01:vm'
# Exit statuses of iscsiadm.
OK, TRANSPORT, LOGIN_FAILED, EXISTS, NO_RECORDS, NO_SESSIONS, AUTHENTICATION = 0, 4, 19, 15, 21, 21, 24
NO_OBJECTS = 21


class Initiator:
    """One host. records: (target, portal) -> settings; sessions: the same keys -> Session."""

    def __init__(self, core, name=NAME):
        self.core = core
        self.name = name
        self.forget()

    def forget(self):
        self.records = {}
        self.sessions = {}
        self.next_sid = 0x3d0200

    def run(self, words):
        """iscsiadm WORDS; the exit status, None when it is not modelled."""
        options = {}
        for index, word in enumerate(words):
            if word in ('-m', '-T', '-p', '-o', '-n', '-v', '-t') and index + 1 < len(words):
                options[word] = words[index + 1]
        if options.get('-m') == 'discovery':
            return self.discover(options['-p'])
        if options.get('-m') == 'session':
            return None
        key = options.get('-T'), options.get('-p', '').rsplit(':', 1)[0].strip('[]')
        if '--login' in words:
            return self.log_in(key)
        if '--logout' in words or '-u' in words:
            return self.log_out([key] if key[0] else list(self.sessions))
        if options.get('-o') == 'delete':
            found = bool(self.records)
            self.records = {}
            return OK if found else NO_RECORDS
        if options.get('-o') == 'update':
            self.records.setdefault(key, {})[options['-n']] = options['-v']
            return OK
        return None

    def _driver(self):
        driver = self.core.targets.iscsi if self.core.targets else None
        return driver if driver and driver.running else None

    def _gone(self, key):
        session = self.sessions.get(key)
        return session is None or session.target.sessions.get(session.name) is not session

    def discover(self, portal):
        """SendTargets: the targets that would let this initiator in, at this address."""
        driver = self._driver()
        if driver is None:
            return TRANSPORT
        if driver.lists.users['IncomingUser']:
            return AUTHENTICATION
        address = portal.rsplit(':', 1)[0].strip('[]')
        found = [target for target in driver.targets.values() if driver.enabled and target.enabled
                 and target.allows_portal(address) and self._group(target, address).luns]
        for target in found:
            self.records.setdefault((target.name, address), {})
        return OK if found else NO_OBJECTS

    def _group(self, target, address):
        return target.group_of('%s#%s' % (self.name, address) if target.per_portal_acl else self.name)

    def _authenticated(self, target, settings):
        """Whether CHAP succeeds: None, or iscsiadm's exit status."""
        prefix = 'node.session.auth.'
        user, secret = settings.get(prefix + 'username'), settings.get(prefix + 'password')
        users = {entry.key: entry.value for entry in target.lists.users['IncomingUser']}
        if users and (settings.get(prefix + 'authmethod') != 'CHAP' or users.get(user) != secret):
            return AUTHENTICATION
        wanted = settings.get(prefix + 'username_in')
        if wanted and settings.get(prefix + 'authmethod') == 'CHAP':
            outgoing = {entry.key: entry.value for entry in target.lists.users['OutgoingUser']}
            if users and outgoing.get(wanted) != settings.get(prefix + 'password_in'):
                return LOGIN_FAILED
        return None

    def log_in(self, key):
        if key not in self.records:
            return NO_RECORDS
        if not self._gone(key):
            return EXISTS
        driver = self._driver()
        target = driver.find(key[0]) if driver else None
        if target is None:
            return LOGIN_FAILED if driver else TRANSPORT
        refused = self._authenticated(target, self.records[key])
        if refused:
            return refused
        self.next_sid += 1
        try:
            self.sessions[key] = login(target, self.name, key[1], key[1], '%x' % self.next_sid)
        except OSError as error:
            if error.errno != errno.EACCES:
                raise
            return LOGIN_FAILED
        return OK

    def log_out(self, keys):
        """Sessions that the target side has cut are gone on this side too, after a while."""
        keys = [key for key in keys if key in self.sessions]
        for key in keys:
            if not self._gone(key):
                self.sessions[key].close()
            del self.sessions[key]
        return OK if keys else NO_SESSIONS
