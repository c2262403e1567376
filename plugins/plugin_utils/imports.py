# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both imports share: a declaration in the making, and names for what had none."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import problems


class Declaration(object):
    """Variables of a site as an import collects them; what cannot be declared (problems) and what is lost (notes)."""

    def __init__(self):
        self.problems, self.notes = [], []
        self.prefix = ''
        self.gateways, self.hosts, self.luns, self.secrets = {}, {}, {}, {}

    def result(self):
        """inventory and site as they go into files; chap apart, because it is secret.

        What the imported system allows and this one does not is a problem, too: found by the rules that hold for every site.
        """
        if not self.problems:
            hosts = dict((name, dict(host, chap=dict(host['chap'], **self.secrets[name])) if 'chap' in host else host)
                         for name, host in self.hosts.items())
            gateways = dict((name, dict(number=gateway['cephgate_gateway_id'], portals=gateway['cephgate_portals']))
                            for name, gateway in self.gateways.items())
            self.problems += problems(list(self.luns.values()), hosts, gateways, self.prefix)
        return dict(
            problems=self.problems, notes=self.notes,
            inventory=dict(all=dict(children=dict(gateways=dict(hosts=self.gateways)))),
            site=dict(cephgate_iqn_prefix=self.prefix, cephgate_luns=[self.luns[name] for name in sorted(self.luns)],
                      cephgate_hosts=self.hosts),
            chap=dict(vault_cephgate_chap=self.secrets) if self.secrets else {})

    def number(self, names):
        """Ids for gateways, in the order of their names."""
        for number, name in enumerate(sorted(names), 1):
            self.gateways.setdefault(name, {})['cephgate_gateway_id'] = number

    def lun(self, image, host, number):
        """A host sees an image under a number."""
        hosts = self.luns.setdefault(image, dict(image=image, hosts={}))['hosts']
        if hosts.get(host, number) != number:
            self.problems.append('image %s: host %s sees it as LUN %d and as LUN %d; a host sees an image once. Remove one of the two '
                                 'first.' % (image, host, hosts[host], number))
        hosts[host] = number

    def chap(self, host, user, secret, mutual_user, mutual_secret):
        """CHAP of a host: names stay in the declaration, secrets are referred to."""
        reference = '{{ vault_cephgate_chap[%r].%s }}'
        self.hosts[host]['chap'] = dict(user=user, secret=reference % (host, 'secret'))
        self.secrets[host] = dict(secret=secret)
        if mutual_user:
            self.hosts[host]['chap'].update(mutual_user=mutual_user, mutual_secret=reference % (host, 'mutual_secret'))
            self.secrets[host]['mutual_secret'] = mutual_secret


def host_name(initiator, taken):
    """A name for the host of an initiator: what stands behind the last colon of its iSCSI name, and is not taken."""
    name = re.sub('[^A-Za-z0-9_.-]+', '-', initiator.rsplit(':', 1)[-1]).strip('-._') or 'host'
    number, result = 1, name
    while result in taken:
        number += 1
        result = '%s-%d' % (name, number)
    return result
