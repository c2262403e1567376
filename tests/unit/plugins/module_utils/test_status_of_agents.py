# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What report and metrics say of gateways in ha_mode fenced whose agents really run, on emulated SCST and an imagined Ceph."""
import json
import os
import pathlib
import time

import pytest
from ha_world import World
from test_gateway_metrics import FENCED, LINE

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_ha, gateway_look, gateway_metrics, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document, status_page, status_text

STAT = [10, 0, 2048, 1500, 20, 0, 4096, 2500, 3, 900, 4000]


class Site:
    """A world whose gateways can be asked as gateway_info and the command metrics ask."""

    def __init__(self, folder, monkeypatch):
        self.world, self.folder, self.monkeypatch = World(2, 2).start(), folder, monkeypatch
        for name in self.world.nodes:
            (folder / name).mkdir()
            (folder / name / 'state.json').write_text(json.dumps(self.world.states[name]))

    def asked(self, name, what):
        """what(Look's arguments) on this gateway, whose agent has just written its report."""
        node, run = self.world.nodes[name], str(self.folder / name)
        path = str(self.folder / name / 'state.json')
        self.monkeypatch.setattr(gateway_look, 'Guards', node.dm)
        Orders(path).give(drain=node.orders['drain'])

        def mapped():
            return {image: dict(entry, fsid='F') for image, entry in node.mapped().items()}
        with lock.Lock('serve', 'cephgate serve', folder=run):
            if node.agent is None:
                return what(node, path, run, mapped)
            with lock.Lock('agent', 'cephgate agent', folder=run):
                pathlib.Path(gateway_ha.report_path(run)).write_text(json.dumps(node.agent.report()))
                return what(node, path, run, mapped)

    def look(self, name):
        return self.asked(name, lambda node, path, run, mapped: gateway_look.Look(node.scst, path, run, mapped).all())

    def document(self):
        facts = {name: dict(seen=dict(unreachable=True, msg='no route') if node.off else self.look(name)) for name, node in self.world.nodes.items()}
        document = status_document.build(dict(site=self.world.site, now=0, linux={}, windows={}, gateways=facts))
        assert status_text.lines(document) and status_page.page(document)
        return document

    def told(self):
        return [(entry['health'], entry['kind'], entry['what'], entry['objects']) for entry in self.document()['problems'] if entry['kind'] != 'host']

    def metrics(self, name):
        found = self.asked(name, lambda node, path, run, mapped: gateway_metrics.collect(
            path, run, lambda root: node.scst, mapped, lambda number: STAT, lambda: 1, lambda: 1000.0))
        for line in found.text().splitlines():
            assert line.startswith('# ') or LINE.match(line), line
        assert {metric for metric, _labels, _value in found.all} <= set(gateway_metrics.METRICS)
        return {(metric, tuple(sorted(labels.items()))): value for metric, labels, value in found.all}


@pytest.fixture
def site(tmp_path, monkeypatch):
    return Site(tmp_path, monkeypatch)


def agent_metrics(site, name):
    return {metric: value for (metric, labels), value in site.metrics(name).items() if metric.startswith('agent_') and not labels}


def test_a_site_that_does_well(site):
    document = site.document()
    assert site.told() == [] and document['health'] == 'healthy', document['problems']
    assert {record['name']: record['agent']['owns'] for record in document['gateways']} == dict(gw1=['rbd/a'], gw2=['rbd/b'])
    assert agent_metrics(site, 'gw1') == dict(agent_running=1, agent_answer_age_seconds=pytest.approx(0.5, abs=0.6), agent_fenced=0, agent_draining=0,
                                              agent_troubles=0)
    assert {metric for metric, _labels in site.metrics('gw1')} >= FENCED - {'image_takeover_pause_seconds'}
    images = {labels[0][1]: value for (metric, labels), value in site.metrics('gw1').items() if metric == 'image_owned'}
    assert images == {'rbd/a': True, 'rbd/b': False}


def test_its_agent_is_killed(site):
    site.world.gw1.kill_agent()
    assert ('degraded', 'gateway', 'no agent', ['gw1']) in site.told()
    assert agent_metrics(site, 'gw1') == dict(agent_running=0)
    site.world.run(15)
    document = site.document()
    assert document['gateways'][1]['agent']['owns'] == ['rbd/a', 'rbd/b'], 'the other one has taken over'


def test_an_agent_that_hangs_is_one_that_does_not_run(site):
    run = str(site.folder / 'gw1')
    site.look('gw1')
    with lock.Lock('agent', 'cephgate agent', folder=run):
        assert gateway_ha.heard(run)
        old = time.time() - gateway_ha.SILENT_AFTER - 5
        os.utime(gateway_ha.report_path(run), (old, old))
        assert gateway_ha.heard(run) is None
        os.utime(gateway_ha.report_path(run), None)
        pathlib.Path(gateway_ha.report_path(run)).write_text('half a')
        assert gateway_ha.heard(run) is None
    assert gateway_ha.heard(run) is None, 'nobody holds the lock'


def test_how_long_a_disk_was_without_a_gateway(site):
    def told(image):
        found = {metric: value for (metric, labels), value in site.metrics('gw2').items() if ('image', image) in labels}
        return found['image_takeovers_total'], found.get('image_takeover_pause_seconds')
    assert told('rbd/a') == (0, None) and told('rbd/b') == (1, None), 'nobody had it before'
    site.world.gw1.power_cut()
    waited = site.world.run(20, until=lambda: site.world.owners(site.world.devices[0]) == ['gw2'])
    site.world.run(2)
    assert told('rbd/a') == (1, pytest.approx(waited, abs=1)) and waited > 3


def test_a_gateway_without_power(site):
    site.world.gw1.power_cut()
    site.world.run(20, until=site.world.all_served)
    assert site.told() == [('broken', 'gateway', 'down', ['gw1'])]
    site.world.gw1.boot()
    site.world.gw1.start()
    site.world.run(60)
    assert site.told() == [('degraded', 'gateway', 'standby only', ['gw1'])]


def test_a_gateway_that_ceph_refuses(site):
    """Frozen, taken over from, and awake again: until its mappings are gone it says so."""
    site.world.gw1.frozen = True
    site.world.run(20)
    site.world.gw1.frozen = False
    seen = []
    site.world.run(20, until=lambda: seen.append(site.told()) or any('fenced' in entry for entry in seen[-1]))
    assert ('broken', 'gateway', 'fenced', ['gw1']) in seen[-1]
    assert agent_metrics(site, 'gw1')['agent_fenced'] == 1
    site.world.run(30, until=site.world.gw1.is_open)
    site.world.run(5)
    assert site.told() == [('degraded', 'gateway', 'standby only', ['gw1'])]


def test_ceph_does_not_answer(site):
    for node in site.world.nodes.values():
        node.connected.clear()
    try:
        site.world.run(4)
        assert ('degraded', 'gateway', 'no Ceph', ['gw1', 'gw2']) in site.told()
        site.world.run(6)
        assert ('broken', 'gateway', 'no Ceph', ['gw1', 'gw2']) in site.told()
        assert agent_metrics(site, 'gw1')['agent_answer_age_seconds'] > 6
    finally:
        for node in site.world.nodes.values():
            node.connected.set()
    site.world.run(20, until=site.world.all_served)
    site.world.run(5)
    assert site.told() == []


def test_a_gateway_is_drained(site):
    """No host logs in at the other one, so that it cannot let go; then it can."""
    site.world.gw2.sees = set()
    site.world.run(2)
    site.world.gw1.orders['drain'] = True
    site.world.run(3)
    assert ('degraded', 'gateway', 'draining', ['gw1']) in site.told()
    assert agent_metrics(site, 'gw1')['agent_draining'] == 1
    site.world.gw2.sees = set(['db', 'web'])
    site.world.run(30, until=lambda: site.world.gw2.serves(site.world.devices[0]))
    site.world.run(3)
    document = site.document()
    assert site.told() == [('degraded', 'gateway', 'drained', ['gw1'])]
    assert document['problems'][0]['affects']['images'] == ['rbd/a'] and agent_metrics(site, 'gw1')['agent_draining'] == 0


def test_an_image_that_cannot_be_taken_over(site):
    """The image of the dead gateway cannot be mapped by the other one."""
    rbd = site.world.gw2.rbd
    site.world.gw2.rbd = lambda argv, stdin: (110, '', 'rbd: map failed: (110) Connection timed out') if argv[3] == 'map' else rbd(argv, stdin)
    site.world.gw2.agent.hands.rbd.run = site.world.gw2.rbd
    site.world.gw1.power_cut()
    site.world.run(15)
    told = site.told()
    assert told == [('broken', 'image', 'no owner', ['rbd/a']), ('broken', 'gateway', 'down', ['gw1']), ('degraded', 'gateway', 'unfit', ['gw2'])]
    unfit = {labels: value for (metric, labels), value in site.metrics('gw2').items() if metric == 'image_unfit'}
    assert unfit == {(('image', 'rbd/a'),): True, (('image', 'rbd/b'),): False}
