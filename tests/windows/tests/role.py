# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role windows_client does, in its order, without Ansible in between: the same action code, called in this process.

test_playbook and the Molecule scenario show that the role itself does the same.
"""
from winhost import site
from winhost.host import Down

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_disks import Disks
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_plan import Desired
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_run import Run
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_mpio_plan import hardware_id
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_mpio_run import Mpio, restart
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_shell import Windows

TIMERS = dict(mpio=dict(PDORemovePeriod=120), disk=dict(TimeOutValue=65), iscsi=dict(LinkDownTime=25))


class Failure(Exception):
    """A task failed."""


class Role:

    def __init__(self, host, gateways, **options):
        self.host, self.gateways, self.options = host, list(gateways), options
        self.chap = options.pop('chap', site.CHAP)
        self.sleep = host.clock.sleep
        self.windows = Windows(lambda script, secret: host.execute(script))

    def mpio(self, check_mode=False):
        return Mpio(self.windows, [hardware_id('CEPHGATE', 'RBD')], self.options.get('load_balance'), TIMERS, check_mode)()

    def restart(self, check_mode=False):
        return restart(self.windows, lambda: None, self.sleep, self.host.clock, check_mode, (Down,))

    def sessions(self, check_mode=False, **options):
        desired = Desired(options.get('targets', site.targets(self.gateways)), self.chap, [site.PREFIX], site.INITIATOR,
                          options.get('absent', False))
        run = Run(self.windows, desired, check_mode, self.sleep)
        result = run()
        problem = run.problem(options.get('require', 'all'), result)
        return dict(result, failed=True, msg=problem) if problem else result

    def disks(self, check_mode=False):
        wanted = [dict(serial=site.LUNS[0]['serial'], name='rbd/app', online=True, format=True, letter='E', label='app', filesystem='ntfs'),
                  dict(serial=site.LUNS[1]['serial'], name='rbd/log', online=False, format=False, letter=None, label=None, filesystem='ntfs')]
        return Disks(self.windows, wanted, check_mode, self.sleep)()

    def __call__(self, check_mode=False):
        """The results of all tasks. Raises Failure, and what the connection raises."""
        results = []

        def task(result):
            if result.get('failed'):
                raise Failure(result['msg'])
            results.append(result)
            return result

        if task(self.mpio(check_mode))['reboot_required']:
            task(self.restart(check_mode))
        task(self.sessions(check_mode))
        # Another play, and another moment: diskpart's pause is long over.
        self.sleep(60)
        task(self.disks(check_mode))
        return results


def changed(results):
    return any(result['changed'] for result in results)


def lines(results):
    return ''.join(result['diff']['prepared'] for result in results).splitlines()


def logins(host):
    """Every session as (target, portal), sorted; each but once when all is well."""
    return sorted((session.wish.target, session.wish.portal) for session in host.iscsi.sessions)


def wanted(gateways):
    return sorted((one.name, portal) for one in gateways for portal in one.portals)


def complete(host, gateways):
    """Nothing is left to be desired; None, or what is wrong."""
    iscsi = host.iscsi
    found = dict(
        sessions=logins(host) == wanted(gateways),
        connected=all(session.connected for session in iscsi.sessions),
        persistent=sorted((entry.target, entry.portal) for entry in iscsi.persistent) == wanted(gateways),
        multipath=all(entry.flags & 2 for entry in iscsi.persistent) and iscsi.claimed(),
        portals=sorted(iscsi.portals) == sorted(set(portal for one in gateways for portal in one.portals)),
        disks=sorted((lun['serial'], len(sessions)) for lun, sessions, dummy in iscsi.drives().values()) == sorted(
            (lun['serial'], len(wanted(gateways))) for lun in site.LUNS),
        volume=host.disks.get(site.LUNS[0]['serial'], {}).get('formats') == 1 and host.disks[site.LUNS[0]['serial']]['online'],
        service=host.service == dict(start=2, running=True),
        name=iscsi.name == site.INITIATOR,
        feature=host.feature == 'installed',
        timers=host.registry.get('HKLM\\SYSTEM\\CurrentControlSet\\Services\\mpio\\Parameters', 'PDORemovePeriod') == 120,
    )
    return [name for name, good in found.items() if not good] or None
