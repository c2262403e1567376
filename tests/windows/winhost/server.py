# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM over HTTP for one host: the WS-Management actions that pywinrm uses [7], and a listener that is away while the host reboots."""
import base64
import html
import http.server
import re
import threading
import time
import uuid

from .authentication import ENCRYPTED, Authentication
from .host import Down

NAMESPACES = ('xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
              'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
              'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"')
SHELL = 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell'
# [0] 1: how Ansible wraps every raw command.
COMMAND = re.compile(r'^PowerShell -NoProfile -NonInteractive (?P<policy>-ExecutionPolicy Unrestricted )?-EncodedCommand (?P<script>\S+)$')


class WinRM:
    """Serves a Host at an address; stop() ends it."""

    def __init__(self, host, address=('127.0.0.1', 0), user='Administrator', password='secret', basic=True):
        self.host = host
        self.address = address
        self.account = (user, password, basic)
        self.lock = threading.Lock()
        self.shells, self.results = set(), {}
        self.server = None
        self.stopping = threading.Event()
        self.open()
        threading.Thread(target=self.watch, daemon=True).start()

    def open(self):
        self.server = _Server(self.address, self)
        self.address = self.server.server_address[:2]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        """From now on connections are refused, and all shells are gone."""
        server, self.server = self.server, None
        server.shutdown()
        server.server_close()
        self.shells.clear()
        self.results.clear()

    def watch(self):
        while not self.stopping.wait(0.05):
            with self.lock:
                up = self.host.tick()
            if up and self.server is None:
                self.open()
            elif not up and self.server is not None:
                self.close()

    def stop(self):
        self.stopping.set()
        if self.server is not None:
            self.close()

    def execute(self, line):
        """(rc, stdout, stderr) of a command line."""
        found = COMMAND.match(line)
        if not found:
            return 1, '', "'%s' is not recognized as an internal or external command.\r\n" % line[:60]
        if self.host.personality.powershell < 2 and found.group('policy'):
            # [0] 2: there is no such parameter in PowerShell 1.0.
            return 1, '', "Missing expression after unary operator '-'.\r\nAt line:1 char:2\r\n+ -E <<<< xecutionPolicy Unrestricted -EncodedCommand\r\n"
        script = base64.b64decode(found.group('script')).decode('utf-16-le')
        with self.lock:
            return self.host.execute(script)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, winrm):
        self.winrm = winrm
        super().__init__(address, _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    # The answer's head and body are written apart; without this each waits for the other's acknowledgement.
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.authentication = Authentication(*self.server.winrm.account)

    def log_message(self, *arguments):
        pass

    def reply(self, code, body, headers=(), content_type='application/soap+xml;charset=UTF-8'):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Type', content_type)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        winrm = self.server.winrm
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        good, more = self.authentication.check(self.headers.get('Authorization', ''))
        if not good:
            return self.reply(401, b'', [('WWW-Authenticate', value) for value in ([more] if more else self.authentication.challenges())])
        if winrm.server is not self.server:
            self.close_connection = True
            return None
        encrypted = self.headers.get('Content-Type', '').startswith('multipart/encrypted')
        if encrypted:
            body = self.authentication.decrypt(body)
        if not body:
            return self.reply(200, b'')
        try:
            code, answer = self.act(winrm, body.decode())
        except Down:
            # As a host or a network that is suddenly gone.
            self.close_connection = True
            return None
        answer = answer.encode()
        if encrypted:
            return self.reply(code, self.authentication.encrypt(answer), content_type=ENCRYPTED)
        return self.reply(code, answer)

    def act(self, winrm, body):
        action = re.search(r'<\w+:Action[^>]*>([^<]+)<', body).group(1)
        name = action.rsplit('/', 1)[1]
        shell = re.search(r'Selector[^>]*Name="ShellId"[^>]*>([^<]+)<', body)
        if name != 'Create' and (not shell or shell.group(1) not in winrm.shells):
            return 500, self.fault(body, '2150858843', 'The shell was not found')
        return 200, self.envelope(body, action + 'Response', getattr(self, 'on_' + name.lower())(winrm, body, shell))

    def envelope(self, body, action, content):
        # pywinrm checks that the answer relates to its message.
        message = re.search(r'<\w+:MessageID[^>]*>([^<]+)<', body).group(1)
        return ('<s:Envelope %s><s:Header><a:Action>%s</a:Action><a:MessageID>uuid:%s</a:MessageID><a:RelatesTo>%s</a:RelatesTo></s:Header>'
                '<s:Body>%s</s:Body></s:Envelope>' % (NAMESPACES, action, uuid.uuid4(), message, content))

    def fault(self, body, code, text):
        return self.envelope(body, 'http://schemas.dmtf.org/wbem/wsman/1/wsman/fault', (
            '<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>%s</s:Text></s:Reason><s:Detail>'
            '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%s" Machine="host"><f:Message>%s</f:Message>'
            '</f:WSManFault></s:Detail></s:Fault>' % (text, code, text)))

    def on_create(self, winrm, body, shell):
        identity = str(uuid.uuid4()).upper()
        winrm.shells.add(identity)
        return ('<x:ResourceCreated><w:SelectorSet><w:Selector Name="ShellId">%s</w:Selector></w:SelectorSet></x:ResourceCreated>'
                '<rsp:Shell><rsp:ShellId>%s</rsp:ShellId></rsp:Shell>' % (identity, identity))

    def on_command(self, winrm, body, shell):
        words = re.findall(r'<rsp:Command>(.*?)</rsp:Command>', body, re.DOTALL) + re.findall(r'<rsp:Arguments>(.*?)</rsp:Arguments>', body, re.DOTALL)
        result = winrm.execute(' '.join(html.unescape(word) for word in words))
        identity = str(uuid.uuid4()).upper()
        winrm.results[identity] = result
        return '<rsp:CommandResponse><rsp:CommandId>%s</rsp:CommandId></rsp:CommandResponse>' % identity

    def on_receive(self, winrm, body, shell):
        identity = re.search(r'CommandId="([^"]+)"', body).group(1)
        rc, out, err = winrm.results[identity]
        streams = ''.join('<rsp:Stream Name="%s" CommandId="%s">%s</rsp:Stream>' % (name, identity, base64.b64encode(text.encode()).decode())
                          for name, text in (('stdout', out), ('stderr', err)) if text)
        return ('<rsp:ReceiveResponse>%s<rsp:CommandState CommandId="%s" State="%s/CommandState/Done"><rsp:ExitCode>%d</rsp:ExitCode>'
                '</rsp:CommandState></rsp:ReceiveResponse>' % (streams, identity, SHELL, rc))

    def on_send(self, winrm, body, shell):
        return '<rsp:SendResponse/>'

    def on_signal(self, winrm, body, shell):
        return '<rsp:SignalResponse/>'

    def on_delete(self, winrm, body, shell):
        winrm.shells.discard(shell.group(1))
        return ''


def clock():
    return time.monotonic()
