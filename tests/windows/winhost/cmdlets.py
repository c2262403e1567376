# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell expressions that are known by heart."""
import re

from . import disks, features


def evaluate(host, line):
    """(text, whether it is known)"""
    for pattern, version, function in KNOWN:
        match = re.match(pattern, line)
        if match and host.personality.powershell >= version:
            return function(host, match), True
    return host.say("The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program.") % line, False


def feature_state(host, match):
    # [1]; InstallPending is what Enable Pending of DISM is here.
    return dict(absent='Available', pending='InstallPending', installed='Installed')[host.feature]


def install_feature(host, match):
    host.wrote('Install-WindowsFeature', 'Multipath-IO')
    done = features.install(host)
    return '\n'.join(['Success=True', 'RestartNeeded=%s' % ('Yes' if host.feature == 'pending' else 'No'),
                      'ExitCode=%s' % ('SuccessRestartRequired' if done else 'NoChangeNeeded')])


def guarded(host, match):
    """diskpart, if the disk at a number is still the one that is expected: see win_disks."""
    if (match.group('tool') == 'wmic') != host.personality.wmic:
        return ''
    found = [drive for drive in disks.drives(host) if drive['index'] == int(match.group('index') or match.group('index2'))]
    shown = ''.join('Partitions=%d\r\r\nSerialNumber=%s\r\r\n' % (drive['partitions'], drive['serial']) for drive in found)
    if not re.search(match.group('pattern'), shown):
        return match.group('other')
    code, text = disks.diskpart(host, ['/s', '%TEMP%\\cephgate.txt'], '')
    host.exit_code = code
    return text


KNOWN = (
    (r"^if \(\((?:'' \| & '(?P<tool>wmic)\.exe' 'diskdrive' 'where' 'Index=(?P<index>\d+)' 'get' 'Partitions,SerialNumber' '/value'"
     r"|Get-CimInstance Win32_DiskDrive -Filter 'Index=(?P<index2>\d+)' \| ForEach-Object \{ 'Partitions=' \+ \$_\.Partitions; "
     r"'SerialNumber=' \+ \$_\.SerialNumber \}) \| Out-String\) -match '(?P<pattern>[^']+)'\) "
     r"\{ & 'diskpart\.exe' '/s' \"\$env:TEMP\\cephgate\.txt\" \} else \{ '(?P<other>[^']+)' \}$", 2, guarded),
    (r"^''$", 2, lambda host, match: ''),
    (r"^\(Get-WindowsFeature Multipath-IO\)\.InstallState$", 5, feature_state),
    (r"^Install-WindowsFeature -Name Multipath-IO \| ForEach-Object \{ 'Success=' \+ \$_\.Success; 'RestartNeeded=' \+ \$_\.RestartNeeded; "
     r"'ExitCode=' \+ \$_\.ExitCode \}$", 5, install_feature),
    (r"^'PSVersion=' \+ \$PSVersionTable\.PSVersion\.Major$", 2, lambda host, match: 'PSVersion=%d' % host.personality.powershell),
    (r"^'LastBootUpTime=' \+ \(Get-CimInstance Win32_OperatingSystem\)\.LastBootUpTime\.ToUniversalTime\(\)\.ToString\('yyyyMMddHHmmss'\)$", 3,
     lambda host, match: 'LastBootUpTime=' + disks.universal(host)),
    (r"^Get-CimInstance Win32_DiskDrive \| ForEach-Object \{ 'Index=' \+ \$_\.Index; 'Model=' \+ \$_\.Model; 'Partitions=' \+ \$_\.Partitions; "
     r"'SerialNumber=' \+ \$_\.SerialNumber; 'Size=' \+ \$_\.Size \}$", 3, disks.cim_drives),
    (r"^Set-Content -Path \"\$env:TEMP\\cephgate\.txt\" -Value ((?:'[^']*',)*'[^']*')$", 2, disks.write_script),
)
