# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The initiator name: set where it is nobody's business, kept where other arrays depend on it, clones refused."""
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cephgate.iscsi.plugins.module_utils import iscsiadm_initiator
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions
from ansible_collections.cephgate.iscsi.plugins.modules import iscsi_initiator

PREFIX = "iqn.2026-11.com.example"
OWN, ARRAY = PREFIX + ":gw1", "iqn.1992-08.com.array:sn.1"
NEW, OLD = "iqn.1993-08.org.debian:01:db1", "iqn.1993-08.org.debian:01:6ffe1b8aaa7b"
DEBIAN = """\
## DO NOT EDIT OR REMOVE THIS FILE!
## If you remove this file, the iSCSI daemon will not start.
InitiatorName=%s
InitiatorAlias=db
"""


@pytest.fixture
def file(client_host):
    return client_host.top / "iscsi/initiatorname.iscsi"


@pytest.fixture
def run(run_module, client_host, file, monkeypatch):
    monkeypatch.setattr(iscsiadm_initiator, "FILE", str(file))
    monkeypatch.setattr(iscsi_initiator, "Records", lambda: Records(str(client_host.nodes)))
    monkeypatch.setattr(iscsi_initiator, "read_sessions", lambda: sessions(str(client_host.sysfs)))
    return lambda **options: run_module(iscsi_initiator, **dict(dict(name=NEW, targets=[PREFIX]), **options))


def login(client_host, sid, target, name, **more):
    device = client_host.session(sid, target, "10.0.0.%d" % sid, **more)
    (device / f"iscsi_session/session{sid}/initiatorname").write_text(name + "\n")


@pytest.mark.parametrize("before, after", [
    (None, "InitiatorName=%s\n" % NEW), ("", "InitiatorName=%s\n" % NEW),
    ("GenerateName=yes\n", "InitiatorName=%s\n" % NEW), (DEBIAN % OLD, DEBIAN % NEW),
    ("# a\nInitiatorName = %s" % OLD, "# a\nInitiatorName=%s\n" % NEW)])
def test_a_host_without_other_targets_gets_its_name(run, file, before, after):
    if before is not None:
        file.write_text(before)
    assert run(check_mode=True)["changed"] and (file.read_text() if before is not None else None) == before
    result = run()
    assert result["changed"] and file.read_text() == after and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert result["previous"] == iscsiadm_initiator.current_name(before)
    assert run()["operations"] == []


@pytest.mark.parametrize("how", ["session", "record"])
def test_a_name_that_other_arrays_know_is_kept(run, file, client_host, how):
    file.write_text(DEBIAN % OLD)
    login(client_host, 1, ARRAY, OLD) if how == "session" else client_host.record(ARRAY, "10.0.0.9")
    result = run()
    assert result["failed"] and not result["changed"] and file.read_text() == DEBIAN % OLD
    for text in (OLD, NEW, ARRAY, "initiator_name of its own", "Declare %s" % OLD):
        assert text in result["msg"]
    assert run(check_mode=True)["failed"]
    # The present name is fine, and being told so is enough to replace it.
    assert not run(name=OLD)["changed"]
    assert run(replace=True)["changed"] and file.read_text() == DEBIAN % NEW


def test_a_target_with_a_similar_name_is_not_ours(run, file, client_host):
    file.write_text(DEBIAN % OLD)
    client_host.record(PREFIX + "2:gw1", "10.0.0.9")
    assert run()["failed"]


def test_our_own_targets_and_records_with_a_name_of_their_own_are_no_reason(run, file, client_host):
    file.write_text(DEBIAN % OLD)
    client_host.record(OWN, "10.0.0.1")
    login(client_host, 1, OWN, OLD)
    path = client_host.record(ARRAY, "10.0.0.9", tag=1, iface="array")
    path.write_text(path.read_text() + "iface.initiatorname = iqn.x:array\n")
    result = run()
    assert result["changed"] and result["stale_sessions"] == [OWN + " 10.0.0.1:3260"] and result["other_targets"] == []


def test_a_copy_that_is_logged_in_as_another_host_is_refused(run, file, client_host):
    """Cloned machines share one name: the gateways take them for one host, and both write to its disks."""
    file.write_text(DEBIAN % OLD)
    login(client_host, 1, OWN, OLD)
    result = run(others={OLD: "db0"})
    assert result["failed"] and "the name of db0" in result["msg"] and "copy" in result["msg"] and file.read_text() == DEBIAN % OLD
    # Its file may be right already, when it was changed after the login.
    file.write_text(DEBIAN % NEW)
    assert run(others={OLD: "db0"})["failed"]


def test_a_copy_that_is_not_logged_in_gets_its_own_name_and_is_named(run, file):
    file.write_text(DEBIAN % OLD)
    result = run(others={OLD: "db0"})
    assert result["changed"] and result["copy_of"] == "db0" and file.read_text() == DEBIAN % NEW


@pytest.mark.parametrize("options, text", [
    (dict(others={NEW: "web1"}), "initiator name %s is the one of web1, too" % NEW),
    (dict(targets=["iqn"]), 'targets: "iqn" does not say whose'),
    (dict(targets=[""]), 'targets: "" does not say whose'),
    (dict(name=NEW + "\n"), "is not a valid iSCSI name"),
])
def test_what_would_give_two_hosts_one_name_or_take_it_from_others_is_refused(run, file, client_host, options, text):
    file.write_text(DEBIAN % OLD)
    client_host.record(ARRAY, "10.0.0.9")
    result = run(**options)
    assert result["failed"] and text in result["msg"] and file.read_text() == DEBIAN % OLD


@pytest.mark.parametrize("name", ["Rubbish", "iqn.1993-08.org.debian:01:Ä", ""])
def test_what_is_no_name_is_refused(run, file, name):
    result = run(name=name)
    assert result["failed"] and "RFC 7143" in result["msg"] and not file.exists()


lines = st.lists(st.sampled_from(["# comment", "", "InitiatorName=" + OLD, "  InitiatorName = iqn.x:y  ", "InitiatorAlias=a",
                                  "GenerateName=yes", "#InitiatorName=old"]), max_size=6)


@given(lines.map("\n".join))
def test_only_the_name_changes(text):
    new = iscsiadm_initiator.with_name(text, NEW)
    assert iscsiadm_initiator.current_name(new) == NEW and iscsiadm_initiator.with_name(new, NEW) == new

    def others(whole):
        return [line for line in whole.split("\n") if line and "InitiatorName" not in line.split("#")[0] and "Generate" not in line]
    assert others(new) == others(text)
