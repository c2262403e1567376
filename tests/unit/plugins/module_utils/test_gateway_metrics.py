# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cephgate metrics, on an emulated gateway: the format, the numbers, and what dashboard, rules and documentation name."""
import json
import pathlib
import re
import time

import pytest
import yaml
from gateway_world import HOST, PREFIX, World
from scst_emulator import login

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_metrics, lock

TOP = pathlib.Path(__file__).resolve().parents[4]
MONITORING = TOP / 'docs/monitoring'
STAT = [10, 0, 2048, 1500, 20, 0, 4096, 2500, 3, 900, 4000, 0, 0, 0, 0]
FENCED = {name for name in gateway_metrics.METRICS if name.startswith('agent_')} | {
    'image_owned', 'image_moving', 'image_unfit', 'image_takeovers_total', 'image_takeover_pause_seconds'}
# Of the text format (exposition formats, version 0.0.4).
LINE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.]+(?:e[-+]?\d+)?|\+Inf)$')


@pytest.fixture(params=['3.10', '3.0.1'])
def world(request, tmp_path):
    world = World(request.param, tmp_path)
    world.write()
    return world


@pytest.fixture
def collect(world):
    """A function -> {(name, labels as text): value}, after checking the form of every line."""
    def collect():
        text = gateway_metrics.collect(str(world.path), lock.FOLDER, lambda root: world.scst, world.mapped, lambda number: STAT, lambda: 1795000000,
                                       lambda: 1000.0).text()
        found, typed = {}, set()
        for line in text.splitlines():
            if line.startswith('#'):
                dummy, kind, name, rest = line.split(' ', 3)
                assert kind in ('HELP', 'TYPE') and rest
                typed.add(name)
                continue
            name, labels, value = LINE.match(line).groups()
            assert name in typed and (name, labels or '') not in found
            found[name, labels or ''] = float(value)
        return found
    return collect


def test_a_gateway_that_serves(world, collect):
    world.apply()
    login(world.scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    with lock.Lock('serve', 'cephgate serve'):
        found = collect()
    target = 'target="%s:gw1"' % PREFIX
    assert found['cephgate_daemon_running', ''] == found['cephgate_service_running', ''] == 1
    assert found['cephgate_target_enabled', '{%s}' % target] == 1
    assert (found['cephgate_images', ''], found['cephgate_images_served', ''], found['cephgate_luns_missing', '']) == (3, 3, 0)
    assert found['cephgate_image_access_state', '{image="rbd/b",state="nonoptimized"}'] == 1
    assert found['cephgate_image_read_bytes_total', '{image="rbd/a"}'] == 2048 * 512
    assert found['cephgate_image_write_time_seconds_total', '{image="rbd/a"}'] == 2.5
    assert found['cephgate_image_io_in_flight', '{image="rbd/a"}'] == 3
    assert found['cephgate_sessions', '{host="db",%s}' % target] == 1
    assert found['cephgate_daemon_start_time_seconds', ''] == 1795000000
    assert ('cephgate_session_read_bytes_total', '{host="db",session="%s",%s}' % (HOST, target)) in found
    # Every metric that is listed is there, and no other; those of the mode fenced are in test_status_of_agents.py.
    assert {name for name, _labels in found} == {'cephgate_' + name for name in gateway_metrics.METRICS if name not in FENCED}


def test_a_gateway_that_lacks_something(world, collect):
    world.broken.add('rbd/b')
    world.apply()
    world.path.with_name('orders.json').write_text('{"drain": true}')
    found = collect()
    assert found['cephgate_image_served', '{image="rbd/b"}'] == found['cephgate_image_mapped', '{image="rbd/b"}'] == 0
    assert found['cephgate_images_served', ''] == 2 and found['cephgate_luns_missing', ''] == 1 and found['cephgate_drained', ''] == 1


def test_nothing_there_is_told_too(world, collect):
    """The daemon gone, the state file broken: the file is written all the same, and says so."""
    world.scst.core.stop_daemon()
    world.path.write_text('{}')
    found = collect()
    assert found['cephgate_daemon_running', ''] == 0 and found['cephgate_collect_errors', '{part="state"}'] == 1
    assert ('cephgate_images', '') not in found


def test_the_command_replaces_the_file(world, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gateway_cli.gateway_metrics, 'Sysfs', lambda root: world.scst)
    monkeypatch.setattr(gateway_metrics.collect, '__defaults__', (lambda root: world.scst,) + gateway_metrics.collect.__defaults__[1:])
    path = tmp_path / 'cephgate.prom'
    path.write_text('old')
    with open(path, encoding='utf-8') as reader:
        assert gateway_cli.main(['--state', str(world.path), '--run', lock.FOLDER, '--output', str(path), 'metrics']) == 0
        assert reader.read() == 'old', 'a reader keeps the whole old file'
    assert path.read_text().startswith('# HELP cephgate_') and path.stat().st_mode & 0o777 == 0o644
    assert not list(tmp_path.glob('*.new')) and capsys.readouterr().out == ''
    assert gateway_cli.main(['--state', str(world.path), '--run', lock.FOLDER, '--json', 'metrics']) == 0
    names = {entry['name'] for entry in json.loads(capsys.readouterr().out)['metrics']}
    assert 'cephgate_images' in names
    with pytest.raises(SystemExit):
        gateway_cli.main(['--output', 'x', 'nothing'])


def test_labels_are_escaped():
    found = gateway_metrics.Samples()
    found.add('image_served', True, image='a"b\\c\nd')
    assert 'cephgate_image_served{image="a\\"b\\\\c\\nd"} 1' in found.text()


def test_when_a_process_was_started(tmp_path):
    """From a process of this machine, held against its own clock."""
    found = gateway_metrics.started(pathlib.Path('/proc/self/comm').read_text().strip())
    assert found and 0 <= time.time() - found < 86400 * 365
    assert gateway_metrics.started('no-such-process') is None


def test_numbers_of_a_mapping(tmp_path):
    (tmp_path / 'block/rbd3').mkdir(parents=True)
    (tmp_path / 'block/rbd3/stat').write_text('  %s\n' % ' '.join('%d' % number for number in STAT[:11]))
    assert gateway_metrics.disk_numbers(3, str(tmp_path)) == STAT[:11] and gateway_metrics.disk_numbers(4, str(tmp_path)) is None


def expressions():
    """[(where, PromQL)] of the alert rules and the dashboard."""
    found = []
    for group in yaml.safe_load((MONITORING / 'cephgate.rules.yml').read_text())['groups']:
        found += [(rule['alert'], rule['expr']) for rule in group['rules']]
    board = json.loads((MONITORING / 'dashboard.json').read_text())
    found += [(panel['title'], target['expr']) for panel in board['panels'] for target in panel.get('targets', [])]
    found += [(entry['name'], entry['query']) for entry in board['templating']['list'] if entry['type'] == 'query']
    return found


@pytest.mark.parametrize('where, expression', expressions(), ids=[where for where, _expression in expressions()])
def test_dashboard_and_rules_name_what_is_exported(where, expression):
    names = set(re.findall(r'\bcephgate_\w+', expression))
    others = set(re.findall(r'\b(node_\w+|up)\b(?!\()', expression))
    assert names or others
    assert names <= {'cephgate_' + name for name in gateway_metrics.METRICS}, where
    assert others <= {'node_textfile_mtime_seconds', 'up'}
    for opening, closing in ('()', '{}', '[]'):
        assert expression.count(opening) == expression.count(closing)
    # A counter is only meaningful as a rate.
    for name in names:
        if gateway_metrics.METRICS[name[len('cephgate_'):]][0] == 'counter':
            assert re.search(r'(rate|increase)\(%s' % name, expression), where


def test_labels_that_are_used_are_exported(world, collect):
    world.apply()
    login(world.scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    exported = {}
    for name, labels in collect():
        exported.setdefault(name, set()).update(re.findall(r'(\w+)=', labels))
    for where, expression in expressions():
        for name, matchers in re.findall(r'(cephgate_\w+)\{([^}]*)\}', expression):
            used = set(re.findall(r'(\w+)\s*(?:=|!)', matchers)) - {'instance', 'job'}
            assert used <= (exported[name] if name[len('cephgate_'):] not in FENCED else {'image'}), (where, name, used)


def test_every_alert_says_what_to_do():
    for group in yaml.safe_load((MONITORING / 'cephgate.rules.yml').read_text())['groups']:
        for rule in group['rules']:
            assert rule['labels']['severity'] in ('warning', 'critical') and rule['for']
            assert set(rule['annotations']) == {'summary', 'description'} and '$labels.' in rule['annotations']['summary']


def test_the_documentation_lists_every_metric():
    text = (TOP / 'docs/monitoring.md').read_text()
    assert set(re.findall(r'^\| `cephgate_(\w+)`', text, re.MULTILINE)) == set(gateway_metrics.METRICS)
    rules = yaml.safe_load((MONITORING / 'cephgate.rules.yml').read_text())
    for rule in [rule['alert'] for group in rules['groups'] for rule in group['rules']]:
        assert '`%s`' % rule in text
