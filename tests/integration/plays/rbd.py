# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd for gateway_host.py: Ceph is a folder, /sys/bus/rbd and /dev are what the kernel would show.

usage: rbd.py CEPH --id CLIENT VERB ...
"""
import json
import os
import pathlib
import sys

ceph, words = pathlib.Path(sys.argv[1]), [word for word in sys.argv[4:] if word != '--no-progress']
verb, name = words[0], words[-1]
images = ceph / 'images'
bus = pathlib.Path('/sys/bus/rbd/devices')


def option(key):
    return words[words.index(key) + 1]


def path(image):
    return images / image.replace('/', '%')


if verb == 'ls':
    print(json.dumps([dict(image=one.name.split('%')[1], id=(ceph / 'ids' / one.name).read_text(), size=one.stat().st_size)
                      for one in sorted(images.iterdir()) if one.name.startswith(name + '%')]))
elif verb == 'create':
    with open(path(name), 'wb') as image:
        image.truncate(int(option('--size')[:-1]) << 20)
    (ceph / 'ids' / path(name).name).write_text('%x' % (0x1000 + len(os.listdir(images))))
elif verb in ('info', 'map', 'resize') and not path(name).exists():
    sys.exit(2)
elif verb == 'info':
    print(json.dumps(dict(size=path(name).stat().st_size, id=(ceph / 'ids' / path(name).name).read_text(), features=['layering'])))
elif verb == 'resize':
    os.truncate(path(name), int(option('--size')[:-1]) << 20)
elif verb == 'map':
    number = next(number for number in range(1000) if not (bus / str(number)).exists())
    folder = bus / str(number)
    folder.mkdir()
    pool, dummy, image = name.partition('/')
    for attribute, value in dict(pool=pool, pool_ns='', name=image, current_snap='-', image_id=(ceph / 'ids' / path(name).name).read_text(),
                                 size=path(name).stat().st_size, cluster_fsid='a7f64266-0894-4f1e-a635-d0aeaca0e993',
                                 client_addr='10.0.0.1:0/1').items():
        (folder / attribute).write_text('%s\n' % value)
    os.symlink(path(name), '/dev/rbd%d' % number)
    print('/dev/rbd%d' % number)
elif verb == 'unmap':
    folder = bus / name[len('/dev/rbd'):]
    for attribute in folder.iterdir():
        attribute.unlink()
    folder.rmdir()
    os.unlink(name)
else:
    sys.exit('rbd.py does not know %s' % verb)
