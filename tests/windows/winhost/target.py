# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small iSCSI target: discovery, login with CHAP in both directions, access by initiator name. It has no disks to read;
what LUNs a host would find is said at login, by a private key (RFC 7143, 6.3: X-)."""
import json
import os
import socketserver
import struct
import threading

from . import pdu

LUNS_KEY = 'X-org.example.cephgate.luns'
OPERATIONAL = dict(HeaderDigest='None', DataDigest='None', MaxRecvDataSegmentLength='262144', MaxBurstLength='262144',
                   FirstBurstLength='65536', InitialR2T='Yes', ImmediateData='Yes', ErrorRecoveryLevel='0', MaxOutstandingR2T='1',
                   MaxConnections='1', DefaultTime2Wait='2', DefaultTime2Retain='0', DataPDUInOrder='Yes', DataSequenceInOrder='Yes')


class Gateway:
    """One target with its portals.

    portals: [(address, port)]; port 0 takes a free one. users: {name: secret} for CHAP, none: not asked for.
    outgoing: (name, secret) by which it proves itself. initiators: names that are admitted, None: all.
    luns: [{serial, naa, size}]
    """

    def __init__(self, name, portals, users=None, outgoing=None, initiators=None, luns=()):
        self.name = name
        self.wanted = list(portals)
        self.portals = []
        self.users = dict(users or {})
        self.outgoing = outgoing
        self.initiators = initiators
        self.luns = list(luns)
        self.logins = 0
        self.open = set()
        self.servers = []

    def start(self):
        self.portals = []
        for address in self.wanted:
            server = _Server(address, self)
            self.servers.append(server)
            self.portals.append(server.server_address[:2])
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        # The same addresses after a stop.
        self.wanted = list(self.portals)
        return self

    def stop(self):
        """As a gateway that dies: no new connections, the old ones cut."""
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.servers = []
        self.cut()

    def cut(self, portal=None):
        """Cut the connections, of one portal or of all."""
        for sock, own in list(self.open):
            if portal in (None, own):
                try:
                    sock.shutdown(2)
                except OSError:
                    pass


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address, gateway):
        self.gateway = gateway
        super().__init__(tuple(address), _Connection)


class _Connection(socketserver.BaseRequestHandler):

    def handle(self):
        gateway = self.server.gateway
        entry = (self.request, self.server.server_address[:2])
        gateway.open.add(entry)
        try:
            while self.one(gateway):
                pass
        except OSError:
            pass
        finally:
            gateway.open.discard(entry)

    state = None

    def one(self, gateway):
        header, data = pdu.read(self.request)
        opcode = header[0] & 0x3f
        if opcode == pdu.LOGIN:
            return self.login(gateway, header, pdu.pairs(data))
        if self.state is None or not self.state['full']:
            return False
        tag = header[16:20]
        if opcode == pdu.TEXT:
            found = b''
            if not gateway.initiators or self.state['initiator'] in gateway.initiators:
                found = b'TargetName=%s\0' % gateway.name.encode() + b''.join(
                    b'TargetAddress=%s:%d,1\0' % (address.encode(), port) for address, port in gateway.portals)
            self.answer(pdu.TEXT_RESPONSE, tag, found)
        elif opcode == pdu.LOGOUT:
            self.answer(pdu.LOGOUT_RESPONSE, tag)
            return False
        elif opcode == pdu.NOP_OUT:
            self.answer(pdu.NOP_IN, tag)
        else:
            return False
        return True

    def answer(self, opcode, tag, data=b''):
        self.state['status_sn'] += 1
        pdu.write(self.request, struct.pack('>BB6s8s4sIIII12s', opcode, 0x80, b'', b'', tag, 0xffffffff, self.state['status_sn'],
                                            1, 32, b''), data)

    def login(self, gateway, header, keys):
        state = self.state
        if state is None:
            state = self.state = dict(full=False, status_sn=0, known=False, challenge=None, initiator=keys.get('InitiatorName'),
                                      discovery=keys.get('SessionType') == 'Discovery')
            if not state['discovery']:
                if keys.get('TargetName') != gateway.name:
                    return self.reject(header, pdu.NOT_FOUND)
                if gateway.initiators is not None and state['initiator'] not in gateway.initiators:
                    # SCST shows a target only to those who may use it.
                    return self.reject(header, pdu.NOT_FOUND)
        # SCST asks for CHAP in discovery only when that is set up separately.
        must = bool(gateway.users) and not state['discovery']
        stage, transit = header[1] >> 2 & 3, bool(header[1] & 0x80)
        values = {}
        if 'AuthMethod' in keys:
            methods = keys['AuthMethod'].split(',')
            if must and 'CHAP' not in methods or not must and 'None' not in methods:
                return self.reject(header, pdu.AUTHENTICATION)
            values['AuthMethod'] = 'CHAP' if must else 'None'
        if 'CHAP_A' in keys:
            state['challenge'] = '0x' + os.urandom(16).hex()
            values.update(CHAP_A='5', CHAP_I='7', CHAP_C=state['challenge'])
        if 'CHAP_R' in keys:
            secret = gateway.users.get(keys.get('CHAP_N'))
            if secret is None or state['challenge'] is None or pdu.chap_response(7, secret, state['challenge']) != keys['CHAP_R'].lower():
                return self.reject(header, pdu.AUTHENTICATION)
            if 'CHAP_C' in keys:
                if gateway.outgoing is None:
                    return self.reject(header, pdu.AUTHENTICATION)
                values.update(CHAP_N=gateway.outgoing[0], CHAP_R=pdu.chap_response(keys['CHAP_I'], gateway.outgoing[1], keys['CHAP_C']))
            state['known'] = True
        for name in set(keys) & set(OPERATIONAL):
            values[name] = OPERATIONAL[name]
        if must and not state['known']:
            if stage == pdu.OPERATIONAL or 'AuthMethod' not in values and 'CHAP_A' not in values:
                return self.reject(header, pdu.AUTHENTICATION)
            transit = False
        next_stage = header[1] & 3
        if transit and next_stage == pdu.FULL_FEATURE:
            state['full'] = True
            if not state['discovery']:
                gateway.logins += 1
                values[LUNS_KEY] = json.dumps(gateway.luns)
        self.respond(header, stage, transit, next_stage, pdu.unpairs(values))
        return True

    def reject(self, header, status):
        self.respond(header, header[1] >> 2 & 3, False, 0, b'', status)
        return False

    def respond(self, header, stage, transit, next_stage, data, status=0):
        self.state['status_sn'] += 1
        flags = (0x80 if transit else 0) | stage << 2 | (next_stage if transit else 0)
        pdu.write(self.request, struct.pack('>BBBB4s6sH4s4sIIIH10s', pdu.LOGIN_RESPONSE, flags, 0, 0, b'', header[8:14],
                                            1 if self.state['full'] else 0, header[16:20], b'', self.state['status_sn'], 1, 32, status, b''),
                  data)
