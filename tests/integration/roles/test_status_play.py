# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status, run as people run it: hosts that cannot be reached are reported, nothing is changed, the exit status tells."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent
SECRET = 'correct-horse-battery'


@pytest.fixture
def play(tmp_path):
    """A function (options) -> (exit code, output, document).

    gw1 and client1 are this machine, which is neither a gateway nor a client; gw2 and client2 do not answer.
    """
    away = dict(ansible_connection='ssh', ansible_host='127.0.0.1', ansible_port=1)
    inventory = dict(
        all=dict(vars=dict(
            ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_iqn_prefix='iqn.2026-11.com.example',
            cephgate_sysfs_root=str(tmp_path / 'scst'), cephgate_luns=[
                dict(image='rbd/a', size='1G', hosts={'db': 0}), dict(image='rbd/b', size='1G', hosts={'db': 1})],
            cephgate_hosts={
                'db': dict(initiators=['iqn.1993-08.org.debian:01:db'], chap=dict(user='joe', secret=SECRET)),
                'app': dict(initiators=['iqn.1993-08.org.debian:01:app'], chap=dict(user='ann', secret=SECRET + '2'))})),
        gateways=dict(hosts=dict(gw1=dict(cephgate_gateway_id=1, cephgate_portals=['192.0.2.11']),
                                 gw2=dict(away, cephgate_gateway_id=2, cephgate_portals=['192.0.2.12']))),
        linux_clients=dict(hosts=dict(client1=dict(cephgate_host='db'), client2=dict(away, cephgate_host='app'))))
    (tmp_path / 'hosts.json').write_text(json.dumps(inventory))

    def run(*options, **variables):
        report = tmp_path / 'status.json'
        variables = dict(dict(cephgate_status_json=str(report), cephgate_status_html=str(tmp_path / 'status.html')), **variables)
        done = subprocess.run(
            [BIN / 'ansible-playbook', '-i', tmp_path / 'hosts.json', 'cephgate.iscsi.status', '-e', json.dumps(variables), *options],
            cwd=tmp_path, text=True, check=False, capture_output=True, env=dict(
                os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_HOME=str(TOP / 'build/ansible-home'), LC_ALL='C.UTF-8',
                ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_LOCALHOST_WARNING='0'))
        return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.exists() else None

    return run


def test_what_cannot_be_reached_is_reported(play, tmp_path):
    code, output, document = play()
    assert code != 0 and document['health'] == 'broken', output
    assert not re.search(r'changed=[1-9]', output) and not re.search(r'unreachable=[1-9]', output), output
    gateways = {record['name']: record for record in document['gateways']}
    assert gateways['gw1']['findings'][0]['what'] == 'no SCST' and 'the kernel module scst is not loaded' in gateways['gw1']['findings'][0]['reason']
    assert gateways['gw2']['findings'][0]['what'] == 'down' and not gateways['gw2']['reachable']
    hosts = {record['name']: record for record in document['hosts']}
    assert [disk['health'] for disk in hosts['client1']['disks']] == ['broken', 'broken'] and not hosts['client2']['answers']
    # The table is in the output, and the reason of the failure is the headline.
    assert re.search(r'^GATEWAY  HEALTH', output, re.MULTILINE) and 'broken: ' + document['headline'] in output
    assert '<!doctype html>' in (tmp_path / 'status.html').read_text()
    for text in (output, json.dumps(document), (tmp_path / 'status.html').read_text()):
        assert SECRET not in text
    assert not (tmp_path / 'status.html.new').exists()


def test_never_is_never(play):
    code, output, document = play(cephgate_status_fail_on='never')
    assert code == 0 and document['health'] == 'broken', output


def test_a_part_of_the_site(play):
    """Who was not asked is not known, and nothing is called broken for it."""
    code, output, document = play('--limit', 'gw1', cephgate_status_fail_on='never')
    assert code == 0, output
    assert {record['name']: record['health'] for record in document['gateways']} == dict(gw1='broken', gw2='unknown')
    assert {record['health'] for record in document['hosts']} == {'unknown'}
    assert {record['health'] for record in document['images']} == {'degraded'}, 'one gateway that does not serve is known'
    assert document['health'] == 'degraded'


def test_check_mode_writes_no_file(play, tmp_path):
    code, output, document = play('--check')
    assert code != 0 and document is None and 'GATEWAY  HEALTH' in output and not (tmp_path / 'status.html').exists()


def test_a_file_that_cannot_be_written(play):
    code, output, dummy = play(cephgate_status_html='/nowhere/status.html', cephgate_status_fail_on='never')
    assert code != 0 and 'cannot be written to /nowhere/status.html' in output


def test_a_word_that_is_none_is_refused_before_anybody_is_asked(play):
    code, output, document = play(cephgate_status_fail_on='sometimes')
    assert code != 0 and document is None and 'cephgate_status_fail_on is "sometimes"' in output.replace('\\"', '"'), output
    assert 'Give one of these' in output and 'Look at this gateway' not in output and 'Traceback' not in output
