# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every host, whatever Windows and language, has its disks as the site declares them, after exactly one reboot."""
import json
import pathlib
import urllib.request

import pytest
import yaml

INVENTORY = yaml.safe_load((pathlib.Path(__file__).parents[1] / 'inventory/hosts.yml').read_text(encoding='utf-8'))['all']
SITE = INVENTORY['vars']
HOSTS = sorted(INVENTORY['children']['windows_clients']['hosts'])
GATEWAYS = INVENTORY['children']['gateways']['hosts']
LOGINS = sorted('%s:%s %s:3260' % (SITE['cephgate_iqn_prefix'], name, portal)
                for name, gateway in GATEWAYS.items() for portal in gateway['cephgate_portals'])
SERIALS = {name: export['serial'] for name, export in GATEWAYS['gw1']['gateway_exports'].items()}


@pytest.fixture(scope='module')
def states():
    with urllib.request.urlopen('http://%s/state' % SITE['winhost_control']) as answer:
        return json.load(answer)


@pytest.mark.parametrize('name', HOSTS)
def test_one_session_and_one_persistent_login_for_every_portal(name, states):
    assert (states[name]['sessions'], states[name]['persistent']) == (LOGINS, LOGINS)


@pytest.mark.parametrize('name', HOSTS)
def test_every_lun_is_one_disk_with_all_paths(name, states):
    assert sorted(states[name]['drives'], key=str) == sorted(
        [dict(serial=serial, paths=len(LOGINS), multipath=True) for serial in SERIALS.values()], key=str)


@pytest.mark.parametrize('name', HOSTS)
def test_the_disk_that_was_asked_for_is_formatted_once_and_the_other_untouched(name, states):
    media = states[name]['media']
    app = media[SERIALS['rbd/app']]
    assert (app['online'], app['letter'], app['label'], app['formats']) == (True, 'E', 'app', 1)
    assert (media[SERIALS['rbd/log']]['online'], media[SERIALS['rbd/log']]['partitions']) == (False, 0)


@pytest.mark.parametrize('name', HOSTS)
def test_one_reboot_was_enough(name, states):
    assert states[name]['reboots'] == 1


@pytest.mark.parametrize('name', HOSTS)
def test_only_programs_that_the_version_lacks_were_asked_for_in_vain(name, states):
    assert {words[0] for words in states[name]['unknown']} <= {'ServerManagerCmd.exe', 'mpclaim.exe', 'wmic.exe'}
