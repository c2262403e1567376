# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Emulated gateways without a data plane on this machine, on which the role gateway really runs.

Each has a mount and a network namespace of its own: its SCST (the emulator, over FUSE), an /etc, /usr/local, /run and /dev that nobody else
sees, its portals as addresses, and an rbd command whose cluster is a folder. Ansible reaches it with the connection local and an
interpreter that enters the namespaces first. Needs root; leaves nothing but the folder.

    with Gateways(folder, {'gw1': ['192.0.2.11']}) as gateways:
        gateways.hostvars('gw1'), gateways.run('gw1', 'cephgate', 'status'), gateways.pool.images()
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent

SETUP = r"""
set -eu
folder=$1; shift
mount -t tmpfs none "$folder/private"
cd "$folder/private"
mkdir etc local work1 work2 dev
mount -t overlay -o "lowerdir=/etc,upperdir=$PWD/etc,workdir=$PWD/work1" none /etc
mount -t overlay -o "lowerdir=/usr/local,upperdir=$PWD/local,workdir=$PWD/work2" none /usr/local
for name in null zero full random urandom tty fuse; do [ -e /dev/$name ] && cp -a /dev/$name dev/; done
ln -s /proc/self/fd dev/fd
mkdir dev/shm
mount --move "$PWD/dev" /dev 2> /dev/null || mount --rbind "$PWD/dev" /dev
mount -t tmpfs none /run
mount -t tmpfs none /sys/bus
mkdir -p /sys/bus/rbd/devices /run/scst_tgt /usr/local/bin /etc/ceph
printf '[global]\nfsid = 00000000-0000-4000-8000-000000000000\n' > /etc/ceph/ceph.conf
cp "$folder/rbd" /usr/local/bin/rbd
ip link set lo up
for address; do ip address add "$address/32" dev lo; done
touch "$folder/ready"
exec sleep infinity
"""

# The rbd command. Its cluster is a folder with a file for each image, all gateways' alike.
RBD = r"""#!{python}
import json, os, sys, zlib
CLUSTER, SIZES = {cluster!r}, {sizes!r}
words, options = [], {{}}
arguments = iter(sys.argv[1:])
for word in arguments:
    if word in ('--id', '--cluster', '--format', '--size', '--image-feature', '-o', '--options', '--data-pool', '--object-size'):
        options[word] = next(arguments)
    elif not word.startswith('-'):
        words.append(word)
verb, name = words[0], words[-1]
def path(image):
    return os.path.join(CLUSTER, image.replace('/', '%'))
def read(image):
    try:
        return json.load(open(path(image)))
    except IOError:
        sys.stderr.write('rbd: error opening image %s: (2) No such file or directory\n' % image)
        sys.exit(2)
def write(image, entry):
    with open(path(image) + '.new', 'w') as handle:
        json.dump(entry, handle)
    os.rename(path(image) + '.new', path(image))
    # What every kernel that maps it sees, at once.
    with open(os.path.join(SIZES, image.replace('/', '%')), 'w') as handle:
        handle.write('%d\n' % entry['size'])
    with open(path(image) + '.data', 'ab') as handle:
        handle.truncate(entry['size'])
def numbers():
    return sorted(int(each) for each in os.listdir('/sys/bus/rbd/devices'))
def value(number, key, data=None):
    target = '/sys/bus/rbd/devices/%d/%s' % (number, key)
    if data is None:
        return open(target).read().strip()
    open(target, 'w').write(data + '\n')
if verb == 'ls':
    found = [each for each in os.listdir(CLUSTER) if each.startswith(name.replace('/', '%') + '%') and not each.endswith(('.new', '.data'))]
    print(json.dumps([dict(image=each.rsplit('%', 1)[1], **json.load(open(os.path.join(CLUSTER, each)))) for each in found]))
elif verb == 'info':
    entry = read(name)
    print(json.dumps(dict(entry, name=name, features=['layering', 'exclusive-lock'])))
elif verb == 'create':
    write(name, dict(size=int(options['--size'].rstrip('M')) << 20, id='%x' % zlib.crc32(name.encode())))
elif verb == 'resize':
    entry = dict(read(name), size=int(options['--size'].rstrip('M')) << 20)
    write(name, entry)
elif verb == 'status':
    read(name)
    print(json.dumps(dict(watchers=[])))
elif verb in ('map',) or words[:2] == ['device', 'map']:
    entry = read(name)
    number = (numbers() or [-1])[-1] + 1
    os.mkdir('/sys/bus/rbd/devices/%d' % number)
    pool, image = name.rsplit('/', 1)
    for key, data in dict(pool=pool.split('/')[0], pool_ns='/'.join(pool.split('/')[1:]), name=image, current_snap='-', image_id=entry['id'],
                          cluster_fsid='00000000-0000-4000-8000-000000000000', client_addr='192.0.2.1:0/1').items():
        value(number, key, data)
    os.symlink(os.path.join(SIZES, name.replace('/', '%')), '/sys/bus/rbd/devices/%d/size' % number)
    os.symlink(path(name) + '.data', '/dev/rbd%d' % number)
    print('/dev/rbd%d' % number)
elif verb in ('unmap',) or words[:2] == ['device', 'unmap']:
    for number in numbers():
        if name in ('/dev/rbd%d' % number, '%s/%s' % (value(number, 'pool'), value(number, 'name'))):
            import shutil
            shutil.rmtree('/sys/bus/rbd/devices/%d' % number)
            os.remove('/dev/rbd%d' % number)
elif verb == 'snap':
    read(name)
    print('[]')
else:
    sys.stderr.write('rbd: this stand-in does not know %s\n' % ' '.join(sys.argv[1:]))
    sys.exit(22)
"""

# SCST of a gateway: devices are what the stand-in for rbd has mapped, as large as the cluster says.
EMULATOR = r"""
import os, sys
sys.path.insert(0, {emulator!r})
from scst_emulator.environment import Environment, fail
from scst_emulator.face import Emulator
from scst_emulator.fuse_face import serve
import errno

class Mapped(Environment):
    def entry(self, path):
        try:
            return '/sys/bus/rbd/devices/%d' % int(os.path.basename(path)[3:])
        except ValueError:
            fail(errno.ENOENT, path)
    def is_block(self, path):
        if not os.path.isdir(self.entry(path)):
            fail(errno.ENOENT, path)
        return True
    def size(self, path):
        entry = self.entry(path)
        return int(open(os.path.join(entry, 'size')).read())
    def discards(self, path):
        return True
    def open(self, path, write, exclusive):
        self.is_block(path)
        return path
    def close(self, handle):
        pass

serve(Emulator('3.10', Mapped()), '/run/scst_tgt')
"""


class Pool:
    """The images of the stand-in cluster."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.sizes = self.folder.parent / 'sizes'
        for each in (self.folder, self.sizes):
            each.mkdir(parents=True, exist_ok=True)

    def images(self):
        return {path.name.replace('%', '/'): json.loads(path.read_text()) for path in self.folder.iterdir() if path.suffix not in ('.new', '.data')}


class Gateways:

    def __init__(self, folder, portals, python=sys.executable):
        """portals: {gateway: addresses}"""
        self.folder, self.portals, self.python = pathlib.Path(folder), portals, python
        self.pool = Pool(self.folder / 'cluster')
        self.holders, self.emulators = {}, {}

    def __enter__(self):
        try:
            for name in self.portals:
                self.start(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name):
        top = self.folder / name
        (top / 'private').mkdir(parents=True)
        (top / 'rbd').write_text(RBD.format(python=self.python, cluster=str(self.pool.folder), sizes=str(self.pool.sizes)))
        (top / 'rbd').chmod(0o755)
        (top / 'emulator.py').write_text(EMULATOR.format(emulator=str(HERE)))
        (top / 'setup.sh').write_text(SETUP)
        self.holders[name] = holder = subprocess.Popen(
            ['unshare', '--mount', '--net', '--propagation', 'private', 'sh', top / 'setup.sh', top] + list(self.portals[name]),
            stdin=subprocess.DEVNULL, stdout=open(top / 'log', 'w'), stderr=subprocess.STDOUT)
        self.wait(name, (top / 'ready').exists, holder)
        # unshare becomes the shell, and that the sleep: one process.
        (top / 'python').write_text('#!/bin/sh\nexport PYTHONPATH=%s CEPHGATE_BYTECODE=%s\nexec nsenter --target %d --mount --net -- %s "$@"\n' % (
            HERE.parent / 'tools/bytecode', self.folder / 'bytecode', holder.pid, self.python))
        (top / 'python').chmod(0o755)
        self.emulators[name] = emulator = subprocess.Popen(
            [top / 'python', top / 'emulator.py'], stdin=subprocess.DEVNULL, stdout=open(top / 'log', 'a'), stderr=subprocess.STDOUT)
        self.wait(name, lambda: self.run(name, 'test', '-e', '/run/scst_tgt/targets/iscsi/mgmt', check=False).returncode == 0, emulator)

    def wait(self, name, ready, process):
        for _try in range(300):
            if ready():
                return
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError('emulated gateway %s did not start: %s' % (name, (self.folder / name / 'log').read_text()[-2000:]))

    def run(self, name, *words, check=True):
        """A command on a gateway."""
        return subprocess.run(['nsenter', '--target', str(self.holders[name].pid), '--mount', '--net', '--'] + [str(word) for word in words],
                              check=check, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def tree(self, name):
        """All of a gateway's SCST but what counts by itself, as {path: text}."""
        script = ('import os,json\nfound={}\nfor top,_d,files in os.walk("/run/scst_tgt"):\n for name in files:\n  path=os.path.join(top,name)\n'
                  '  if os.access(path, os.R_OK) and "/sgv" not in path and "last_sysfs" not in path and os.stat(path).st_mode & 0o400:\n'
                  '   try: found[path[14:]]=open(path).read()\n   except OSError: pass\nprint(json.dumps(found))')
        return json.loads(self.run(name, self.python, '-c', script).stdout)

    def hostvars(self, name):
        """How Ansible reaches it, and what is different there."""
        return dict(ansible_connection='local', ansible_python_interpreter=str(self.folder / name / 'python'), cephgate_sysfs_root='/run/scst_tgt',
                    cephgate_scst_install=False, gateway_service=False, gateway_init='systemd', cephgate_portals=list(self.portals[name]))

    def __exit__(self, *_error):
        for processes in (self.emulators, self.holders):
            for process in processes.values():
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            for process in processes.values():
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            processes.clear()


if __name__ == '__main__':
    # By hand: gateways.py FOLDER NAME=ADDRESS...; ends with the input.
    with Gateways(sys.argv[1], {word.split('=')[0]: word.split('=')[1].split(',') for word in sys.argv[2:]}):
        print('ready')
        sys.stdin.read()
        os.sync()
