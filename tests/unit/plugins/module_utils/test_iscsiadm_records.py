# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node records: every edit changes only what it names; the layouts and the secrets' file mode."""
import collections
import os
import pathlib
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cephgate.iscsi.plugins.module_utils import iscsiadm_records as records
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

names = st.from_regex(r"\A(node|iface)(\.[a-zA-Z_]{1,8}(\[0\])?){1,3}\Z")
# What iscsiadm writes and reads: one line, no blanks around it; "=" and "#" may be in it.
values = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
comments = st.sampled_from(["# BEGIN RECORD 2.1.8", "", "   ", "#x = y", "# END RECORD", "\t# comment"])


@st.composite
def texts(draw):
    lines = draw(st.lists(st.one_of(
        comments, st.builds("{} = {}".format, names, values), st.builds("{}={}".format, names, values)), max_size=12))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(texts())
def test_no_change_comes_out_byte_for_byte(text):
    assert records.edit(text, {}) == text
    assert records.edit(text, records.settings_of(text)) == text


@given(texts(), st.dictionaries(names, st.one_of(st.none(), values), max_size=4))
def test_an_edit_changes_only_what_it_names(text, changes):
    new = records.edit(text, changes)
    expected = dict(records.settings_of(text))
    for name, value in changes.items():
        expected.pop(name, None) if value is None else expected.update({name: value})
    assert records.settings_of(new) == expected

    def others(whole):
        return [line for line in whole.split("\n") if line.split("=")[0].strip() not in changes]
    # A file without a last newline gets no line glued to its last one, but may get one behind it.
    assert [line for line in others(new) if line] == [line for line in others(text) if line]


@given(texts(), st.dictionaries(names, st.one_of(st.none(), values), max_size=4))
def test_a_second_edit_changes_nothing(text, changes):
    once = records.edit(text, changes)
    assert records.edit(once, changes) == once


@given(st.dictionaries(names, st.one_of(st.none(), values), max_size=4))
def test_changes_survive_their_way_through_an_operation(changes):
    assert records.changes_of(records.changes_text(changes)) == changes


# As iscsiadm 2.1.8 of Debian 12 wrote it ("-m node -o new"). Records of other versions are on other people's hosts, and not ours to hand
# on; those of a folder of your own are tried too: ISCSI_RECORD_FILES=/some/folder.
REAL = [path.read_bytes().decode("utf-8")
        for place in (pathlib.Path(__file__).parent.parent / "files/records", os.environ.get("ISCSI_RECORD_FILES"))
        if place for path in sorted(pathlib.Path(place).iterdir())]
real = st.sampled_from(REAL)


def changed_lines(old, new):
    """Removed and added lines; all others must be there in their old order."""
    old, new = old.split("\n"), new.split("\n")
    gone, come = collections.Counter(old) - collections.Counter(new), collections.Counter(new) - collections.Counter(old)
    assert [line for line in old if line not in gone] == [line for line in new if line not in come]
    return ["-" + line for line in gone] + ["+" + line for line in come]


@pytest.mark.parametrize("text", REAL)
def test_a_real_record_comes_out_byte_for_byte(text):
    assert records.edit(text, {}) == text == records.edit(text, records.settings_of(text))
    assert len(records.settings_of(text)) == len(text.splitlines()) - 2


@given(real, st.data(), values)
def test_a_setting_of_a_real_record_is_one_line(text, data, value):
    name, old = data.draw(st.sampled_from(sorted(records.settings_of(text).items())))
    expected = [] if value == old else sorted(["-%s = %s" % (name, old), "+%s = %s" % (name, value)])
    assert sorted(changed_lines(text, records.edit(text, {name: value}))) == expected
    assert changed_lines(text, records.edit(text, {name: None})) == ["-%s = %s" % (name, old)]


@given(real, st.data())
def test_what_a_real_record_lacks_is_added_within_it_and_can_be_removed(text, data):
    lacking = sorted(records.MAY_BE_MISSING - set(records.settings_of(text)))
    changes = data.draw(st.dictionaries(st.sampled_from(lacking), values, min_size=1))
    new = records.edit(text, changes)
    assert sorted(changed_lines(text, new)) == sorted("+%s = %s" % pair for pair in changes.items())
    assert new.startswith("# BEGIN RECORD") and new.endswith("# END RECORD\n")
    assert records.edit(new, dict.fromkeys(changes)) == text


@given(real, st.binary(max_size=60).filter(lambda data: b"\r" not in data))
def test_only_the_named_line_of_any_text_changes(record, data):
    text = record + data.decode("utf-8", "replace")
    new = records.edit(text, {"node.session.scan": "manual"})
    if records.settings_of(data.decode("utf-8", "replace")).get("node.session.scan") is None:
        assert sorted(changed_lines(text, new)) == ["+node.session.scan = manual", "-node.session.scan = auto"]


T = "iqn.2026-11.com.example:gw1"


def test_both_layouts_are_found(client_host):
    client_host.record(T, "10.0.0.1")
    client_host.record(T, "FD00::00A1", tag=1)
    client_host.record(T, "10.0.0.2", port=3261, tag=1, iface="net1")
    found = records.Records(str(client_host.nodes)).all()
    assert {record.key for record in found} == {
        (T, "10.0.0.1", 3260, "default"), (T, "fd00::a1", 3260, "default"), (T, "10.0.0.2", 3261, "net1")}
    # iscsiadm compares addresses byte by byte: its own spelling is what it must be given.
    assert {record.portal for record in found} == {"10.0.0.1:3260", "[FD00::00A1]:3260", "10.0.0.2:3261"}


def test_what_is_no_record_is_passed_over(client_host):
    (client_host.nodes / T / "notes").mkdir(parents=True)
    (client_host.nodes / T / "10.0.0.1,x").write_text("?")
    assert records.Records(str(client_host.nodes)).all() == []


@pytest.mark.parametrize("tag", [None, 1])
def test_an_update_is_for_root_only_and_leaves_nothing_beside(client_host, tag):
    path = client_host.record(T, "10.0.0.1", tag=tag)
    path.chmod(0o644)
    records.Records(str(client_host.nodes)).update((T, "10.0.0.1", 3260, "default"), {
        "node.session.auth.password": "secret-of-joe1", "node.startup": "automatic"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "node.session.auth.password = secret-of-joe1\n" in text and "node.startup = automatic\n" in text
    assert sorted(entry.name for entry in client_host.nodes.parent.iterdir()) == ["nodes"]
    assert len([entry for entry in client_host.nodes.rglob("*") if entry.is_file()]) == 1


def test_a_setting_that_open_iscsi_does_not_know_is_refused(client_host):
    path = client_host.record(T, "10.0.0.1")
    before = path.read_text()
    with pytest.raises(Refused, match=r"node\.conn\[0\]\.timeo\.noop_interval.*Correct its name"):
        records.Records(str(client_host.nodes)).update(
            (T, "10.0.0.1", 3260, "default"), {"node.conn[0].timeo.noop_interval": "2"})
    assert path.read_text() == before


@pytest.mark.parametrize("value", ["", " x", "x ", "a\nb", "a\rb", "a\x0bb", u"a\u2028b", "x" * 256])
def test_a_value_that_a_record_cannot_hold_is_refused(value):
    with pytest.raises(Refused, match="cannot hold"):
        records.setting_text("node.session.auth.password", value)


@pytest.mark.parametrize("value, word", [(None, "missing"), ([1], "a list"), ({}, "a dictionary")])
def test_what_is_no_text_is_no_value(value, word):
    with pytest.raises(Refused, match=word):
        records.setting_text("node.session.timeo.replacement_timeout", value)


def test_a_record_that_is_no_text_is_named(client_host):
    path = client_host.record(T, "10.0.0.1")
    path.write_bytes(path.read_bytes() + b"# \xe9\n")
    with pytest.raises(Refused, match="%s: the byte at .* is not UTF-8" % path):
        records.Records(str(client_host.nodes)).all()[0].settings()
