# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx. `make docs` copies this folder beside what antsibull-docs makes of the plugins and roles."""
import os
import pathlib
import sys

TOP = pathlib.Path(os.environ['CEPHGATE_TOP'])
sys.path.insert(0, str(TOP / 'docs/_ext'))

project = 'cephgate.iscsi'
author = 'the cephgate contributors'
copyright = '2026, ' + author
extensions = ['myst_parser', 'sphinx_antsibull_ext', 'cephgate_docs']
html_theme = 'alabaster'
html_theme_options = {'description': 'Ceph block images as highly available iSCSI disks', 'page_width': '70em', 'sidebar_width': '17em'}
html_sidebars = {'**': ['about.html', 'navigation.html', 'searchbox.html']}
html_show_sourcelink = False
html_static_path = ['_static']
html_css_files = ['cephgate.css']
root_doc = 'index'
myst_enable_extensions = ['colon_fence']
# Headings down to this level can be linked to as page.md#heading; a link to one that does not exist stops the build.
myst_heading_anchors = 4
# What antsibull-docs refers to outside of this site: documents of ansible-core, which is not asked here.
nitpick_ignore_regex = [('std:ref', '.*'), ('std:label', '.*')]
