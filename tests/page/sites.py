# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites for the tests of the status report: what was declared and what was gathered, well or with something wrong.

The gateways' part is made here for speed; test_status_sites.py holds it to what gateway_info says of an emulated gateway.
"""
import copy

from ansible_collections.cephgate.iscsi.plugins.module_utils import site as engine
from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name

PREFIX = 'iqn.2026-11.com.example.cephgate'
NOW = 1795363200  # 2026-11-22 16:00 UTC
GIB = 1 << 30


def declared(gateways=2, images=3, hosts=1, portals=2):
    """A site {iqn_prefix, luns, hosts, gateways}; every image belongs to one host, in turn."""
    names = ['db', 'app', 'mail'] if hosts <= 3 else ['host%03d' % number for number in range(1, hosts + 1)]
    kinds = ['db01', 'db01-log', 'archive'] if images <= 3 else ['vm%04d' % number for number in range(1, images + 1)]
    names = names[:hosts]
    return dict(
        iqn_prefix=PREFIX,
        luns=[dict(image='rbd/' + kinds[n], size='100G', gateway='gw%d' % (n % gateways + 1), hosts={names[n % hosts]: n // hosts})
              for n in range(images)],
        hosts={name: dict(initiators=['iqn.1993-08.org.debian:01:%s1' % name]) for name in names},
        gateways={'gw%d' % n: dict(number=n, portals=['10.99.%d.%d' % (net, 10 + n) for net in range(1, portals + 1)])
                  for n in range(1, gateways + 1)})


def gateway(site, name):
    """What gateway_info says of a gateway that serves everything."""
    target = engine.target_name(site['iqn_prefix'], name)
    numbers = {other: entry['number'] for other, entry in site['gateways'].items()}
    luns = engine.target_luns(site['iqn_prefix'], name, site['luns'])
    places = {}
    for lun in luns:
        places.setdefault(lun['device'], []).append('iscsi/%s/ini_groups/%s/luns/%d' % (target, lun['group'], lun['lun']))
    groups = engine.device_groups(site['iqn_prefix'], site['luns'], numbers)
    for group in groups:
        group.pop('exclusive', None)  # what only a declaration has
        for ports in group['target_groups']:
            ports['preferred'] = bool(ports.get('preferred'))
    return dict(
        changed=False, daemon=True, drained=False, service='cephgate serve (process 812, since 2026-11-22 10:02:11)', kernel='6.1.0-37-amd64', errors={},
        state=dict(ha_mode='shared', unfinished=False, written=NOW - 3600, images=[
            dict(image=lun['image'], image_id='id%d' % number, device=device_name(lun['image']), served=True, missing=[], reason=None)
            for number, lun in enumerate(site['luns'])]),
        mapped={lun['image']: dict(number=number, path='/dev/rbd/' + lun['image'], image_id='id%d' % number, fsid='F', size=100 * GIB,
                                   client='10.99.0.11:0/1') for number, lun in enumerate(site['luns'])},
        scst=dict(
            version='3.10.0', gathered=dict(luns=luns, device_groups=groups),
            devices=sorted((dict(name=device_name(lun['image']), handler='vdisk_blockio', size=100 * GIB, active=True,
                                 exported=sorted(places.get(device_name(lun['image']), []))) for lun in site['luns']),
                           key=lambda device: device['name']),
            targets=[dict(name=target, enabled=True, rel_tgt_id=site['gateways'][name]['number'],
                          groups=[dict(name=host, initiators=entry['initiators']) for host, entry in sorted(site['hosts'].items())])],
            sessions=[dict(target=target, session='%s_%d' % (one, number) if number else one, initiator=one, group=host, luns=[],
                           counters=dict(read_cmd_count=344), connections=[
                               dict(ip='10.99.1.21', target_ip=portal, transport='iSCSI-TCP', state='established idle', cid='0')])
                      for host, entry in sorted(site['hosts'].items()) for one in entry['initiators']
                      for number, portal in enumerate(site['gateways'][name]['portals'])]))


def linux(site, host):
    """What the modules say of a Linux client that has all paths."""
    ways = [(name, portal) for name in sorted(site['gateways']) for portal in site['gateways'][name]['portals']]
    maps = []
    for lun in site['luns']:
        if host in lun['hosts']:
            maps.append(dict(
                serial='%020x' % len(maps), name=lun['image'], device='/dev/mapper/3%015x' % len(maps), dm='dm-%d' % len(maps),
                wwid='3%015x' % len(maps), size=100 * GIB,
                paths=[dict(device='sd%d' % (len(maps) * len(ways) + n), hctl='%d:0:0:%d' % (n, lun['hosts'][host]), size=100 * GIB,
                            state='running', access_state='active/optimized' if name == lun['gateway'] else 'active/non-optimized',
                            target=engine.target_name(site['iqn_prefix'], name), portal=portal + ':3260', dm_state='active',
                            checker_state='ready') for n, (name, portal) in enumerate(ways)]))
    return dict(
        host=host, initiator_name=None,
        seen=dict(ansible_facts=dict(ansible_distribution='Debian', ansible_distribution_version='12.9', ansible_kernel='6.1.0-37-amd64')),
        sessions=dict(changed=False, operations=[], failed_portals=[], pending=[], sessions=[
            dict(sid=n + 1, target=engine.target_name(site['iqn_prefix'], name), portal=portal + ':3260', iface='default', state='LOGGED_IN',
                 disks=[]) for n, (name, portal) in enumerate(ways)]),
        disks=dict(changed=False, operations=[], incomplete=[], maps=maps))


def healthy(site=None, managed=None):
    """Facts of a site on which all is well. managed: names of the hosts that are clients of the inventory."""
    site = site or declared()
    managed = sorted(site['hosts']) if managed is None else managed
    return dict(site=site, now=NOW, windows={},
                gateways={name: dict(seen=gateway(site, name), planned=dict(plan=dict(operations=[], problems={})))
                          for name in site['gateways']},
                linux={host + '1': linux(site, host) for host in managed})


def unreachable(text='Failed to connect to the host via ssh: ssh: connect to host 10.99.0.12 port 22: Connection timed out'):
    return dict(unreachable=True, changed=False, msg=text)


def take_down(facts, name):
    """A gateway without power: it does not answer, and its sessions and paths are broken."""
    facts['gateways'][name] = dict(seen=unreachable())
    target = engine.target_name(facts['site']['iqn_prefix'], name)
    for client in facts['linux'].values():
        for session in client['sessions'].get('sessions', []):
            if session['target'] == target:
                session['state'] = 'FAILED'
        fail_paths(client, lambda path: path['target'] == target, state='transport-offline')
    return facts


def fail_paths(client, which, state='running'):
    for entry in client['disks'].get('maps', []):
        for path in entry['paths']:
            if which(path):
                path.update(state=state, dm_state='failed', checker_state='faulty')


def gateway_down():
    return take_down(healthy(), 'gw2')


def path_degraded():
    """One network to one gateway drops packets: the session is up, the paths of its disks fail."""
    facts = healthy()
    fail_paths(facts['linux']['db1'], lambda path: path['portal'] == '10.99.2.12:3260')
    return facts


def disk_lost():
    """One image cannot be served by anybody, one gateway has drifted, and one host is down."""
    facts = healthy(declared(gateways=2, images=3, hosts=3))
    site, image = facts['site'], 'rbd/archive'
    for name, entry in facts['gateways'].items():
        seen = entry['seen']
        del seen['mapped'][image]
        for one in seen['state']['images']:
            if one['image'] == image:
                one.update(served=False, missing=['the image is not mapped', 'SCST has no device ' + one['device']],
                           reason='image rbd/archive: map: failed: the image or snapshot does not exist: correct the name')
        seen['scst']['devices'] = [one for one in seen['scst']['devices'] if one['name'] != device_name(image)]
        seen['scst']['sessions'] = [one for one in seen['scst']['sessions'] if one['group'] != 'app']
    host = [name for lun in site['luns'] if lun['image'] == image for name in lun['hosts']][0]
    for entry in facts['linux'][host + '1']['disks']['maps']:
        entry.update(paths=[], device=None, dm=None, wwid=None, size=None)
    facts['linux']['app1'] = dict(host='app', initiator_name=None, seen=unreachable(), sessions={}, disks={})
    facts['gateways']['gw1']['planned']['plan']['operations'] = [
        'target %s:gw1, group db: add initiator iqn.1993-08.org.debian:01:db1' % PREFIX, 'device db01-log-1a2b3c: create']
    return facts


def large(gateways=32, images=1000, hosts=200):
    """A large site with one gateway down, one host with a bad path and one that has lost a disk."""
    facts = take_down(healthy(declared(gateways, images, hosts, portals=2)), 'gw7')
    fail_paths(facts['linux']['host0311'], lambda path: path['portal'] == '10.99.2.13:3260')
    lost = facts['linux']['host1501']['disks']['maps'][0]
    for path in lost['paths']:
        path.update(dm_state='failed', checker_state='faulty')
    return facts


def agent(site, name, owners, **changes):
    """What the agent of a gateway says of itself. owners: {image: gateway}"""
    disks = {device_name(lun['image']): dict(
        image=lun['image'], owner=owners.get(lun['image']), here='active' if owners.get(lun['image']) == name else 'standby',
        mapped='10.99.0.11:0/1' if owners.get(lun['image']) == name else None, health='good' if owners.get(lun['image']) == name else None,
        sessions=1, doing=None, unfit=False) for lun in site['luns']}
    return dict(dict(gateways={other: 'me' if other == name else 'alive' for other in site['gateways']}, disks=disks, refused=[], leaving=None,
                     drain=False, ceph=0.3, trouble=[]), **changes)


def fenced(owner=None, site=None):
    """Every disk is mapped and active on one gateway only: the preferred one, or this one."""
    facts = healthy(site)
    site = facts['site']
    owners = {lun['image']: owner or lun['gateway'] for lun in site['luns']}
    images = {device_name(image): image for image in owners}
    for name, entry in facts['gateways'].items():
        seen = entry['seen']
        seen['state']['ha_mode'] = 'fenced'
        seen['mapped'] = {image: found for image, found in seen['mapped'].items() if owners[image] == name}
        entry.update(planned={}, seen=dict(seen, agent=agent(site, name, owners), plan=dict(operations=[], problems={})))
        # A device group for each disk, as they move one by one.
        seen['scst']['gathered']['device_groups'] = [
            dict(group, name=device, devices=[device], target_groups=[
                dict(ports, state='active' if ports['name'] == owners[images[device]] else 'standby') for ports in group['target_groups']])
            for group in seen['scst']['gathered']['device_groups'] for device in group['devices']]
    return facts


def taken_over():
    """Ceph refuses the client of gw1; gw2 has its disks, and cannot take one of them."""
    facts = fenced('gw2')
    seen = facts['gateways']['gw1']['seen']
    seen['scst'].update(targets=[dict(seen['scst']['targets'][0], enabled=False)], sessions=[])
    seen['agent'].update(refused=['10.99.0.11:0/3141592653'], ceph=0.4)
    target = engine.target_name(PREFIX, 'gw1')
    client = facts['linux']['db1']
    for session in client['sessions']['sessions']:
        if session['target'] == target:
            session['state'] = 'FREE'
    fail_paths(client, lambda path: path['target'] == target, state='transport-offline')
    return facts


def names_too_long():
    """Names and addresses that no drawing has room for."""
    facts = declared()
    facts = copy.deepcopy(facts)
    facts['luns'][0]['image'] = 'production-ssd-pool/tenant-accounting-and-billing/oracle-database-volume-0001'
    facts['gateways'] = {('storage-gateway-%s.datacentre-one.example.com' % name): dict(
        entry, portals=['2001:db8:1234:5678:9abc:def0:1234:%x' % entry['number'], entry['portals'][1]])
        for name, entry in facts['gateways'].items()}
    for lun in facts['luns']:
        lun['gateway'] = 'storage-gateway-%s.datacentre-one.example.com' % lun['gateway']
    site = healthy(facts)
    for client in site['linux'].values():
        for session in client['sessions']['sessions']:
            _bracket(session)
        for entry in client['disks']['maps']:
            for path in entry['paths']:
                _bracket(path)
    return take_down(site, sorted(facts['gateways'])[0])


def _bracket(entry):
    address, _colon, port = entry['portal'].rpartition(':')
    if ':' in address:
        entry['portal'] = '[%s]:%s' % (address, port)


SCENES = dict(healthy=healthy, gateway_down=gateway_down, path_degraded=path_degraded, disk_lost=disk_lost, large=large, long_names=names_too_long,
              fenced=fenced, taken_over=taken_over)
