# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second language. That outputs are localised is known [0] 7; these German words are ours, what counts is that none is English."""

GERMAN = {
    'The operation completed successfully. ': 'Der Vorgang wurde erfolgreich beendet. ',
    'The operation completed successfully.': 'Der Vorgang wurde erfolgreich beendet.',
    'The parameter is incorrect.': 'Falscher Parameter.',
    'Login Failed.': 'Fehler bei der Anmeldung.',
    'Connection Failed.': 'Verbindungsfehler.',
    'Authentication Failure.': 'Authentifizierungsfehler.',
    'Authorization Failure.': 'Autorisierungsfehler.',
    'Not Found.': 'Nicht gefunden.',
    'Target Error.': 'Zielfehler.',
    'Error.': 'Fehler.',
    'The target name is not found or is marked as hidden from login.': 'Der Zielname wurde nicht gefunden oder ist verborgen.',
    'The Microsoft iSCSI Initiator Service is not running. Please start the service and retry.':
        'Der Microsoft iSCSI-Initiator-Dienst wird nicht ausgeführt. Starten Sie den Dienst.',
    'The target has already been logged in via an iSCSI session.': 'Das Ziel ist bereits angemeldet.',
    'The session cannot be logged out since a device on that session is currently being used.':
        'Die Sitzung kann nicht abgemeldet werden, da ein Gerät verwendet wird.',
    'The specified portal was not found.': 'Das angegebene Portal wurde nicht gefunden.',
    'Target CHAP secret given is invalid. Maximum size of CHAP secret is 16 bytes. Minimum size is 12 bytes if IPSec is not used.':
        'Der CHAP-Schlüssel ist ungültig (12 bis 16 Bytes).',
    'Microsoft iSCSI Initiator Version %s': 'Microsoft iSCSI-Initiator, Version %s',
    'Enter command or ^C to exit': 'Geben Sie einen Befehl ein, oder drücken Sie ^C zum Beenden',
    'Total of %d portals are persisted:': 'Insgesamt %d Portale gespeichert:',
    'Total of %d peristent targets': 'Insgesamt %d permanente Ziele',
    'Total of %d sessions': 'Insgesamt %d Sitzungen',
    'Address and Socket': 'Adresse und Socket', 'Symbolic Name': 'Symbolischer Name', 'Initiator Name': 'Initiatorname',
    'Port Number': 'Portnummer', 'Security Flags': 'Sicherheitsflags', 'Version': 'Version', 'Information Specified': 'Angaben',
    'Login Flags': 'Anmeldeflags', '<Any Port>': '<Beliebiger Port>', 'Targets List:': 'Zielliste:', 'Target Name': 'Zielname',
    'Session Type': 'Sitzungstyp', 'Data': 'Daten', 'Multipath Enabled': 'Multipfad aktiviert', 'Authentication Type': 'Authentifizierung',
    'Username': 'Benutzername', 'Password': 'Kennwort', '<is established>': '<festgelegt>', 'Session Id': 'Sitzungs-ID',
    'Initiator Node Name': 'Initiatorknotenname', 'Target Node Name': 'Zielknotenname', 'Number Connections': 'Anzahl Verbindungen',
    'Connections:': 'Verbindungen:', 'Connection Id': 'Verbindungs-ID', 'Initiator Portal': 'Initiatorportal', 'Target Portal': 'Zielportal',
    'Devices:': 'Geräte:', 'Device Type': 'Gerätetyp', 'Disk': 'Datenträger', 'Device Number': 'Gerätenummer',
    'Storage Device Type': 'Speichergerätetyp', 'Partition Number': 'Partitionsnummer', 'Friendly Name': 'Anzeigename',
    'Device Description': 'Gerätebeschreibung', 'Disk drive': 'Laufwerk', 'Reported Mappings': 'Zuordnungen', 'Location': 'Ort',
    'Legacy Device Name': 'Alter Gerätename', 'Device Instance': 'Geräteinstanz', 'ISID': 'ISID', 'TSID': 'TSID', 'CID': 'CID',
    'An instance of the service is already running.': 'Es wird bereits eine Instanz des Dienstes ausgeführt.',
    'ERROR: The system was unable to find the specified registry key or value.':
        'FEHLER: Der angegebene Registrierungsschlüssel oder Wert wurde nicht gefunden.',
    "The term '%s' is not recognized as the name of a cmdlet, function, script file, or operable program.":
        'Die Benennung "%s" wurde nicht als Name eines Cmdlet, einer Funktion oder eines Programms erkannt.',
    'A system shutdown has already been scheduled.(1190)': 'Das Herunterfahren wurde bereits geplant.(1190)',
    'Roles': 'Rollen', 'Features': 'Features', 'Multipath I/O': 'Multipfad-E/A',
    'NoChange: No changes were made because the roles and features specified are already installed.':
        'Keine Änderung: Die Rollen und Features sind bereits installiert.',
    'Success: Installation succeeded. A restart is required.': 'Erfolg: Die Installation war erfolgreich. Ein Neustart ist erforderlich.',
    'Invalid switch specified.': 'Ungültiger Schalter.',
    'No target-level default load balance policies have been set.': 'Es wurden keine Standardrichtlinien festgelegt.',
    'Element not found.': 'Element nicht gefunden.',
    'Disk ###  Status         Size     Free     Dyn  Gpt': 'Datenträger ###  Status       Größe    Frei     Dyn  GPT',
    'Disk %d': 'Datenträger %d', 'Online': 'Aktiv', 'Offline': 'Inaktiv',
    'DiskPart successfully onlined the selected disk.': 'Der ausgewählte Datenträger wurde online geschaltet.',
    'Disk attributes cleared successfully.': 'Die Datenträgerattribute wurden gelöscht.',
    'DiskPart succeeded in creating the specified partition.': 'Die Partition wurde erstellt.',
    'DiskPart successfully formatted the volume.': 'Das Volume wurde formatiert.',
}


def say(language, text):
    """Raises KeyError for a text without a translation, so that none stays English unnoticed."""
    return GERMAN[text] if language == 'de' else text
