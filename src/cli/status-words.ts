/** What `stc status` and `stc rooms` say, in both languages. */
import type { Language } from './language.ts'

const en = {
  process: (version: string, pid: number, config: string): string => `stc ${version}, process ${pid}, ${config}`,
  label: { line: 'line', server: 'server', clock: 'clock', you: 'you', keys: 'keys', phone: 'phone', calls: 'calls', call: 'call', page: 'page', warning: 'warning' },
  noServer: 'none: calls go through telephone providers',
  connected: (host: string, media: string): string => `${host}: connected, ${media}`,
  notConnected: (host: string, why: string): string => `${host}: NOT connected${why}`,
  noMedia: 'no media yet',
  media: (path: string): string => `media over ${path}`,
  roundTrip: (ms: string): string => `, ${ms} ms there and back`,
  behind: (seconds: number): string => `this machine's clock is ${seconds} s behind the server's`,
  ahead: (seconds: number): string => `this machine's clock is ${seconds} s ahead of the server's`,
  valid: (name: string, days: number): string => `${name}, certificate valid for ${days} more day${days === 1 ? '' : 's'}`,
  expired: (name: string): string => `${name}, certificate EXPIRED`,
  kept: { enclave: 'in an enclave', process: 'in a process of their own', 'in-process': "in the client's own process" },
  phoneAt: (line: string, address: string): string => `${line} at ${address}: `,
  registered: 'registered',
  unregistered: 'no phone registered',
  none: 'none',
  muted: ' You are muted.',
  callId: (id: string): string => `, call ${id}`,
  dial: (number: string): string => `dial ${number}`,
  noRooms: 'No room has a name here: any number behind the room prefix is one.',
  notRunning: '(The client does not run: who is in them is not known.)',
} as const

type Words = { readonly [K in keyof typeof en]: (typeof en)[K] extends string ? string : (typeof en)[K] extends (...a: infer A) => string ? (...a: A) => string : { readonly [L in keyof (typeof en)[K]]: string } }

const de: Words = {
  process: (version, pid, config) => `stc ${version}, Prozess ${pid}, ${config}`,
  label: { line: 'Leitung', server: 'Server', clock: 'Uhr', you: 'Sie', keys: 'Schlüssel', phone: 'Telefon', calls: 'Gespräche', call: 'Gespräch', page: 'Seite', warning: 'Warnung' },
  noServer: 'keiner: Gespräche gehen über Telefonanbieter',
  connected: (host, media) => `${host}: verbunden, ${media}`,
  notConnected: (host, why) => `${host}: NICHT verbunden${why}`,
  noMedia: 'noch keine Sprache',
  media: (path) => `Sprache über ${path}`,
  roundTrip: (ms) => `, ${ms} ms hin und zurück`,
  behind: (seconds) => `die Uhr dieses Rechners geht gegenüber der des Servers ${seconds} s nach`,
  ahead: (seconds) => `die Uhr dieses Rechners geht gegenüber der des Servers ${seconds} s vor`,
  valid: (name, days) => `${name}, Zertifikat noch ${days} Tag${days === 1 ? '' : 'e'} gültig`,
  expired: (name) => `${name}, Zertifikat ABGELAUFEN`,
  kept: { enclave: 'in einer Enklave', process: 'in einem eigenen Prozess', 'in-process': 'im Prozess des Clients' },
  phoneAt: (line, address) => `${line} an ${address}: `,
  registered: 'angemeldet',
  unregistered: 'kein Telefon angemeldet',
  none: 'keine',
  muted: ' Sie sind stumm.',
  callId: (id) => `, Gespräch ${id}`,
  dial: (number) => `wählen: ${number}`,
  noRooms: 'Hier hat kein Raum einen Namen: Jede Nummer hinter der Raumkennung ist einer.',
  notRunning: '(Der Client läuft nicht: Wer in ihnen ist, ist nicht bekannt.)',
}

export const STATUS_WORDS: Readonly<Record<Language, Words>> = { en, de }
