# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status on a Windows host: what it says of a host that is well, of one that has lost a gateway, and that it writes nothing."""
import json

import test_playbook

playbook = test_playbook.playbook


def status(run, *arguments, **options):
    """The document of one run; the Windows host's commands that write are counted."""
    run.book, before = 'cephgate.iscsi.status', list(run.host.writes)
    report = run.folder / 'status.json'
    output, recap = run('-e', 'cephgate_status_json=%s' % report, *arguments, **options)
    assert run.host.writes == before and recap['changed'] == 0, output
    return json.loads(report.read_text()), output


def test_a_windows_host(playbook):
    run = playbook('2008r2')
    document, output = status(run, fails=True)
    host = document['hosts'][0]
    assert document['health'] == 'broken' and host['health'] == 'broken' and host['os'] == 'Windows 6.1', output
    assert [link['state'] for link in host['links']] == ['down'] * 4
    run.book = 'cephgate.iscsi.site'
    run()
    document, output = status(run)
    host = document['hosts'][0]
    assert host['health'] == 'healthy' and host['drift'] == [], output
    assert [link['state'] for link in host['links']] == ['up'] * 4 and [disk['health'] for disk in host['disks']] == ['healthy'] * 2
    assert {record['health'] for record in document['gateways']} == {'unknown'}
    # Stand-ins listen on ports of their own, which no declaration of a real gateway may name. There is nothing else to say.
    assert {problem['kind'] for problem in document['problems']} == {'declaration'}, output
    assert all('Write it without port' in reason['reason'] for problem in document['problems'] for reason in problem['reasons']), output
    run.gateways[1].stop()
    document, output = status(run, '-e', 'cephgate_status_fail_on=never')
    host = document['hosts'][0]
    assert host['health'] == 'degraded' and sorted(link['state'] for link in host['links']) == ['down', 'down', 'up', 'up'], output
    assert document['health'] == 'degraded' and 'Every disk works' in document['headline']
