# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations made of ceph-iscsi's configuration object, and of what scst_info gathers."""
import base64
import copy

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ansible_collections.cephgate.iscsi.plugins.filter.from_ceph_iscsi import FilterModule as FromCephIscsi
from ansible_collections.cephgate.iscsi.plugins.filter.from_scst import FilterModule as FromScst
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.ceph_iscsi import wwid_of

from_ceph_iscsi = FromCephIscsi().filters()['from_ceph_iscsi']
from_scst = FromScst().filters()['from_scst']

TARGET = 'iqn.2003-01.com.redhat.iscsi-gw:iscsi-igw'
SERIAL = '3bb8a8f3-91d2-47c5-9d3a-6d1f6a5b2c11'


def auth(user='', password='', mutual='', mutual_password='', encrypted=False):
    return dict(username=user, password=password, password_encryption_enabled=encrypted, mutual_username=mutual,
                mutual_password=mutual_password, mutual_password_encryption_enabled=False)


def disk(name, owner):
    pool, image = name.split('/')
    return dict(allocating_host=owner, backstore='user:rbd', backstore_object_name='%s.%s' % (pool, image), controls={}, image=image,
                owner=owner, pool=pool, pool_id=2, wwn='%d%s' % (dict(one=3, two=4, shared=5)[image], SERIAL[1:]))


@pytest.fixture
def config():
    """As ceph-iscsi 3.9 writes it: two gateways, three disks, a client, a host group of two."""
    gateways = {'gw1.example.com': dict(active_luns=2), 'gw2.example.com': dict(active_luns=1)}
    return dict(
        version=11, epoch=19, created='2024/01/01 00:00:00', updated='2024/01/02 00:00:00', discovery_auth=auth(), gateways=gateways,
        disks={'rbd/one': disk('rbd/one', 'gw1.example.com'), 'rbd/two': disk('rbd/two', 'gw2.example.com'),
               'rbd/shared': disk('rbd/shared', 'gw1.example.com')},
        targets={TARGET: dict(
            acl_enabled=True, auth=auth(), controls={}, ip_list=['192.0.2.11', '192.0.2.12'],
            disks={'rbd/one': dict(lun_id=0), 'rbd/two': dict(lun_id=1), 'rbd/shared': dict(lun_id=2)},
            portals={'gw1.example.com': dict(gateway_ip_list=['192.0.2.11', '192.0.2.12'], inactive_portal_ips=['192.0.2.12'],
                                             portal_ip_addresses=['192.0.2.11'], tpgs=2),
                     'gw2.example.com': dict(gateway_ip_list=['192.0.2.11', '192.0.2.12'], inactive_portal_ips=['192.0.2.11'],
                                             portal_ip_addresses=['192.0.2.12'], tpgs=2)},
            clients={'iqn.1994-05.com.redhat:rh7-client': dict(auth=auth('joe', 'secret-of-joe1'), group_name='',
                                                               luns={'rbd/one': dict(lun_id=0), 'rbd/two': dict(lun_id=1)}),
                     'iqn.1998-01.com.vmware:esx1': dict(auth=auth('esx', 'secret-of-esx1'), group_name='esx', luns={}),
                     'iqn.1998-01.com.vmware:esx2': dict(auth=auth('esx', 'secret-of-esx1'), group_name='esx', luns={})},
            groups={'esx': dict(disks={'rbd/shared': dict(lun_id=5)},
                                members=['iqn.1998-01.com.vmware:esx1', 'iqn.1998-01.com.vmware:esx2'])})})


def test_a_site_of_ceph_iscsi_is_declared_alike(config):
    made = from_ceph_iscsi(config)
    assert made['problems'] == []
    assert made['inventory']['all']['children']['gateways']['hosts'] == {
        'gw1.example.com': dict(cephgate_gateway_id=1, cephgate_portals=['192.0.2.11']),
        'gw2.example.com': dict(cephgate_gateway_id=2, cephgate_portals=['192.0.2.12'])}
    site = made['site']
    assert site['cephgate_iqn_prefix'] == TARGET
    one, two, shared = [dict(identity=dict(naa_id='0x6001405%sbb8a8f391d247c59d3a6d1f6' % digit)) for digit in '345']
    assert site['cephgate_luns'] == [
        dict(one, image='rbd/one', hosts={'rh7-client': 0}, gateway='gw1.example.com'),
        dict(shared, image='rbd/shared', hosts={'esx': 5}, gateway='gw1.example.com'),
        dict(two, image='rbd/two', hosts={'rh7-client': 1}, gateway='gw2.example.com')]
    assert site['cephgate_hosts']['esx'] == dict(
        initiators=['iqn.1998-01.com.vmware:esx1', 'iqn.1998-01.com.vmware:esx2'],
        chap=dict(user='esx', secret="{{ vault_cephgate_chap['esx'].secret }}"))


def test_secrets_are_apart(config):
    made = from_ceph_iscsi(config)
    assert made['chap'] == {'vault_cephgate_chap': {'esx': dict(secret='secret-of-esx1'), 'rh7-client': dict(secret='secret-of-joe1')}}
    assert 'secret-of' not in repr([made['site'], made['inventory'], made['notes'], made['problems']])


def test_the_wwid_is_that_of_lio():
    """36001405 and 25 digits of the serial number, as multipath shows disks of LIO (the leading 3 is the kind, NAA)."""
    assert wwid_of(SERIAL) == '0x6001405' + '3bb8a8f391d247c59d3a6d1f6a5b2c11'[:25]
    assert len(wwid_of(SERIAL)) == 2 + 32


def test_members_with_chap_of_their_own_become_hosts(config):
    config['targets'][TARGET]['clients']['iqn.1998-01.com.vmware:esx2']['auth'] = auth('esx2', 'secret-of-esx2')
    made = from_ceph_iscsi(config)
    assert made['problems'] == [] and 'each becomes a host of its own' in made['notes'][0]
    assert [lun['hosts'] for lun in made['site']['cephgate_luns'] if lun['image'] == 'rbd/shared'] == [{'esx1': 5, 'esx2': 5}]


def sealed(text, algorithm):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = key.public_key().encrypt(text.encode(), padding.OAEP(padding.MGF1(algorithm), algorithm, None))
    return base64.b64encode(secret).decode(), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()


@pytest.mark.parametrize('algorithm', [hashes.SHA256(), hashes.SHA1()])
def test_encrypted_passwords_need_the_right_key(config, algorithm):
    text, key = sealed('secret-of-joe2', algorithm)
    client = config['targets'][TARGET]['clients']['iqn.1994-05.com.redhat:rh7-client']
    client['auth'] = auth('joe', text, encrypted=True)
    assert from_ceph_iscsi(config, key=key)['chap']['vault_cephgate_chap']['rh7-client'] == dict(secret='secret-of-joe2')
    refused = from_ceph_iscsi(config)
    assert 'rh7-client: its password is encrypted. Give' in refused['problems'][0]
    _text, other = sealed('x', algorithm)
    assert 'not the one that it was encrypted for' in from_ceph_iscsi(config, key=other)['problems'][0]
    assert 'cannot be read' in from_ceph_iscsi(config, key='no key')['problems'][0]


@pytest.mark.parametrize('change, said', [
    (dict(acl_enabled=False), 'has no access control'),
    (dict(auth=auth('all', 'secret-of-all1')), 'CHAP of the target itself'),
    (dict(portals={}), 'has no gateways'),
    (dict(disks={'rbd/none': dict(lun_id=9)}), 'rbd/none of the target is not among the disks'),
])
def test_what_cannot_be_declared_is_refused(config, change, said):
    config['targets'][TARGET].update(change)
    assert said in from_ceph_iscsi(config)['problems'][0]


def test_the_rules_for_every_site_hold_for_an_imported_one(config):
    """A client without CHAP beside others with it: LIO can, SCST cannot."""
    config['targets'][TARGET]['clients']['iqn.1994-05.com.redhat:rh7-client']['auth'] = auth()
    assert 'SCST asks every initiator of a target for CHAP' in from_ceph_iscsi(config)['problems'][0]


def test_another_version_or_another_file_is_refused(config):
    assert 'version 8, wanted is 10 or 11' in from_ceph_iscsi(dict(config, version=8))['problems'][0]
    for text in (['x'], '', '[1, 2]', 'garbage {', None, 7):
        assert 'no configuration object' in from_ceph_iscsi(text)['problems'][0]
    assert 'version none' in from_ceph_iscsi('{"targets": {}}')['problems'][0]
    assert 'has the targets none' in from_ceph_iscsi('{"version": 11, "targets": {}}')['problems'][0]


@pytest.mark.parametrize('field, value', [('clients', ['x']), ('portals', {'gw1': None}), ('disks', 7), ('groups', {'esx': {}}), ('disks', {'rbd/none': {}})])
def test_an_object_that_is_damaged_is_told(config, field, value):
    config['targets'][TARGET][field] = value
    problems = from_ceph_iscsi(config)['problems']
    assert problems and all(TARGET in text or 'rbd/none' in text or 'esx' in text for text in problems), problems


def test_one_of_several_targets_is_to_be_named(config):
    config['targets']['iqn.2003-01.com.example:other'] = copy.deepcopy(config['targets'][TARGET])
    assert 'Name one of them' in from_ceph_iscsi(config)['problems'][0]
    assert from_ceph_iscsi(config, target='iqn.2003-01.com.example:other')['site']['cephgate_iqn_prefix'].endswith(':other')
    assert 'and not x' in from_ceph_iscsi(config, target='x')['problems'][0]


def test_what_is_lost_is_said(config):
    config['discovery_auth'] = auth('dora', 'secret-of-dora')
    config['disks']['rbd/one']['controls'] = dict(max_data_area_mb=64)
    config['targets'][TARGET]['controls'] = dict(cmdsn_depth=64)
    notes = ' '.join(from_ceph_iscsi(config)['notes'])
    assert 'dora' in notes and 'max_data_area_mb' in notes and 'cmdsn_depth' in notes and 'secret-of' not in notes


def test_version_10_lists_its_disks(config):
    config['version'] = 10
    config['targets'][TARGET]['disks'] = sorted(config['targets'][TARGET]['disks'])
    assert from_ceph_iscsi(config)['problems'] == []


# What SCST exports

def gateway(number, **other):
    iqn = 'iqn.2020-01.com.example:gw%d'
    groups = [dict(name='all', devices=['d1'], target_groups=[
        dict(name='g%d' % n, group_id=n * 10, state='active' if n == 1 else 'nonoptimized', targets=[dict(name=iqn % n)]) for n in (1, 2)])]
    return dict(dict(
        devices=[dict(name='d1', handler='vdisk_blockio', filename='/dev/rbd/rbd/one', attributes=dict(
            naa_id='0x3000000000000001', usn='abc', t10_vend_id='SCST_BIO', prod_id='d1'))],
        targets=[dict(name=iqn % number, enabled=True, allowed_portals=['192.0.2.%d' % number], incoming_users=[], groups=[
            dict(name='db', initiators=['iqn.1993-08.org.debian:01:db'], attributes={})])],
        luns=[dict(target=iqn % number, group='db', lun=3, device='d1', read_only=False)], device_groups=groups), **other)


def test_what_scst_exports_is_declared_alike():
    made = from_scst({'gw1': gateway(1), 'gw2': gateway(2)})
    assert made['problems'] == [] and made['notes'] == []
    assert made['site'] == dict(
        cephgate_iqn_prefix='iqn.2020-01.com.example',
        cephgate_luns=[dict(image='rbd/one', hosts={'db': 3}, gateway='gw1', identity=dict(naa_id='0x3000000000000001', usn='abc'))],
        cephgate_hosts={'db': dict(initiators=['iqn.1993-08.org.debian:01:db'])})
    assert made['inventory']['all']['children']['gateways']['hosts'] == {
        'gw1': dict(cephgate_gateway_id=10, cephgate_portals=['192.0.2.1']), 'gw2': dict(cephgate_gateway_id=20, cephgate_portals=['192.0.2.2'])}


def test_targets_of_other_names_are_logged_in_to_anew():
    made = from_scst({'a': gateway(1), 'b': gateway(2)}, prefix='iqn.2026-11.com.example')
    assert made['problems'] == []
    assert 'becomes iqn.2026-11.com.example:a: hosts log in anew' in made['notes'][0]


def test_gateways_without_alua_get_numbers():
    made = from_scst({'gw1': gateway(1, device_groups=[]), 'gw2': gateway(2, device_groups=[])})
    hosts = made['inventory']['all']['children']['gateways']['hosts']
    assert [hosts[name]['cephgate_gateway_id'] for name in ('gw1', 'gw2')] == [1, 2] and 'new ones' in made['notes'][0]
    assert 'gateway' not in made['site']['cephgate_luns'][0]


@pytest.mark.parametrize('change, said', [
    (dict(devices=[dict(name='d1', handler='vdisk_fileio', filename='/srv/d1', attributes={})]), 'is no mapped RBD image'),
    (dict(luns=[dict(target='iqn.2020-01.com.example:gw1', lun=0, device='d1')]), 'is in no initiator group'),
    (dict(targets=[]), 'has the iSCSI targets none'),
    (dict(targets=[dict(name='iqn.2020-01.com.example:gw1', groups=[])]), 'Set cephgate_portals'),
    (dict(targets=[dict(name='iqn.2020-01.com.example:gw1', groups=[], allowed_portals=['192.0.2.1'], incoming_users=[dict(name='joe')])]),
     'has CHAP users (joe)'),
])
def test_what_scst_has_and_a_site_has_not_is_refused(change, said):
    assert said in ' '.join(from_scst({'gw1': gateway(1, **change)})['problems'])


def test_gateways_that_disagree_are_refused():
    other = gateway(2)
    other['luns'][0]['lun'] = 4
    assert 'as LUN 3 and as LUN 4' in from_scst({'gw1': gateway(1), 'gw2': other})['problems'][0]
    other = gateway(2)
    other['devices'][0]['attributes']['naa_id'] = '0x3000000000000002'
    assert 'its identity on gateway gw2 is another' in from_scst({'gw1': gateway(1), 'gw2': other})['problems'][0]
    other = gateway(2)
    other['targets'][0]['groups'][0]['initiators'] = []
    assert 'has other initiators on gateway gw2' in from_scst({'gw1': gateway(1), 'gw2': other})['problems'][0]
