# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM itself: what pywinrm and Ansible's connection get from the test host."""
import base64
import time

import pytest
import requests
import winrm
from winhost import site
from winhost.server import WinRM


@pytest.fixture
def served():
    made = []

    def serve(personality='2008', **options):
        host = site.host(personality, clock=time.monotonic, reboot_time=0.6)
        made.append(WinRM(host, password='not-a-real-password', **options))
        return made[-1]

    yield serve
    for one in made:
        one.stop()


def shell(server, transport, password='not-a-real-password'):
    return winrm.protocol.Protocol('http://%s:%d/wsman' % server.address, transport=transport, username='Administrator', password=password)


def run(protocol, script):
    identity = protocol.open_shell(codepage=65001)
    command = protocol.run_command(identity, 'PowerShell', ('-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Unrestricted', '-EncodedCommand',
                                                            base64.b64encode(script.encode('utf-16-le')).decode()))
    out, err, rc = protocol.get_command_output(identity, command)
    protocol.cleanup_command(identity, command)
    protocol.close_shell(identity)
    return rc, out.decode(), err.decode()


@pytest.mark.parametrize('transport', ['ntlm', 'plaintext'])
def test_a_command(transport, served):
    rc, out, err = run(shell(served(), transport), "'Größe'\r\n& 'sc.exe' 'query' 'nothing'\r\n'code ' + $LASTEXITCODE\r\nexit 4")
    assert rc == 4 and out.startswith('Größe\r\n') and 'code 1060' in out


def test_ntlm_messages_are_encrypted(served, monkeypatch):
    seen = []
    send = requests.Session.send
    monkeypatch.setattr(requests.Session, 'send', lambda self, request, **options: seen.append(request.body) or send(self, request, **options))
    run(shell(served(), 'ntlm'), "'x'\r\nexit 0")
    assert any(b'Encrypted Boundary' in body for body in seen if body)
    assert not any(b'EncodedCommand' in body for body in seen if body)


@pytest.mark.parametrize('transport', ['ntlm', 'plaintext'])
def test_a_wrong_password_is_rejected(transport, served):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        run(shell(served(), transport, 'wrong'), 'exit 0')


def test_basic_is_off_unless_asked_for(served):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        run(shell(served(basic=False), 'plaintext'), 'exit 0')


def test_powershell_1_does_not_know_the_execution_policy(served):
    rc, out, err = run(shell(served('2008-powershell1'), 'ntlm'), "'x'")
    assert rc == 1 and 'xecutionPolicy' in err


def test_while_it_reboots_connections_are_refused_and_shells_are_gone_afterwards(served):
    server = served()
    protocol = shell(server, 'ntlm')
    old = protocol.open_shell(codepage=65001)
    rc, out, err = run(protocol, "& 'shutdown.exe' '/r' '/t' '1'\r\nexit 0")
    deadline, refused = time.monotonic() + 15, 0
    while time.monotonic() < deadline and not (refused and server.host.reboots and server.server):
        try:
            requests.get('http://%s:%d/wsman' % server.address, timeout=1)
        except requests.exceptions.ConnectionError:
            refused += 1
        time.sleep(0.05)
    assert refused and server.host.reboots == 1
    with pytest.raises(winrm.exceptions.WinRMError):
        shell(server, 'ntlm').run_command(old, 'PowerShell')
    assert run(shell(server, 'ntlm'), "'back'\r\nexit 0")[1] == 'back\r\n'
