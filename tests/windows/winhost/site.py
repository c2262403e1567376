# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site for tests: gateways that can be logged in to, and a Windows host with its own clock."""
from .host import Host
from .target import Gateway

PREFIX = 'iqn.2026-11.com.example.cephgate'
INITIATOR = 'iqn.1991-05.com.microsoft:app1'
CHAP = dict(user='app', secret='opensesame-1234')
LUNS = [dict(serial='3f2b6c1d9e8a7f605142', naa='3f2b6c1d9e8a7f60', size=10 << 30),
        dict(serial='aa2b6c1d9e8a7f605142', naa='3a2b6c1d9e8a7f60', size=20 << 30)]
LANGUAGES = ['en', 'de']
# Every kind of Windows that can be managed.
VERSIONS = ['2008', '2008-core', '2008r2', '2019', '2025']


def gateway(name, portals=2, **options):
    options.setdefault('users', {CHAP['user']: CHAP['secret']})
    options.setdefault('initiators', [INITIATOR])
    options.setdefault('luns', LUNS)
    return Gateway('%s:%s' % (PREFIX, name), [('127.0.0.1', 0)] * portals, **options).start()


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def host(personality='2008', language='en', clock=None, **options):
    return Host(personality, language, clock or Clock(), **options)


def portals(one):
    return ['%s:%d' % portal for portal in one.portals]


def targets(gateways):
    return [dict(name=one.name, portals=portals(one)) for one in gateways]
