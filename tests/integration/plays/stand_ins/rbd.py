# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd for gateway_host.py: Ceph is a folder, /sys/bus/rbd and /dev are what the kernel would show.

usage: rbd.py --id CLIENT VERB ...
"""
import errno
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / 'bindings'))

import cluster  # noqa: E402

words = [word for word in sys.argv[3:] if word != '--no-progress']
verb, name = words[0], words[-1]
bus = pathlib.Path('/sys/bus/rbd/devices')
FSID = 'a7f64266-0894-4f1e-a635-d0aeaca0e993'


def option(key):
    return words[words.index(key) + 1]


def path(image):
    return cluster.IMAGES / cluster.flat(image)


def image_id(image):
    return (cluster.IDS / cluster.flat(image)).read_text()


def read(folder, attribute):
    return (folder / attribute).read_text().strip()


def set_size(image, megabytes):
    with open(path(image), 'ab') as disk:
        disk.truncate(megabytes << 20)
    (cluster.TOP / 'sizes').mkdir(exist_ok=True)
    (cluster.TOP / 'sizes' / cluster.flat(image)).write_text('%d\n' % (megabytes << 20))


def kernel_client(state):
    """All mappings of a host share one client; after the last one the next has a new one."""
    for folder in bus.iterdir():
        return read(folder, 'client_addr'), read(folder, 'client_id')
    state['clients'] += 1
    return '%s:0/%d' % (pathlib.Path('/run/address').read_text(), state['clients']), 'client%d' % state['clients']


def map_image(image):
    options = option('--options').split(',') if '--options' in words else []
    with cluster.shared() as state:
        client, client_id = kernel_client(state)
        if client in state['blocklist']:
            return errno.ESHUTDOWN
        if 'exclusive' in options:
            holder = state['locks'].get(image)
            if holder not in (None, client) and holder not in state['blocklist']:
                print('rbd: map failed: (30) Read-only file system', file=sys.stderr)
                return errno.EROFS
            state['locks'][image] = client
        number = next(number for number in range(1000) if not (bus / str(number)).exists())
        mine = cluster.client_folder(client)
        mine.mkdir(parents=True, exist_ok=True)
        os.symlink(path(image), mine / cluster.flat(image))
        os.symlink(mine / cluster.flat(image), '/dev/rbd%d' % number)
        block = pathlib.Path('/sys/block/rbd%d' % number)
        block.mkdir()
        (block / 'dev').write_text('253:%d\n' % number)
        debug = pathlib.Path('/sys/kernel/debug/ceph/%s.%s' % (FSID, client_id))
        debug.mkdir(exist_ok=True)
        if not (debug / 'osdmap').is_symlink():
            os.symlink('/run/ceph/osdmap', debug / 'osdmap')
        folder = bus / str(number)
        folder.mkdir()
        pool, dummy, short = image.partition('/')
        os.symlink(cluster.TOP / 'sizes' / cluster.flat(image), folder / 'size')  # a kernel learns at once that an image grew
        for attribute, value in dict(pool=pool, pool_ns='', name=short, image_id=image_id(image), cluster_fsid=FSID, client_addr=client, client_id=client_id,
                                     config_info='%s name=igw,%s' % (pathlib.Path('/run/address').read_text(), ','.join(options)),
                                     current_snap='-').items():  # the last, as a mapping without it is not looked at
            (folder / attribute).write_text('%s\n' % value)
    print('/dev/rbd%d' % number)
    return 0


def unmap(disk):
    number = disk[len('/dev/rbd'):]
    folder = bus / number
    guarded = any(' 253:%s ' % number in table.read_text() for table in pathlib.Path('/run/guards').iterdir())
    if guarded or pathlib.Path('/run/opened/' + disk.replace('/', '%')).exists():
        print('rbd: sysfs write failed', file=sys.stderr)
        return errno.EBUSY
    image, client = '%s/%s' % (read(folder, 'pool'), read(folder, 'name')), read(folder, 'client_addr')
    with cluster.shared() as state:
        (folder / 'current_snap').unlink()
        for attribute in folder.iterdir():
            attribute.unlink()
        folder.rmdir()
        os.unlink(disk)
        os.unlink(cluster.client_folder(client) / cluster.flat(image))
        os.unlink('/sys/block/rbd%s/dev' % number)
        os.rmdir('/sys/block/rbd%s' % number)
        # A blocklisted client cannot give its lock back.
        if state['locks'].get(image) == client and client not in state['blocklist']:
            del state['locks'][image]
    return 0


if verb == 'ls':
    print(json.dumps([dict(image=one.name.split('%')[1], id=image_id(one.name.replace('%', '/')), size=one.stat().st_size)
                      for one in sorted(cluster.IMAGES.iterdir()) if one.name.startswith(name + '%')]))
elif verb == 'create':
    set_size(name, int(option('--size')[:-1]))
    (cluster.IDS / path(name).name).write_text('%x' % (0x1000 + len(os.listdir(cluster.IMAGES))))
elif verb in ('info', 'map', 'resize') and not path(name).exists():
    print('rbd: error opening image %s: (2) No such file or directory' % name.rpartition('/')[2], file=sys.stderr)
    sys.exit(2)
elif verb == 'info':
    print(json.dumps(dict(size=path(name).stat().st_size, id=image_id(name), features=['layering', 'exclusive-lock'])))
elif verb == 'resize':
    set_size(name, int(option('--size')[:-1]))
elif verb == 'map':
    sys.exit(map_image(name))
elif verb == 'unmap':
    sys.exit(unmap(name))
else:
    sys.exit('rbd.py does not know %s' % verb)
