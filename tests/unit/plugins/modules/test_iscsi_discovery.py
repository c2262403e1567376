# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery: asking several portals, with CHAP of its own, and taking only what is wanted of the answer."""
import stat

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions

A = "iqn.2026-11.com.example:gw1"
B = "iqn.2026-11.com.example:gw2"
FOREIGN = "iqn.2026-11.com.example2:gw1"
P1, P2 = "10.0.0.1", "10.0.1.1"
CHAP = dict(user="finder", secret="secret-of-finder")


@pytest.fixture
def run(run_session, tools):
    tools.answers = {P1: (0, "%s:3260,1 %s\n%s:3260,1 %s\n[fd00::a1]:3261,1 %s\n" % (P1, A, P2, A, A)),
                     P2: (0, "%s:3260,1 %s\n%s:3260,1 %s\n" % (P2, A, P2, B))}
    return run_session


def discovery(*portals, **more):
    return dict(more, portals=list(portals or [P1]))


def portals(result):
    return sorted((session["target"], session["portal"]) for session in result["sessions"])


def asked(tools):
    return [call[call.index("-p") + 1] for call in tools.calls if "--discover" in call]


def test_all_portals_of_the_answer_are_logged_in_to(run, tools):
    result = run(discovery=discovery(P1, P2))
    everything = [(A, "10.0.0.1:3260"), (A, "10.0.1.1:3260"), (A, "[fd00::a1]:3261"), (B, "10.0.1.1:3260")]
    assert portals(result) == everything and asked(tools) == [P1 + ":3260", P2 + ":3260"]
    assert sorted((entry["target"], entry["portal"]) for entry in result["discovered"]) == everything
    again = run(discovery=discovery(P1, P2))
    assert not again["changed"] and again["operations"] == [] and portals(again) == everything


def test_the_answer_is_only_listed(run, tools):
    """Any other operation would make records for every portal of the answer, and delete others."""
    run(discovery=discovery())
    call = next(call for call in tools.calls if "--discover" in call)
    assert call == ["iscsiadm", "-m", "discoverydb", "-t", "st", "-p", P1 + ":3260", "--discover", "-o", "nonpersistent"]


@pytest.mark.parametrize("limits, expected", [
    (dict(networks=["10.0.0.0/24"]), [(A, "10.0.0.1:3260")]),
    (dict(networks=["fd00::/64"]), [(A, "[fd00::a1]:3261")]),
    (dict(targets=["iqn.2026-11.com.example"], networks=["10.0.0.0/8"]), [(A, "10.0.0.1:3260"), (A, "10.0.1.1:3260")]),
    (dict(targets=["iqn.2026-11.com.other"]), []),
])
def test_only_what_is_wanted_of_the_answer_is_taken(run, client_host, limits, expected):
    assert portals(run(discovery=discovery(P1, **limits))) == expected
    assert sorted({record.target for record in Records(str(client_host.nodes)).all()}) == sorted({pair[0] for pair in expected})


def test_credentials_of_the_discovery_are_in_a_file_for_root_only(run, tools, client_host):
    mutual = dict(CHAP, mutual_user="target", mutual_secret="secret-of-target")
    result = run(discovery=discovery(P1, chap=mutual))
    config = client_host.discovered / "10.0.0.1,3260/st_config"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    lines = [line for line in config.read_text().splitlines() if ".auth." in line and line.startswith("discovery")]
    assert sorted(lines) == ["discovery.sendtargets.auth." + text for text in (
        "authmethod = CHAP", "password = secret-of-finder", "password_in = secret-of-target", "username = finder",
        "username_in = target")]
    assert "secret-of" not in str(result) and "secret-of" not in str(tools.calls)
    # They are not those of the targets.
    records = Records(str(client_host.nodes)).all()
    assert {record.settings()["node.session.auth.authmethod"] for record in records} == {"None"}
    assert not run(discovery=discovery(P1, chap=mutual))["changed"]


def test_chap_of_a_discovery_can_be_changed_and_turned_off(run, client_host):
    config = client_host.discovered / "10.0.0.1,3260/st_config"
    run(discovery=discovery(P1, chap=CHAP))
    result = run(discovery=discovery(P1, chap=dict(CHAP, secret="another-secret-x")))
    assert result["changed"] and "another-secret-x" in config.read_text() and "another-secret" not in str(result)
    assert not run(discovery=discovery())["changed"], "credentials that are not mentioned stay"
    assert run(discovery=discovery(P1, chap={}))["changed"]
    assert "password" not in config.read_text() and "authmethod = None" in config.read_text()


def test_check_mode_asks_only_with_the_declared_credentials(run, tools):
    result = run(discovery=discovery(P1, chap=CHAP), check_mode=True)
    assert result["changed"] and not result["failed"] and tools.calls == [] and result["sessions"] == []
    assert [op["action"].split()[0] for op in result["operations"]] == ["create", "set"]
    run(discovery=discovery(P1, chap=CHAP))
    tools.calls.clear()
    result = run(discovery=discovery(P1, chap=CHAP), check_mode=True)
    assert not result["changed"] and asked(tools) == [P1 + ":3260"] and len(result["sessions"]) == 3


@pytest.mark.parametrize("code, text, words", [
    (24, "", "CHAP failed"), (8, "", "nothing answered in time"), (12, "", "no iSCSI transport"), (20, "", "iscsid does not run"),
    (21, "", "tells of no target"), (0, "", "tells of no target")])
def test_a_discovery_that_fails_is_explained(run, tools, code, text, words):
    tools.answers[P2] = (code, text)
    result = run(discovery=discovery(P1, P2), require="all")
    assert result["failed"] and words in result["msg"] and "Discovery at 10.0.1.1:3260" in result["msg"]
    # The other portal's answer is used all the same.
    assert len(result["sessions"]) == 3


@pytest.mark.parametrize("require, down, fails", [
    ("all", [P1], True), ("any", [P1], False), ("any", [P1, P2], True), ("none", [P1, P2], False)])
def test_a_portal_without_an_answer_does_not_stop_the_others(run, tools, require, down, fails):
    tools.down = set(down)
    result = run(discovery=discovery(P1, P2), require=require)
    assert result["failed"] == fails and {entry["portal"] for entry in result["failed_discovery"]} == {
        portal + ":3260" for portal in down}


def test_nothing_is_removed_while_a_portal_is_silent(run, tools, client_host, monkeypatch):
    """Half an answer must not be taken for the whole: what only the silent portal knows would be logged out."""
    warnings = []
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.warn", lambda self, text: warnings.append(text))
    run(discovery=discovery(P1, P2), exclusive=["iqn.2026-11.com.example"])
    tools.down = {P2}
    result = run(discovery=discovery(P1, P2), exclusive=["iqn.2026-11.com.example"], require="any")
    assert not result["changed"] and len(sessions(str(client_host.sysfs))) == 4
    assert len(warnings) == 1 and "Nothing is removed below iqn.2026-11.com.example" in warnings[0]
    tools.down = set()
    tools.answers[P2] = (0, "%s:3260,1 %s\n" % (P2, A))
    result = run(discovery=discovery(P1, P2), exclusive=["iqn.2026-11.com.example"])
    assert result["changed"] and B not in {session.target for session in sessions(str(client_host.sysfs))}


def test_declared_targets_and_discovered_ones_are_merged(run):
    result = run(targets=[dict(name=A, portals=["10.0.0.9"]), dict(name=FOREIGN, portals=[P1])], discovery=discovery())
    assert portals(result) == sorted([(A, "10.0.0.1:3260"), (A, "10.0.0.9:3260"), (A, "10.0.1.1:3260"),
                                      (A, "[fd00::a1]:3261"), (FOREIGN, "10.0.0.1:3260")])


def test_a_target_without_portals_waits_for_the_discovery(run):
    result = run(targets=[dict(name=A, settings={"node.conn[0].timeo.noop_out_interval": 3})], discovery=discovery(P2))
    assert portals(result) == [(A, "10.0.1.1:3260"), (B, "10.0.1.1:3260")]


def test_the_discovery_record_is_removed(run, client_host):
    run(discovery=discovery(P1, P2))
    result = run(state="absent", targets=[dict(name=A), dict(name=B)], discovery=discovery(P1, P2))
    assert result["changed"] and not list(client_host.discovered.rglob("st_config"))
    assert sessions(str(client_host.sysfs)) == []
    assert not run(state="absent", discovery=discovery(P1, P2))["changed"]


@pytest.mark.parametrize("options, text", [
    (dict(portals=[]), "discovery: portals is empty"), (dict(targets=[""]), 'discovery.targets: "" does not say whose'),
    (dict(targets=["iqn"]), 'discovery.targets: "iqn" does not say whose'),
    (dict(portals=["gw1.example.com"]), "gw1.example.com"), (dict(networks=["10.0.0.0/40"]), "10.0.0.0/40"),
    (dict(networks=["10.0.0.1"]), "10.0.0.1"), (dict(chap=dict(user="joe")), "belong together"),
    (dict(chap=dict(CHAP, mutual_user="x", mutual_secret=CHAP["secret"])), "the same")])
def test_a_wrong_declaration_is_refused_before_anything_is_asked(run, tools, options, text):
    result = run(discovery=discovery(**options) if "portals" not in options else options)
    assert result["failed"] and text in result["msg"] and tools.calls == [] and "secret-of" not in str(result)


def test_what_the_answer_says_in_other_forms_is_passed_over(run, tools):
    """Host names (RFC 7143, appendix C allows them), and iscsiadm's own remarks."""
    tools.answers[P1] = (0, "Starting iscsid\ngw1.example.com:3260,1 %s\n%s:3260,-1 %s\n" % (A, P1, B))
    assert portals(run(discovery=discovery())) == [(B, "10.0.0.1:3260")]


def test_a_discovery_record_that_is_no_text_is_named(run, tools, client_host):
    folder = client_host.discovered / (P1 + ",3260")
    folder.mkdir(parents=True)
    (folder / "st_config").write_bytes(b"# \xe9\n")
    result = run(discovery=discovery())
    assert result["failed"] and "%s: the byte at 2 is not UTF-8" % (folder / "st_config") in result["msg"]
    assert tools.calls == [] and (folder / "st_config").read_bytes() == b"# \xe9\n"
