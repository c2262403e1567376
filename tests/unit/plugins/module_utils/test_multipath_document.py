# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipath.conf as a document: what is not named stays byte for byte, over written and generated files."""
import difflib
import os
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_document import Document
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipath_edit import Edits
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

# Kinds of files that people have.
SAMPLES = dict(
    nothing="",
    only_comments="# nothing here\n\n  # and nothing there\n",
    ubuntu="defaults {\n    user_friendly_names yes\n}\n",
    tabs_and_quotes=(
        "# written by hand\ndefaults {\n\tpolling_interval\t10 # seconds\n\tpath_selector \"round-robin 0\"\n}\n"
        "blacklist {\n\tdevnode \"^(ram|raw|loop|fd|md|dm-|sr|scd|st)[0-9]*\"\n\twwid 26353900f02796769\n"
        "\tdevice {\n\t\tvendor \"Msft\"\n\t\tproduct \"Virtual Disk\"\n\t}\n}\n"
        "devices {\n\tdevice {\n\t\tvendor \"NETAPP\"\n\t\tproduct \"LUN\"\n\t\tprio \"alua\"\n"
        "\t\tfeatures \"3 queue_if_no_path pg_init_retries 50\"\n\t}\n}\n"),
    brace_on_the_next_line="defaults\n{\n polling_interval 5\n}\n",
    crlf="defaults {\r\n\tfind_multipaths yes\r\n}\r\n",
    no_last_newline="multipaths {\n multipath {\n  wwid 3600a0\n  alias one\n }\n}",
    twice="defaults {\n polling_interval 5\n}\n\ndefaults {\n polling_interval 7\n polling_interval 9\n}\n",
    not_ascii="defaults {\n # gr\u00fc\u00dfe\n prio_args \"\u00e4\"\n}\n".encode("utf-8").decode("latin-1"),
    unknown_section="colours {\n red 1\n}\ndefaults {\n verbosity 2\n}\n",
    one_brace_too_many="defaults {\n verbosity 2\n}\n}\ndevices {\n}\n",
    doubled_quotes="devices {\n device {\n vendor \"A\"\"B\"\n product .*\n }\n}\n",
    overrides_with_protocol="overrides {\n protocol {\n  type \"scsi:fcp\"\n  fast_io_fail_tmo 7\n }\n no_path_retry 5\n}\n",
    blacklist_protocol="blacklist {\n protocol \"scsi:usb\"\n property \"(SCSI_IDENT_|ID_WWN)\"\n}\n",
)


def add(path, title):
    text = path.read_bytes().decode("latin-1")
    SAMPLES[title] = text
    SAMPLES[title + " crlf"] = text.replace("\n", "\r\n")
    SAMPLES[title + " cut"] = text.rstrip("\n")


# Files as they are found on hosts and in other people's repositories: written for these tests, after such ones, which are not ours to
# hand on. Those of a folder of your own are tried too: MULTIPATH_CONF_FILES=/some/folder.
for path in sorted((pathlib.Path(__file__).parent.parent / "files/multipath").glob("*.conf")):
    add(path, path.stem)
NEVER_CLOSED = [name for name in SAMPLES if name.startswith("never_closed")]
if os.environ.get("MULTIPATH_CONF_FILES"):
    for path in sorted(pathlib.Path(os.environ["MULTIPATH_CONF_FILES"]).iterdir()):
        add(path, "yours: " + path.name)
UNCLOSED = [name for name in SAMPLES if Document(SAMPLES[name]).unclosed]
EDITABLE = sorted(set(SAMPLES) - set(UNCLOSED))

KEYWORDS = ["polling_interval", "prio", "alias", "vendor", "product", "wwid", "devnode", "checker_timeout"]
SECTIONS = ["defaults", "blacklist", "blacklist_exceptions", "devices", "device", "multipaths", "multipath",
            "overrides", "protocol", "colours"]
value = st.one_of(
    st.from_regex(r"\A[A-Za-z0-9_.-]{1,8}\Z"),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10).map(
        lambda text: '"%s"' % text.replace('"', '""')))
blank = st.sampled_from(["", " ", "\t", "    "])
comment = st.sampled_from(["", "", " # why", "\t! old", "#glued"])
line = st.one_of(
    st.builds("{}{} {}{}\n".format, blank, st.sampled_from(KEYWORDS), value, comment),
    st.builds("{}{} {{{}\n".format, blank, st.sampled_from(SECTIONS), comment),
    st.builds("{}}}{}\n".format, blank, comment),
    st.builds("{}{}\n".format, blank, comment),
    st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=12).map("{}\n".format))


@st.composite
def files(draw):
    text = "".join(draw(st.lists(line, max_size=15)))
    depth = len(Document(text).unclosed)
    text += "}\n" * depth
    return text[:-1] if text and draw(st.booleans()) else text


def effective(text):
    """What multipath would take from it: {(section path with identity, keyword): value}, blacklists as sets."""
    found = {}
    document = Document(text)
    for section in document.top.sections:
        for entry in section.entries:
            if section.name.startswith("blacklist"):
                found.setdefault((section.name, entry.keyword), set()).add(entry.value)
            else:
                found[(section.name, entry.keyword)] = entry.value
        for child in section.sections:
            identity = tuple(child.value(key) for key in ("vendor", "product", "wwid"))
            for entry in child.entries:
                found[(section.name, child.name, identity, entry.keyword)] = entry.value
    return found


def run(text, edit):
    document = Document(text)
    edits = Edits(document)
    document.check_editable()
    edit(edits)
    return document.text, edits.done


@given(st.text(st.characters(max_codepoint=255)))
def test_any_bytes_come_out_as_they_went_in(text):
    assert Document(text).text == text


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_sample_comes_out_as_it_went_in(name):
    assert Document(SAMPLES[name]).text == SAMPLES[name]


OURS = [("vendor", "CEPHGATE"), ("product", "RBD")]
EDITS = dict(
    defaults=lambda e: e.plain_section("defaults", {"polling_interval": 2}),
    overrides=lambda e: e.plain_section("overrides", {"no_path_retry": "queue"}),
    device=lambda e: e.named("devices", "device", OURS, {"hardware_handler": "1 alua", "detect_prio": False}, "present"),
    multipath=lambda e: e.named("multipaths", "multipath", [("wwid", "36db1")], {"alias": "db01"}, "present"),
    blacklist=lambda e: e.listed("blacklist", "devnode", "^rbd[0-9]*", "present"),
    exception=lambda e: e.listed("blacklist_exceptions", "wwid", "36db1", "present"),
)
CHANGES = dict(
    defaults={("defaults", "polling_interval"): "2"},
    overrides={("overrides", "no_path_retry"): "queue"},
    device={("devices", "device", ("CEPHGATE", "RBD", None), key): text for key, text in dict(
        vendor="CEPHGATE", product="RBD", hardware_handler="1 alua", detect_prio="no").items()},
    multipath={("multipaths", "multipath", (None, None, "36db1"), key): text for key, text in dict(
        wwid="36db1", alias="db01").items()},
    blacklist={("blacklist", "devnode"): "^rbd[0-9]*"},
    exception={("blacklist_exceptions", "wwid"): "36db1"},
)


def diff(old, new):
    """Removed and added lines; a newline at the end of the file makes no difference."""
    lines = difflib.ndiff(old.split("\n"), new.split("\n"))
    return [(line[0], line[2:]) for line in lines if line[0] in "-+" and line[2:]]


def check(text, name):
    new, done = run(text, EDITS[name])
    expected = effective(text)
    for key, wanted in CHANGES[name].items():
        if key[0].startswith("blacklist"):
            expected.setdefault(key, set()).add(wanted)
        else:
            expected[key] = wanted
    assert effective(new) == expected
    # Lines that were there are there, in their order; at most one of them has another value now.
    gone = [tag + line for tag, line in diff(text, new) if tag == "-"]
    assert len(gone) <= (1 if name in ("defaults", "overrides") else 0), gone
    again, nothing = run(new, EDITS[name])
    assert again == new and not nothing
    assert bool(done) == (new != text)


@pytest.mark.parametrize("edit", sorted(EDITS))
@pytest.mark.parametrize("sample", EDITABLE)
def test_an_edit_of_a_sample_changes_what_it_names(sample, edit):
    check(SAMPLES[sample], edit)


@given(files(), st.sampled_from(sorted(EDITS)))
def test_an_edit_of_any_file_changes_what_it_names(text, edit):
    check(text, edit)


@given(files(), st.sampled_from(sorted(EDITS)))
def test_adding_and_removing_gives_the_old_meaning(text, edit):
    before = effective(text)
    if any(key in before for key in CHANGES[edit]):
        return
    added, dummy = run(text, EDITS[edit])
    removal = dict(
        defaults=lambda e: e.plain_section("defaults", {"polling_interval": None}),
        overrides=lambda e: e.plain_section("overrides", {"no_path_retry": None}),
        device=lambda e: e.named("devices", "device", OURS, {}, "absent"),
        multipath=lambda e: e.named("multipaths", "multipath", [("wwid", "36db1")], {}, "absent"),
        blacklist=lambda e: e.listed("blacklist", "devnode", "^rbd[0-9]*", "absent"),
        exception=lambda e: e.listed("blacklist_exceptions", "wwid", "36db1", "absent"))[edit]
    removed, done = run(added, removal)
    assert done and effective(removed) == before


@pytest.mark.parametrize("before, entries, after", [
    pytest.param("defaults {\n\tpolling_interval\t10 # s\n}\n", {"polling_interval": 2},
                 "defaults {\n\tpolling_interval\t2 # s\n}\n", id="the comment and the blanks stay"),
    pytest.param("defaults {\n verbosity 2\n}\n", {"path_selector": "service-time 0"},
                 'defaults {\n verbosity 2\n path_selector "service-time 0"\n}\n', id="the indent is that of the neighbours"),
    pytest.param("defaults {\n a 1\n a 2\n}\n", {"a": 2}, "defaults {\n a 1\n a 2\n}\n", id="the last one counts"),
    pytest.param("defaults {\n a 1\n a 2\n}\n", {"a": None}, "defaults {\n}\n", id="all of a name are removed"),
    pytest.param("defaults {\r\n a 1\r\n}\r\n", {"a": 3}, "defaults {\r\n a 3\r\n}\r\n", id="CRLF stays"),
    pytest.param("defaults {\n a 1#x\n}\n", {"a": 'b"c'}, 'defaults {\n a "b""c"#x\n}\n', id="quotes are doubled"),
    pytest.param("defaults {\n a yes\n}\n", {"a": True}, "defaults {\n a yes\n}\n", id="booleans are yes and no"),
    pytest.param("", {"a": None}, "", id="nothing to remove makes no section"),
])
def test_entries_of_defaults(before, entries, after):
    assert run(before, lambda e: e.plain_section("defaults", entries))[0] == after


def test_a_section_that_is_never_closed_is_refused():
    # What stands on a line behind an opening brace is ignored by multipath, the closing brace too.
    with pytest.raises(Refused, match='line 1: the section "devices" is never closed.*stand at the end of a line'):
        run('devices {\n device { vendor "X" }\n}\n', EDITS["device"])


@pytest.mark.parametrize("name", NEVER_CLOSED)
def test_a_file_whose_last_brace_is_commented_out_is_refused(name):
    """multipath takes the end of the file for it, so such files are in use."""
    with pytest.raises(Refused, match='line 4: the section "multipaths" is never closed'):
        run(SAMPLES[name], EDITS["defaults"])


def test_of_the_samples_only_those_are_never_closed():
    assert [name for name in UNCLOSED if not name.startswith("yours: ")] == NEVER_CLOSED


@pytest.mark.parametrize("edit", sorted(EDITS))
@pytest.mark.parametrize("name", UNCLOSED)
def test_what_is_never_closed_is_named_with_its_line(name, edit):
    with pytest.raises(Refused, match=r'multipath.conf line \d+: the section "\w+" is never closed'):
        run(SAMPLES[name], EDITS[edit])


@pytest.mark.parametrize("text", ["a\nb", "x" * 901])
def test_a_value_that_does_not_fit_on_a_line_is_refused(text):
    with pytest.raises(Refused, match="polling_interval"):
        run("", lambda e: e.plain_section("defaults", {"polling_interval": text}))
