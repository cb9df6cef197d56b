/** The rows of a roster on the terminal (client/terminal, client/live-screen), in German. */
import { privacyGerman } from './privacy.ts'
import { type Sentences, translator } from './translate.ts'

export const ROSTER: Sentences = [
  ['you', 'Sie'],
  ['you, MUTED', 'Sie, STUMM'],
  ['owner', 'Besitzer'],
  ['co-owner', 'Mitbesitzer'],
  ['host', 'Gastgeber'],
  ['first contact', 'erste Begegnung'],
  ['ANOTHER KEY than before', 'EIN ANDERER SCHLÜSSEL als vorher'],
  ['new certificate, same key', 'neues Zertifikat, gleicher Schlüssel'],
  ['code compared', 'Code verglichen'],
  ['gateway: telephone callers can hear this', 'Gateway: Anrufer aus dem Telefonnetz hören mit'],
  ['GATEWAY: telephone callers can hear this', 'GATEWAY: Anrufer aus dem Telefonnetz hören mit'],
  ['joining', 'kommt gerade'],
  ['phone leg: plain on LAN', 'Strecke zum Telefon: offen im LAN'],
  ['cannot be heard: {1}', 'ist nicht zu hören: {1}'],
  ['CANNOT BE HEARD: {1}', 'IST NICHT ZU HÖREN: {1}'],
  ['{1} % lost', '{1} % verloren'],
  ['muted', 'stumm'],
  ['being recorded', 'wird aufgezeichnet'],
  ['keys: in process', 'Schlüssel: im Prozess'],
  ["keys: isolated process (says the member's client){1}", 'Schlüssel: abgeschotteter Prozess (sagt der Client des Mitglieds){1}'],
  ["keys: isolated process (says the member's client)", 'Schlüssel: abgeschotteter Prozess (sagt der Client des Mitglieds)'],
  ["keys: isolated process (says the member's client, program {1})", 'Schlüssel: abgeschotteter Prozess (sagt der Client des Mitglieds, Programm {1})'],
  ["keys: isolated process (says the member's client, program {1}); claims an enclave, not proven: {2}", 'Schlüssel: abgeschotteter Prozess (sagt der Client des Mitglieds, Programm {1}); gibt eine Enklave an, nicht bewiesen: {2}'],
  ['keys: SGX enclave (measurement {1}, platform {2})', 'Schlüssel: SGX-Enklave (Messwert {1}, Plattform {2})'],
  ['keys: SGX enclave (measurement {1})', 'Schlüssel: SGX-Enklave (Messwert {1})'],
  ['keys: TDX domain (measurement {1}, platform {2})', 'Schlüssel: TDX-Domäne (Messwert {1}, Plattform {2})'],
  ['keys: TDX domain (measurement {1})', 'Schlüssel: TDX-Domäne (Messwert {1})'],
  ['number withheld', 'Nummer unterdrückt'],
  ['unverified: {1}', 'ungeprüft: {1}'],
  ['certificate refused: {1}', 'Zertifikat abgelehnt: {1}'],
  ['and {1} more', 'und {1} weitere'],
  ['locked', 'abgeschlossen'],
  ['lobby', 'Vorraum'],
  ['gateways allowed', 'Gateways erlaubt'],
  ['the room: {1}', 'der Raum: {1}'],
  ['the server passes on who is loudest: it sees who speaks, not what is said', 'der Server gibt die Lautesten weiter: Er sieht, wer spricht, nicht was gesagt wird'],
  ['waits, {1}: {2}', 'wartet, {1}: {2}'],
  ['gateway', 'Gateway'],
  ['security code {1}', 'Sicherheitscode {1}'],
  ['compare aloud: {1}', 'laut vergleichen: {1}'],
  ['call {1}', 'Gespräch {1}'],
  ['m mute   w what is said here   / command   q hang up', 'm stumm   w was hier gilt   / Befehl   q auflegen'],
]

const one = translator(ROSTER)

/** A piece of a row; what is not known stays. */
export const rosterGerman = (text: string): string => one(text) ?? privacyGerman(text)
