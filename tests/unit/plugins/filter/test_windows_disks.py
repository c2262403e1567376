# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows client does with which disk."""
from ansible_collections.cephgate.iscsi.plugins.filter.windows_disks import windows_disks
from ansible_collections.cephgate.iscsi.plugins.module_utils import client_site

MAPS = [dict(name='rbd/app', serial='aa', paths=4, size=1), dict(name='rbd/log', serial='bb', paths=4, size=1)]


def test_only_what_is_asked_for_is_brought_online():
    assert windows_disks(MAPS, [dict(image='rbd/app', format=True, letter='E', shared=True)]) == [
        dict(name='rbd/app', serial='aa', online=True, format=True, letter='E'), dict(name='rbd/log', serial='bb', online=False, format=False)]
    assert windows_disks(MAPS, [dict(image='rbd/log', online=False)])[1]['online'] is False


def test_a_disk_that_others_see_too_is_refused_by_the_name_of_its_variable():
    luns = [dict(image='rbd/app', hosts=dict(app=0, other=0))]
    hosts = dict(app=dict(initiators=['iqn.1991-05.com.microsoft:app']), other=dict(initiators=['iqn.1991-05.com.microsoft:other']))
    clients, gateways = dict(app1=dict(host='app', initiator_name=None)), dict(gw1=dict(number=1, portals=['192.0.2.11']))

    def problems(disk):
        return client_site.problems('app1', clients, luns, hosts, gateways, 'iqn.2026-11.com.example.cephgate', [disk], 'windows_client_disks')
    assert 'same ext4, xfs or NTFS destroy it. Take it out of windows_client_disks' in problems(dict(image='rbd/app'))[0]
    assert problems(dict(image='rbd/app', shared=True)) == []
    assert 'app1: windows_client_disks names rbd/none' in problems(dict(image='rbd/none'))[0]
