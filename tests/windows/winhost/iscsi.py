# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the initiator's service and driver keep: portals, targets, persistent logins, sessions [4]."""
import dataclasses

from . import pdu
from .initiator import Login, LoginError, discover

# iscsierr.h [4]
LOGIN_FAILED, CONNECTION_FAILED, AUTHENTICATION, AUTHORIZATION, NOT_FOUND = 0xEFFF0002, 0xEFFF0003, 0xEFFF0009, 0xEFFF000A, 0xEFFF000B
STATUS = {0: CONNECTION_FAILED, pdu.AUTHENTICATION: AUTHENTICATION, pdu.AUTHORIZATION: AUTHORIZATION, pdu.NOT_FOUND: NOT_FOUND}


def status(error):
    return STATUS.get(error.status, LOGIN_FAILED)


@dataclasses.dataclass
class Wish:
    """A login as it was asked for: the words of LoginTarget and PersistentLoginTarget."""
    target: str
    portal: tuple
    instance: str
    flags: int
    chap: tuple = None
    mutual: bool = False


@dataclasses.dataclass
class Session:
    id: str
    wish: Wish
    login: Login = None
    connected: bool = True


class Initiator:

    def __init__(self, host, name):
        self.host = host
        self.name = name
        self.own_secret = None
        self.portals, self.targets, self.persistent, self.sessions = [], [], [], []
        self.numbers = {}
        self.made = 0

    def discover(self, portal):
        """0 or a status; the names found are added."""
        try:
            self.targets += [name for name in discover(portal, self.name) if name not in self.targets]
        except LoginError as error:
            return status(error)
        return 0

    def connect(self, wish):
        return Login(wish.portal, self.name, wish.target, wish.chap, self.own_secret if wish.mutual else None)

    def log_in(self, wish):
        """A new session each time, whatever there is already. Raises LoginError."""
        login = self.connect(wish)
        self.made += 1
        session = Session('fffffa800f7900a8-4000013700%06x' % self.made, wish, login)
        self.sessions.append(session)
        self.renumber()
        return session

    def log_out(self, session):
        if session.login:
            session.login.close()
        self.sessions.remove(session)
        self.renumber()

    def refresh(self):
        """Windows notices a broken connection, and tries to make it again for ever (MaxConnectionRetries [5])."""
        for session in self.sessions:
            if session.connected and not session.login.alive():
                session.connected = False
                session.login.close()
            if not session.connected and self.host.service['running']:
                try:
                    session.login = self.connect(session.wish)
                    session.connected = True
                except LoginError:
                    pass
        self.renumber()

    def service_started(self):
        """Persistent logins are made when the service starts at boot."""
        for portal in self.portals:
            self.discover(portal)
        for wish in self.persistent:
            # A login that names no instance is not made again on 2008 when there are several.
            forgotten = self.host.personality.current_version == '6.0' and wish.instance == '*' and len(self.persistent) > 1
            if not forgotten and not any((one.wish.target, one.wish.portal) == (wish.target, wish.portal) for one in self.sessions):
                try:
                    self.log_in(wish)
                except LoginError:
                    pass

    def drop_all(self):
        for session in self.sessions:
            if session.login:
                session.login.close()
        self.sessions, self.targets, self.numbers = [], [], {}

    # disks

    def claimed(self):
        """[3] a claim is a whole hardware id, or a prefix; or that of the whole bus."""
        return any(self.host.hardware_id.lower().startswith(claim.rstrip().lower()) or claim.rstrip().lower() == 'msft2005iscsibustype_0x9'
                   for claim in self.host.claims if claim.strip())

    def drive_key(self, session, lun):
        return lun['serial'] if self.claimed() else (lun['serial'], session.id)

    def renumber(self):
        """Drive numbers in the order of appearance; 0 is the host's own. They mean nothing after a reboot."""
        present = [self.drive_key(session, lun) for session in self.sessions for lun in session.login.luns]
        for key in list(self.numbers):
            if key not in present:
                del self.numbers[key]
        for key in present:
            if key not in self.numbers:
                self.numbers[key] = min(set(range(1, len(self.numbers) + 2)) - set(self.numbers.values()))

    def drives(self):
        """{number: (lun, [sessions], whether it is a multipath disk)}"""
        found = {}
        for session in self.sessions:
            for lun in session.login.luns:
                number = self.numbers[self.drive_key(session, lun)]
                found.setdefault(number, (lun, [], self.claimed()))[1].append(session)
        return found

    def in_use(self, session):
        """Whether a mounted disk has its last path through the session."""
        for lun, sessions, dummy in self.drives().values():
            disk = self.host.disks.get(lun['serial'])
            if disk and disk['online'] and disk['letter'] and not [one for one in sessions if one is not session and one.connected]:
                if session in sessions:
                    return True
        return False
