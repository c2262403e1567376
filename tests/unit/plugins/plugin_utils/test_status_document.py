# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status report says of sites with something wrong: how bad, why, what to do; and each trouble once."""
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'page'))

import sites  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document, status_page, status_text  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[4]


def build(facts):
    document = status_document.build(facts)
    json.dumps(document)
    return document


def told(document):
    return [(entry['health'], entry['kind'], entry['what'], entry['objects']) for entry in document['problems']]


def named(records, key='name'):
    return {record[key]: record for record in records}


def test_a_healthy_site_has_no_problem():
    document = build(sites.healthy())
    assert document['health'] == 'healthy' and document['problems'] == [] and document['headline'] == 'Everything works.'
    assert document['summary']['paths'] == dict(all=12, working=12) and document['summary']['links'] == dict(all=4, up=4, down=0)


def test_a_gateway_that_is_down_degrades_the_site_and_is_told_once():
    document = build(sites.gateway_down())
    assert document['health'] == 'degraded' and document['headline'] == 'gw2 is out of service. Every disk works.'
    assert told(document) == [('broken', 'gateway', 'down', ['gw2'])]
    assert document['problems'][0]['affects'] == dict(images=['rbd/archive', 'rbd/db01', 'rbd/db01-log'], hosts=['db1'])
    assert {record['health'] for record in document['images'] + document['hosts']} == {'degraded'}


def test_a_gateway_that_only_ansible_cannot_reach_serves():
    facts = sites.healthy()
    facts['gateways']['gw2'] = dict(seen=sites.unreachable())
    document = build(facts)
    assert told(document) == [('degraded', 'gateway', 'silent', ['gw2'])]
    assert named(document['hosts'])['db1']['health'] == 'healthy'


def test_all_gateways_down_break_the_hosts():
    document = build(sites.take_down(sites.gateway_down(), 'gw1'))
    assert document['health'] == 'broken' and document['headline'] == 'db1 has lost 3 disks.'
    assert ('broken', 'host', 'disk lost', ['db1']) in told(document)


def test_a_path_that_fails_is_named():
    document = build(sites.path_degraded())
    assert document['health'] == 'degraded' and told(document) == [('degraded', 'host', 'paths', ['db1'])]
    assert 'none works: multipath says failed faulty' in document['problems'][0]['reasons'][0]['reason']
    assert 'gw2 at 10.99.2.12:3260' in document['problems'][0]['reasons'][0]['reason']


@pytest.mark.parametrize('change, fine', [
    (dict(checker_state='ghost'), True),  # a standby path is as it is to be
    (dict(checker_state=None, dm_state=None), True),  # multipathd does not answer: the device's own state counts
    (dict(checker_state=None, dm_state=None, state='transport-offline'), False),
    (dict(dm_state='failed'), False),
    (dict(checker_state='faulty'), False),
    (dict(state='offline'), False)])
def test_what_makes_a_path_bad(change, fine):
    facts = sites.healthy()
    facts['linux']['db1']['disks']['maps'][0]['paths'][0].update(change)
    assert (build(facts)['health'] == 'healthy') == fine


def test_a_disk_without_paths_is_worse_than_everything_else():
    document = build(sites.disk_lost())
    assert document['health'] == 'broken'
    assert told(document)[:3] == [('broken', 'image', 'not served', ['rbd/archive']), ('broken', 'host', 'down', ['app1']),
                                  ('broken', 'host', 'disk lost', ['mail1'])]
    assert ('degraded', 'gateway', 'drift', ['gw1']) in told(document)
    # What nobody serves is the image's problem and not one of each gateway.
    assert named(document['gateways'])['gw2']['health'] == 'healthy'


def test_one_disk_of_a_host_with_no_working_path():
    facts = sites.healthy()
    for path in facts['linux']['db1']['disks']['maps'][0]['paths']:
        path.update(dm_state='failed', checker_state='faulty')
    assert told(build(facts)) == [('broken', 'host', 'disk lost', ['db1'])], 'its four paths are not told once more'


def change_gateway(**changes):
    facts = sites.healthy()
    facts['gateways']['gw1']['seen'].update(changes)
    return build(facts)


def test_states_of_a_gateway():
    assert told(change_gateway(service=None)) == [('degraded', 'gateway', 'no service', ['gw1'])]
    assert told(change_gateway(state=None)) == [('degraded', 'gateway', 'state file', ['gw1'])]
    seen = sites.healthy()['gateways']['gw1']['seen']
    assert told(change_gateway(state=dict(seen['state'], unfinished=True))) == [('degraded', 'gateway', 'unfinished', ['gw1'])]
    document = change_gateway(daemon=False, scst=dict(seen['scst'], targets=[]))
    assert told(document)[0] == ('broken', 'gateway', 'no daemon', ['gw1']) and document['health'] == 'degraded'
    document = change_gateway(scst=dict(seen['scst'], targets=[dict(seen['scst']['targets'][0], enabled=False)]))
    assert told(document)[0] == ('broken', 'gateway', 'no target', ['gw1'])
    assert [image['serving'] for image in document['images']] == [['gw2']] * 3


def test_an_image_that_one_gateway_lacks():
    facts = sites.healthy()
    del facts['gateways']['gw1']['seen']['mapped']['rbd/db01']
    document = build(facts)
    assert told(document) == [('degraded', 'gateway', 'missing images', ['gw1'])]
    assert '1 of 3 is not served here (rbd/db01): the image is not mapped' in document['problems'][0]['reasons'][0]['reason']
    assert named(document['images'], 'image')['rbd/db01']['health'] == 'degraded'


def test_an_access_state_that_is_not_the_preferred_gateways():
    facts = sites.healthy()
    for group in facts['gateways']['gw1']['seen']['scst']['gathered']['device_groups']:
        for ports in group['target_groups']:
            ports['state'] = 'nonoptimized'
    assert ('degraded', 'image', 'access state', ['rbd/archive', 'rbd/db01']) in told(build(facts))


def test_a_drained_gateway_is_no_accident():
    facts = sites.take_down(sites.healthy(), 'gw2')
    seen = sites.gateway(facts['site'], 'gw2')
    seen['scst'].update(targets=[dict(seen['scst']['targets'][0], enabled=False)], sessions=[])
    facts['gateways']['gw2'] = dict(seen=dict(seen, drained=True), planned=dict(plan=dict(operations=[], problems={})))
    document = build(facts)
    assert told(document) == [('degraded', 'gateway', 'drained', ['gw2'])] and document['headline'] == 'gw2 is drained. Every disk works.'
    assert document['problems'][0]['affects']['hosts'] == ['db1'] and document['summary']['gateways']['in_service'] == 1


def test_disks_that_one_gateway_has_at_a_time():
    document = build(sites.fenced())
    assert document['health'] == 'healthy' and document['problems'] == []
    assert [record['agent']['owns'] for record in document['gateways']] == [['rbd/archive', 'rbd/db01'], ['rbd/db01-log']]
    document = build(sites.fenced('gw2'))
    assert told(document) == [('degraded', 'gateway', 'standby only', ['gw1'])]
    assert document['problems'][0]['affects']['images'] == ['rbd/archive', 'rbd/db01'], 'told once'
    facts = sites.fenced('gw1')
    facts['gateways']['gw1']['seen']['plan']['operations'] = ['LUN 0: add']
    assert ('degraded', 'gateway', 'drift', ['gw1']) in told(build(facts))


def test_a_disk_that_no_gateway_has():
    facts = sites.fenced('nobody')
    document = build(facts)
    assert document['health'] == 'broken' and told(document)[0][:3] == ('broken', 'image', 'no owner')
    facts['gateways']['gw2']['seen']['agent']['disks'][device_name('rbd/db01')]['doing'] = 'fence'
    document = build(facts)
    assert ('degraded', 'image', 'moving', ['rbd/db01']) in told(document)
    assert 'gw2: fence' in [entry['reason'] for problem in document['problems'] if problem['what'] == 'moving' for entry in problem['reasons']][0]


def test_a_gateway_that_ceph_shut_out():
    document = build(sites.taken_over())
    assert told(document) == [('broken', 'gateway', 'fenced', ['gw1'])], 'neither its closed target nor the images that gw2 took is told once more'
    assert document['health'] == 'degraded' and document['headline'] == 'gw1 is out of service. Every disk works.'
    assert document['problems'][0]['affects'] == dict(images=['rbd/archive', 'rbd/db01', 'rbd/db01-log'], hosts=['db1'])
    assert '10.99.0.11:0/3141592653' in document['problems'][0]['reasons'][0]['reason']


def of_agent(closed=False, drained=False, **changes):
    """What is told when the agent of gw1 says something else than that all is well."""
    facts = sites.fenced()
    seen = facts['gateways']['gw1']['seen']
    seen['drained'] = drained
    seen['agent'] = None if changes.pop('dead', False) else dict(seen['agent'], **changes)
    if closed:
        seen['scst']['targets'] = [dict(seen['scst']['targets'][0], enabled=False)]
    document = build(facts)
    mine = [entry for entry in document['problems'] if entry['kind'] == 'gateway']
    return [(entry['health'], entry['what']) for entry in mine], ' '.join(entry['reason'] for one in mine for entry in one['reasons'])


def disk(**changes):
    """Disks of an agent, the preferred one's first changed."""
    facts = sites.fenced()
    found = facts['gateways']['gw1']['seen']['agent']['disks']
    found[device_name('rbd/db01')].update(changes)
    return found


@pytest.mark.parametrize('said, problems, words', [
    (dict(dead=True), [('degraded', 'no agent')], 'does not run'),
    (dict(dead=True, closed=True), [('broken', 'no agent')], 'does not run'),
    (dict(ceph=None), [('degraded', 'no Ceph')], 'since that began'),
    (dict(ceph=7.2, closed=True), [('broken', 'no Ceph')], 'for 7 s'),
    (dict(ceph=1.9), [], ''),
    (dict(closed=True), [('broken', 'no target')], 'not enabled'),
    (dict(trouble=['exchanging records: timed out']), [('degraded', 'agent in trouble')], 'timed out'),
    (dict(disks=disk(unfit=True)), [('degraded', 'unfit')], 'rbd/db01'),
    (dict(disks=disk(health='silent')), [('degraded', 'silent images')], 'rbd/db01'),
    (dict(drain=True, drained=True), [('degraded', 'draining')], 'still has rbd/archive, rbd/db01'),
    (dict(drain=True, drained=True, disks={}), [('degraded', 'drained')], 'taken out of service')])
def test_what_an_agent_says(said, problems, words):
    found, reasons = of_agent(**said)
    assert found == problems and words in reasons, reasons


def test_with_shared_nobody_asks_for_an_agent():
    assert [record['agent'] for record in build(sites.healthy())['gateways']] == [None, None]


def test_drift_is_a_plan():
    facts = sites.healthy()
    facts['gateways']['gw1']['planned'] = dict(plan=dict(operations=['device x: create'] * 70, problems={}))
    facts['linux']['db1']['sessions']['operations'] = [dict(object='target t, portal p', action='node.startup = automatic', done=False)]
    document = build(facts)
    record = named(document['gateways'])['gw1']
    assert len(record['drift']) == 50 and record['drift_more'] == 20
    assert sorted(entry[1:] for entry in told(document)) == [('gateway', 'drift', ['gw1']), ('host', 'drift', ['db1'])]
    facts['gateways']['gw1']['planned'] = dict(failed=True, msg='device x: no')
    assert ('degraded', 'gateway', 'no plan', ['gw1']) in told(build(facts))


def test_what_a_dead_gateway_keeps_a_host_from_is_no_drift():
    facts = sites.gateway_down()
    facts['linux']['db1']['sessions']['operations'] = [dict(object='target %s:gw2, portal 10.99.1.12:3260' % sites.PREFIX, action='log in', done=False)]
    assert told(build(facts)) == [('broken', 'gateway', 'down', ['gw2'])]


def test_a_host_that_is_not_managed_is_seen_by_its_sessions():
    facts = sites.healthy(managed=[])
    record = build(facts)['hosts'][0]
    assert record['kind'] == 'not managed' and [link['state'] for link in record['links']] == ['up'] * 4 and record['health'] == 'healthy'
    for name in ('gw1', 'gw2'):
        facts['gateways'][name]['seen']['scst']['sessions'] = []
    assert told(build(facts)) == [('degraded', 'host', 'not logged in', ['db'])]


def test_a_host_that_does_not_answer_and_is_logged_in():
    facts = sites.healthy()
    facts['linux']['db1'].update(seen=sites.unreachable(), sessions={}, disks={})
    document = build(facts)
    assert told(document) == [('degraded', 'host', 'silent', ['db1'])]
    assert document['summary']['disks']['unknown'] == 3 and 'that is known of' not in document['headline']


def windows(sessions=2, disks=1):
    facts = sites.healthy(managed=[])
    target = '%s:gw%d'
    facts['windows'] = dict(app1=dict(
        host='db', initiator_name=None, seen=dict(os_version='10.0', powershell=5, reboot_required=False),
        sessions=dict(operations=[], sessions=[
            dict(id='1-%d' % n, target=target % (sites.PREFIX, n // 2 + 1), portals=['10.99.%d.1%d:3260' % (n % 2 + 1, n // 2 + 1)], connected=True,
                 disks=[1, 2, 3]) for n in range(sessions)]),
        disks=dict(operations=[], missing=[], disks=[
            dict(name=lun['image'], serial='1', index=n + 1, model='', size=1, partitions=1, online=True)
            for n, lun in enumerate(facts['site']['luns']) for _path in range(disks)])))
    return facts


def test_windows_hosts():
    assert build(windows(4))['health'] == 'healthy' and build(windows(4))['hosts'][0]['os'] == 'Windows 10.0'
    document = build(windows(2))
    assert told(document) == [('degraded', 'host', 'session', ['app1'])] and document['hosts'][0]['disks'][0]['health'] == 'degraded'
    assert told(build(windows(4, disks=4)))[0] == ('broken', 'host', 'no MPIO', ['app1'])
    facts = windows(4)
    facts['windows']['app1']['disks'] = dict(operations=[], disks=[], missing=['1', '2', '3'])
    assert told(build(facts)) == [('broken', 'host', 'disk missing', ['app1'])]
    facts['windows']['app1']['seen']['reboot_required'] = True
    assert ('degraded', 'host', 'reboot', ['app1']) in told(build(facts))


def test_a_wrong_declaration_is_told_and_does_not_stop_the_report():
    facts = sites.healthy()
    facts['site']['gateways']['gw2'].update(number=1, portals=['not an address', '10.99.1.12'])
    document = build(facts)
    assert document['health'] == 'degraded' and document['problems'][0]['kind'] == 'declaration'
    assert status_text.lines(document) and status_page.page(document)


def test_nobody_was_asked():
    facts = dict(sites.healthy(), gateways={name: {} for name in ('gw1', 'gw2')}, linux={'db1': dict(
        host='db', initiator_name=None, seen={}, sessions={}, disks={})})
    document = build(facts)
    assert document['health'] == 'unknown' and document['problems'] == [] and document['headline'] == 'Nobody was asked.'
    assert status_text.lines(document) and status_page.page(document)


@pytest.mark.parametrize('health, fail_on, fails', [
    ('broken', 'broken', True), ('broken', 'degraded', True), ('broken', 'never', False), ('degraded', 'broken', False),
    ('degraded', 'degraded', True), ('degraded', 'never', False), ('healthy', 'degraded', False), ('unknown', 'degraded', False)])
def test_when_the_play_fails(health, fail_on, fails):
    assert status_document.fails(dict(health=health), fail_on) == fails


@pytest.mark.parametrize('scene', sorted(sites.SCENES))
def test_every_scene_in_every_form(scene):
    """Every problem is in the table and on the page, which loads nothing and runs nothing."""
    document = build(sites.SCENES[scene]())
    text, page = '\n'.join(status_text.lines(document)), status_page.page(document)
    assert max(len(line) for line in text.splitlines()) < 200
    for problem in document['problems']:
        for name in problem['objects'][:2]:
            assert name in text and name in page
        assert problem['remedy'].split(' ')[0] in text
    assert not re.search(r'<script|https?:|@import|<link|<img|\bon[a-z]+=', page)
    assert len(page) < 700000, 'a page to be sent by mail'


def test_text_from_hosts_is_not_markup():
    facts = sites.gateway_down()
    facts['gateways']['gw2']['seen']['msg'] = '<script>alert(1)</script> & more'
    assert '<script' not in status_page.page(build(facts)) and '&lt;script&gt;' in status_page.page(build(facts))


def test_a_large_site_is_summarised():
    document = build(sites.large())
    assert [entry[1:] for entry in told(document)] == [('host', 'disk lost', ['host1501']), ('gateway', 'down', ['gw7']), ('host', 'paths', ['host0311'])]
    page = status_page.page(document)
    drawing = page[page.index('<svg class="map wide"'):]
    assert drawing[:drawing.index('</svg>')].count('<path class="l-') < 60, 'a drawing of few lines'
    assert len(status_text.lines(document)) < 80


def test_the_schema_is_documented():
    """docs/status.md names every key of the document."""
    documented = (TOP / 'docs/status.md').read_text()

    def keys(value):
        if isinstance(value, dict):
            yield from value
        for one in value if isinstance(value, list) else []:
            yield from keys(one)
    document = build(sites.gateway_down())
    wanted = set(document) | set(keys(document['problems'])) | set(keys(document['gateways'])) | set(keys(document['hosts'])) | \
        set(keys(document['images'])) | set(keys(document['hosts'][0]['links'])) | set(keys(document['hosts'][0]['disks'])) | set(document['summary']) | \
        set(keys(document['gateways'][1]['findings']))
    wanted |= set(build(sites.fenced())['gateways'][0]['agent'])
    assert not {key for key in wanted if '`%s`' % key not in documented}
