# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action status_report: what it takes from the hosts' variables, and how it writes files. (tests/integration/roles runs the playbook.)"""
import pathlib
import sys

import pytest
from ansible.errors import AnsibleActionFail

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'page'))

import sites  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.action import status_report  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document, status_facts  # noqa: E402

NAMES = dict(gateways='gateways', linux='linux_clients', windows='windows_clients')


def hostvars(facts):
    """The variables that the plays leave, for facts that were made by hand."""
    site = facts['site']
    common = dict(cephgate_iqn_prefix=site['iqn_prefix'], cephgate_luns=site['luns'], cephgate_hosts=site['hosts'])
    found = {name: dict(common, cephgate_gateway_id=entry['number'], cephgate_portals=entry['portals'],
                        gateway_status_seen=facts['gateways'][name]['seen'],
                        gateway_status_planned=facts['gateways'][name].get('planned', dict(skipped=True)))
             for name, entry in site['gateways'].items()}
    for name, client in facts['linux'].items():
        found[name] = dict(common, cephgate_host=client['host'], linux_client_seen=client['seen'], linux_client_sessions=client['sessions'],
                           linux_client_disks=client['disks'])
    return found


@pytest.mark.parametrize('scene', ['healthy', 'gateway_down', 'path_degraded'])
def test_the_report_is_made_of_what_the_plays_left(scene):
    facts = sites.SCENES[scene]()
    groups = dict(gateways=sorted(facts['site']['gateways']), linux_clients=sorted(facts['linux']))
    assert status_document.build(status_facts.facts(groups, hostvars(facts), NAMES, sites.NOW)) == status_document.build(facts)


def test_hosts_that_were_not_asked():
    facts = sites.healthy()
    variables = hostvars(facts)
    for name in ('linux_client_seen', 'linux_client_sessions', 'linux_client_disks'):
        del variables['db1'][name]
    document = status_document.build(status_facts.facts(dict(gateways=['gw1', 'gw2'], linux_clients=['db1']), variables, NAMES, 0))
    assert document['hosts'][0]['asked'] is False and document['health'] == 'healthy'


def test_an_inventory_without_gateways_is_named():
    with pytest.raises(AnsibleActionFail, match='group gateways has no hosts'):
        status_facts.facts({}, {}, NAMES, 0)
    with pytest.raises(AnsibleActionFail, match='gateway gw1 has no cephgate_luns, cephgate_hosts,'):
        status_facts.facts(dict(gateways=['gw1']), dict(gw1=dict(cephgate_iqn_prefix='iqn.x')), NAMES, 0)


def test_files_are_replaced_in_one_step(tmp_path):
    path = tmp_path / 'status.json'
    path.write_text('old')
    with open(path, encoding='utf-8') as reader:
        status_report.write(str(path), 'new \u2026')
        assert reader.read() == 'old' and path.read_text(encoding='utf-8') == 'new \u2026'
    assert [entry.name for entry in tmp_path.iterdir()] == ['status.json']
    with pytest.raises(AnsibleActionFail, match='cannot be written'):
        status_report.write(str(tmp_path / 'no/status.json'), '')
