# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site as a client sees it."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import client_site
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import (
    Portal, canonical, format_portal, in_scope, parse_portal)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import wanted_portals
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

PREFIX = "iqn.2026-11.com.example.cephgate"
GATEWAYS = dict(gw1=dict(number=1, portals=["10.0.0.1", "10.0.1.1"]), gw2=dict(number=2, portals=["10.0.0.2"]))
HOSTS = dict(db=dict(initiators=["iqn.1993-08.org.debian:01:db1"]),
             pair=dict(initiators=["iqn.1993-08.org.debian:01:p1", "iqn.1993-08.org.debian:01:p2"]))
LUNS = [dict(image="rbd/one", hosts=dict(db=0)), dict(image="rbd/two", hosts=dict(pair=0))]


def problems(clients, hosts=None, gateways=None):
    return client_site.problems("c1", clients, LUNS, HOSTS if hosts is None else hosts,
                                GATEWAYS if gateways is None else gateways, PREFIX)


def client(host, name=None):
    return dict(host=host, initiator_name=name)


def test_a_declared_client_has_no_problem():
    assert problems(dict(c1=client("db"), c2=client("pair", "iqn.1993-08.org.debian:01:p1"))) == []


@pytest.mark.parametrize("clients, texts", [
    (dict(c1=client(None)), ["cephgate_host is not set", "db, pair"]),
    (dict(c1=client("nobody")), ['"nobody" is not in cephgate_hosts']),
    (dict(c1=client("pair")), ["has 2 initiators", "Set cephgate_initiator_name"]),
    (dict(c1=client("db", "iqn.1993-08.org.debian:01:x")), ["is not among the initiators of host db"]),
    (dict(c1=client("db", "Rubbish")), ["not a valid iSCSI name"]),
    (dict(c1=client("db"), c2=client("db")), ["clients c1 and c2 have the same initiator name"]),
])
def test_a_problem_names_the_client_and_the_remedy(clients, texts):
    found = " ".join(problems(clients))
    for text in ["c1"] + texts:
        assert text in found


def test_no_gateways_and_gateways_without_portals_are_problems():
    assert "nowhere to log in" in " ".join(problems(dict(c1=client("db")), gateways={}))
    assert "gateway gw1 has no cephgate_portals" in " ".join(
        problems(dict(c1=client("db")), gateways=dict(gw1=dict(number=1, portals=None))))


@pytest.mark.parametrize("portals, words", [
    (dict(gw1=["10.0.0.300"]), ["gateway gw1", '"10.0.0.300"', "Correct it"]),
    (dict(gw1=["gw1.example.com"]), ["gateway gw1", '"gw1.example.com"']),
    (dict(gw1="10.0.0.1"), ["gateway gw1", "not as a list"]),
    (dict(gw1=["10.0.0.1", "10.0.0.1:3260"]), ["10.0.0.1:3260", "declared by gw1;"]),
    (dict(gw1=["fd00::1"], gw2=["FD00::0001"]), ["FD00::0001", "declared by gw1 and gw2;"]),
    (dict(gw1=["10.0.0.1:3260"], gw2=["10.0.0.1:3261"]), []),
])
def test_portals_that_cannot_be_are_found_before_anything_is_touched(portals, words):
    gateways = {name: dict(number=n, portals=portals[name]) for n, name in enumerate(portals, 1)}
    found = problems(dict(c1=client("db")), gateways=gateways)
    assert len(found) == bool(words), found
    assert all(word in found[0] for word in words), found


@pytest.mark.parametrize("paths, words", [
    (["data"], ["c1", '"data"', "rbd/one", "absolute path"]), (["/"], ['"/"']), (["//"], ['"//"']), ([""], ['""']),
    (["/a/"], ["c1", 'Write it as "/a"']), (["/a", "/a"], ["/a", "listed twice"]), (["/a/../b"], ['Write it as "/b"']),
    (["/a", "/b"], ["rbd/one", "/a", "/b", "Remove one"]), (["/a"], []),
])
def test_mount_points_that_cannot_be_are_found_before_anything_is_touched(paths, words):
    mounts = [dict(image="rbd/one", path=path) for path in paths]
    found = client_site.problems("c1", dict(c1=client("db")), LUNS, HOSTS, GATEWAYS, PREFIX, mounts)
    assert len(found) == bool(words), found
    assert all(word in found[0] for word in words), found


@pytest.mark.parametrize("more, words", [
    (dict(fstype="ext4; reboot"), ["/a (rbd/one)", "no kind of file system"]), (dict(options="ro, noatime"), ["Separate them with commas"]),
    (dict(state="absent", fstype="?"), []), (dict(fstype="xfs", options="noatime"), [])])
def test_file_systems_that_cannot_be_are_found_before_anything_is_touched(more, words):
    mounts = [dict(image="rbd/one", path="/a", **more)]
    found = client_site.problems("c1", dict(c1=client("db")), LUNS, HOSTS, GATEWAYS, PREFIX, mounts)
    assert len(found) == bool(words) and all(word in found[0] for word in words), found


@pytest.mark.parametrize("chap, words", [
    (dict(user="joe"), ["user and secret belong together"]),
    (dict(user="joe", secret="secret-of-joe1", mutual_secret="x"), ["mutual_user and mutual_secret"]),
    (dict(user="joe", secret="same-for-both", mutual_user="t", mutual_secret="same-for-both"), ["are the same"]),
    (dict(user="joe", secret="secret-of-joe1"), []), (None, []),
])
def test_chap_that_cannot_work_is_found_before_anything_is_touched(chap, words):
    hosts = dict(HOSTS, db=dict(HOSTS["db"], chap=chap))
    found = problems(dict(c1=client("db")), hosts=hosts)
    assert len(found) == bool(words), found
    assert not words or all(word in found[0] for word in ["c1", "db"] + words), found
    assert "same-for-both" not in str(found) and "secret-of-joe1" not in str(found)


def test_a_lun_without_an_image_is_a_problem_and_no_error():
    found = client_site.problems("c1", dict(c1=client("db")), LUNS + [dict(hosts=dict(db=3))], HOSTS, GATEWAYS, PREFIX)
    assert len(found) == 1 and "has no image (it has hosts)" in found[0], found


def test_a_host_without_a_value_is_a_problem_and_no_error():
    found = problems(dict(c1=client("db")), hosts=dict(db=None))
    assert len(found) == 1 and "host db: its value is NoneType" in found[0]


@pytest.mark.parametrize("changes, words", [
    (dict(hosts="db"), ["cephgate_hosts is no dictionary"]), (dict(luns="rbd/one"), ["cephgate_luns is no list"]),
    (dict(luns=[dict(image="rbd/one", hosts="mydb")]), ["image rbd/one", "no dictionary of LUN numbers"]),
    (dict(hosts=dict(db="iqn")), ["host db: its value is str"]), (dict(hosts=dict(db=dict(initiators="iqn.x:db"))), ["host db", "no list of names"]),
    (dict(hosts=dict(db=dict(initiators=["iqn.x:db"], chap="joe"))), ["host db: chap: it is no dictionary"]),
    (dict(hosts=dict(db=dict(initiators=["iqn.x:db"], chap=dict(user="joe", password="hunter2hunter2")))), ["host db: chap: password is none of its keys"])])
def test_values_of_a_wrong_kind_are_problems_and_no_errors(changes, words):
    found = client_site.problems("c1", dict(c1=client("db")), changes.get("luns", LUNS), changes.get("hosts", HOSTS), GATEWAYS, PREFIX)
    assert len(found) == 1 and "hunter2" not in found[0]
    for word in ["client c1"] + words:
        assert word in found[0]


def test_a_host_and_a_prefix_that_are_no_texts():
    found = client_site.problems("c1", dict(c1=client(["db"])), LUNS, HOSTS, GATEWAYS, PREFIX)
    assert len(found) == 1 and "cephgate_host is no text" in found[0]
    found = client_site.problems("c1", dict(c1=client("db")), LUNS, HOSTS, GATEWAYS, 5)
    assert len(found) == 1 and "cephgate_iqn_prefix is no text" in found[0]


def session(gateway, portal, state="LOGGED_IN"):
    return dict(target="%s:%s" % (PREFIX, gateway), portal=portal, state=state)


EXPORT = {"rbd/one": dict(serial="s1", size=100), "rbd/two": dict(serial="s2", size=100)}
ALL = [session("gw1", "10.0.0.1:3260"), session("gw1", "10.0.1.1:3260"), session("gw2", "10.0.0.2:3260")]


@pytest.mark.parametrize("exports, sessions, paths", [
    pytest.param(dict(gw1=EXPORT, gw2=EXPORT), ALL, 3, id="all"),
    pytest.param(dict(gw1=EXPORT, gw2=EXPORT), [ALL[0], session("gw1", "x", "FAILED"), ALL[2]], 2, id="a broken session"),
    pytest.param(dict(gw1=EXPORT), ALL, 2, id="a gateway that failed in this run may not have it"),
    pytest.param(dict(gw1=EXPORT, gw2={}), ALL, 2, id="a gateway that does not export it"),
    pytest.param(dict(gw1=EXPORT, gw2=EXPORT), [], 1, id="before the first login: at least one"),
])
def test_the_expected_paths_are_the_working_sessions_to_gateways_that_export_it(exports, sessions, paths):
    assert client_site.maps(LUNS, "db", PREFIX, exports, sessions) == [
        dict(name="rbd/one", serial="s1", size=100, paths=paths)]


def test_a_lun_that_nobody_told_of_is_not_waited_for():
    assert client_site.maps(LUNS, "db", PREFIX, {}, ALL) == []


def test_luns_of_others_and_removed_ones_are_let_go():
    assert client_site.released(LUNS, "db", dict(gw1=EXPORT, gw2=EXPORT)) == [dict(name="rbd/two", serial="s2")]
    gone = [dict(LUNS[0], state="absent"), LUNS[1]]
    assert client_site.released(gone, "db", dict(gw2=EXPORT)) == [
        dict(name="rbd/one", serial="s1"), dict(name="rbd/two", serial="s2")]
    assert client_site.maps(gone, "db", PREFIX, dict(gw1=EXPORT), ALL) == []


def test_while_one_gateway_still_has_the_old_size_the_smaller_one_is_expected():
    exports = dict(gw1={"rbd/one": dict(serial="s1", size=200)}, gw2={"rbd/one": dict(serial="s1", size=100)})
    assert client_site.maps(LUNS, "db", PREFIX, exports, ALL)[0]["size"] == 100


def test_targets_do_not_depend_on_order():
    assert client_site.targets(PREFIX, GATEWAYS) == [
        dict(name=PREFIX + ":gw1", portals=["10.0.0.1", "10.0.1.1"]), dict(name=PREFIX + ":gw2", portals=["10.0.0.2"])]


@pytest.mark.parametrize("text, portal", [
    ("10.0.0.1", Portal("10.0.0.1", 3260, None)), ("10.0.0.1:3261", Portal("10.0.0.1", 3261, None)),
    ("10.0.0.1:3261,2", Portal("10.0.0.1", 3261, 2)), ("FD00::00A1", Portal("fd00::a1", 3260, None)),
    ("[fd00::a1]", Portal("fd00::a1", 3260, None)), ("[fd00::a1]:3261,1", Portal("fd00::a1", 3261, 1)),
    ("fe80::1%eth1", Portal("fe80::1%eth1", 3260, None)),
])
def test_portals(text, portal):
    assert parse_portal(text) == portal
    assert parse_portal(format_portal(portal.address, portal.port))[:2] == portal[:2]


@pytest.mark.parametrize("text", ["", "gw1", "10.0.0.1:", "10.0.0.1:x", "10.0.0.1:0", "[10.0.0.1", "10.0.0.1,x",
                                  "10.0.0", "fd00:::1", "[fd00::1]:99999"])
def test_what_is_no_portal_is_refused(text):
    with pytest.raises(Refused, match="Correct it"):
        parse_portal(text)


@pytest.mark.parametrize("target, inside", [
    ("iqn.x", True), ("iqn.x:gw1", True), ("iqn.x.y", True), ("iqn.x2:gw1", False), ("iqn.y", False)])
def test_a_prefix_covers_whole_parts_only(target, inside):
    assert in_scope(target, ["iqn.x"]) == inside
    assert canonical("[FD00::1]") == "fd00::1"


@pytest.mark.parametrize("target, inside", [
    ("iqn.x:gw1", True), ("iqn.x", False), ("iqn.x.other:array", False), ("iqn.x2:gw1", False)])
def test_a_prefix_with_its_colon_leaves_other_departments_alone(target, inside):
    assert in_scope(target, ["iqn.x:"]) == inside


PAIRED = dict(c1=dict(host="pair", initiator_name="iqn.1993-08.org.debian:01:p1"))


@pytest.mark.parametrize("clients, mounts, words", [
    (dict(c1=dict(host="db")), [dict(image="rbd/one")], []),
    (dict(c1=dict(host="db")), [dict(image="rbd/on")], ["c1", "rbd/on,", "rbd/one", "Correct the name"]),
    (dict(c1=dict(host="db")), [dict(image="rbd/two", state="absent")], []),
    (PAIRED, [dict(image="rbd/two")], ["rbd/two", "2 initiators", "destroy", "shared: true"]),
    (PAIRED, [dict(image="rbd/two", shared=True)], []),
])
def test_a_file_system_is_mounted_by_one_host_only(clients, mounts, words):
    found = client_site.problems("c1", clients, LUNS, HOSTS, GATEWAYS, PREFIX, mounts)
    assert bool(found) == bool(words), found
    assert all(word in found[0] for word in words), found


def test_a_password_among_the_settings_is_refused():
    targets = [dict(name=PREFIX + ":gw1", portals=["10.0.0.1"], settings={"node.session.auth.password": "hunter2hunter2"})]
    with pytest.raises(Refused, match="under chap") as refusal:
        wanted_portals(targets)
    assert "hunter2" not in str(refusal.value)


# systemd: the file system is unmounted before multipathd ends.
AFTER = "x-systemd.after=multipathd.service"


def test_file_systems_of_disks_that_are_there():
    mounts = [dict(image="rbd/one", path="/one"), dict(image="rbd/two", path="/two", fstype="xfs", options="noatime"),
              dict(image="rbd/new", path="/new"), dict(image="rbd/gone", path="/gone", state="absent"),
              dict(image="rbd/told", path="/told", options=AFTER),
              dict(image="rbd/one", path="/was", state="absent")]
    maps = [dict(name="rbd/one", device="/dev/mapper/1"), dict(name="rbd/two", device="/dev/mapper/2"), dict(name="rbd/new", device=None),
            dict(name="rbd/told", device="/dev/mapper/3")]
    assert client_site.file_systems(mounts, maps, "_netdev") == [
        dict(path="/one", name="rbd/one", state="mounted", device="/dev/mapper/1", fstype="ext4", options="_netdev," + AFTER),
        dict(path="/two", name="rbd/two", state="mounted", device="/dev/mapper/2", fstype="xfs", options="noatime," + AFTER),
        dict(path="/gone", name="rbd/gone", state="absent"),
        dict(path="/told", name="rbd/told", state="mounted", device="/dev/mapper/3", fstype="ext4", options=AFTER),
        dict(path="/was", name="rbd/one", state="absent", device="/dev/mapper/1")]
