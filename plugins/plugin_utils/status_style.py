# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of the status page. Quiet where all is well; what is not is marked by a sign, a word, a thicker line and then a colour."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


CSS = """
:root{color-scheme:light dark;--page:#f6f7f8;--card:#fff;--ink:#1b2127;--soft:#5a6570;--rule:#dfe3e7;--line:#9aa5af;
--healthy:#1f7a55;--degraded:#985b00;--broken:#c0262d;--unknown:#6b7580;--t-degraded:#fdf4e3;--t-broken:#fdeced;--t-unknown:#f1f3f5}
@media(prefers-color-scheme:dark){:root{--page:#14181c;--card:#1c2228;--ink:#e8ebee;--soft:#a0abb5;--rule:#2f373f;--line:#56626d;
--healthy:#4cb88a;--degraded:#e5a443;--broken:#ff7b7f;--unknown:#8c98a3;--t-degraded:#2b2416;--t-broken:#331d20;--t-unknown:#20262c}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
overflow-wrap:anywhere}
main{max-width:1144px;margin:0 auto;padding:28px 32px 48px}
h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}
h2{font-size:15px;font-weight:600;margin:36px 0 12px;color:var(--ink)}
h2 small{font-weight:400;color:var(--soft);font-size:13px;margin-left:8px}
.signs{position:absolute}
.sign{width:1em;height:1em;vertical-align:-.12em;flex:none}
.ink{fill:none;stroke:var(--card);stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
.f-healthy{fill:var(--healthy)}.f-degraded{fill:var(--degraded)}.f-broken{fill:var(--broken)}
.o-unknown{fill:var(--card);stroke:var(--unknown);stroke-width:1.5}.k-unknown{stroke:var(--unknown);stroke-width:1.7;stroke-linecap:round}
.c-healthy{color:var(--healthy)}.c-degraded{color:var(--degraded)}.c-broken{color:var(--broken)}.c-unknown{color:var(--unknown)}
header{display:flex;gap:18px;align-items:center}
header .sign{font-size:44px}
header h1{font-size:26px;line-height:1.2;font-weight:650;letter-spacing:-.01em}
header p{font-size:17px;line-height:1.4;margin-top:2px}
.where{display:flex;flex-wrap:wrap;justify-content:space-between;gap:2px 24px;color:var(--soft);font-size:13px;margin-bottom:18px}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin-top:24px}
.tile{display:flex;flex-direction:column;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px 14px 14px}
.tile dt{font-size:13px;color:var(--soft)}
.tile dd{font-size:14px;white-space:nowrap}
.tile b{font-size:22px;font-weight:600;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.tile dt+dd{margin-bottom:8px}
.bar{display:flex;flex:none;height:6px;margin-top:auto;border-radius:3px;overflow:hidden;background:var(--t-unknown)}
.bar i{background:var(--healthy)}.bar u{background:repeating-linear-gradient(45deg,var(--broken) 0 3px,var(--t-broken) 3px 5px)}
.problem{background:var(--card);border:1px solid var(--rule);border-left:5px solid var(--unknown);border-radius:10px;padding:14px 18px;
margin-bottom:12px;break-inside:avoid}
.problem.broken{border-left-color:var(--broken)}.problem.degraded{border-left-color:var(--degraded)}
.problem h3{font-size:16px;line-height:1.35;font-weight:600;display:flex;gap:9px;align-items:baseline}
.problem h3 .sign{position:relative;top:1px}
.problem h3 em{font-style:normal;font-weight:400;color:var(--soft)}
.problem ul{list-style:none;margin:4px 0 0 25px}.problem>p{margin:6px 0 0 25px}
.problem p.do{color:var(--ink)}.problem p.do b{font-weight:600}
.quiet{color:var(--soft)}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:18px 16px 14px;break-inside:avoid}
.map{display:block;max-width:100%;height:auto;margin:0 auto}
.map.medium,.map.narrow{display:none}
.map text{fill:var(--ink);font-family:inherit}.map .soft,.map .head{fill:var(--soft)}.map .name{font-weight:600}
.node,.stack{fill:var(--card);stroke:var(--rule);stroke-width:1.2}
.b-degraded{fill:var(--t-degraded);stroke:var(--degraded);stroke-width:1.5}.b-broken{fill:var(--t-broken);stroke:var(--broken);stroke-width:2}
.b-unknown{fill:var(--t-unknown);stroke:var(--unknown);stroke-dasharray:4 3}
.rule{stroke:var(--rule)}.port{fill:var(--card);stroke:var(--soft);stroke-width:1.4}
.map path[class^=l-],figcaption path{fill:none;stroke:var(--line);stroke-width:1.3}
.map path.main,figcaption path.main{stroke:var(--healthy);stroke-width:2.4}
.map path.l-part,figcaption path.l-part{stroke:var(--degraded);stroke-width:2;stroke-dasharray:9 4}
.map path.l-bad,figcaption path.l-bad{stroke:var(--broken);stroke-width:2;stroke-dasharray:1.5 4.5;stroke-linecap:round}
.map path.l-open{stroke-dasharray:2 5}
figcaption{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:12.5px;color:var(--soft);margin-top:14px;border-top:1px solid var(--rule);padding-top:10px}
figcaption span{display:inline-flex;gap:6px;align-items:center}
.table{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:4px 16px}
table{width:100%;border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}
th{font-size:12.5px;font-weight:500;color:var(--soft);text-align:left;padding:8px 12px 6px 0;border-bottom:1px solid var(--rule);white-space:nowrap}
td{padding:7px 12px 7px 0;border-top:1px solid var(--rule);vertical-align:top}
tbody tr:first-child td{border-top:0}td:first-child{font-weight:600}
td .w{white-space:nowrap}td .sign{margin-right:6px}
td .why{display:block;color:var(--soft);font-weight:400;font-size:13px}
details{margin:0;padding:8px 0}details>summary{cursor:pointer;color:var(--soft);font-size:14px}
ul.plan{font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",Consolas,monospace;margin:6px 0 4px 25px;padding:0;list-style:none}
footer{color:var(--soft);font-size:12.5px;margin-top:36px}
td .p{display:inline-block;max-width:100%;white-space:nowrap}td .long{white-space:normal;min-width:11em}td.long{min-width:10em}
.tile .quiet{font-size:12.5px;margin-top:4px}
@media(max-width:820px){.tiles{grid-template-columns:repeat(6,1fr)}.tile{grid-column:span 2}.tile:nth-child(-n+2){grid-column:span 3}
.map.wide{display:none}.map.medium{display:block}
td,th{padding-right:8px}table{font-size:13px}td .long,td.long{min-width:8.5em}}
@media(max-width:640px){
main{padding:16px 14px 32px}header{gap:12px}header .sign{font-size:36px}header h1{font-size:22px}header p{font-size:15px}
.tiles{gap:8px;margin-top:18px}.tile{padding:9px 10px 11px}.tile dd{font-size:12.5px;white-space:normal}.tile b{font-size:19px}
.problem{padding:12px 12px}.problem ul,.problem>p,ul.plan{margin-left:0}
.map.medium{display:none}.map.narrow{display:block}figure{padding:12px 2px 12px}figcaption{padding:10px 10px 0}
thead{display:none}table,tbody,tr,td{display:block}tr{padding:9px 0;border-top:1px solid var(--rule)}tbody tr:first-child{border-top:0}
td{border:0;padding:0 0 1px;display:flex;justify-content:space-between;gap:14px}
td span{text-align:right}td[data-t]::before{content:attr(data-t);color:var(--soft);flex:none}td:first-child{display:block;font-size:15px}td.nil{display:none}
}
@page{margin:13mm}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#111;--soft:#4b545d;--rule:#ccd2d8;--line:#a5aeb7;
--healthy:#1f7a55;--degraded:#985b00;--broken:#c0262d;--unknown:#6b7580;--t-degraded:#fdf4e3;--t-broken:#fdeced;--t-unknown:#f1f3f5}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}body{font-size:12px}main{padding:0;max-width:none}
header h1{font-size:21px}header p{font-size:14px}.tiles{grid-template-columns:repeat(5,1fr);gap:7px}
.tile,.tile:nth-child(-n+2){grid-column:span 1;padding:8px 9px}
.map.wide,.map.narrow{display:none}.map.medium{display:block}.tile dd{font-size:11px}
.tile b{font-size:17px}.tile dt,.tile .quiet,table,th,figcaption{font-size:11px}.problem h3{font-size:13.5px}.problem{padding:9px 14px}h2{font-size:13.5px}
h2 small,.where{font-size:11px}td .why{font-size:11px}tr{break-inside:avoid}thead{display:table-header-group}h2{break-after:avoid;margin-top:22px}}
"""
