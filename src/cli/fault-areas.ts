/** The areas of fault codes, by what a code begins with. */
import type { FaultCode } from '../base/faults/index.ts'

export interface FaultArea {
  readonly name: string
  readonly further: string
  readonly german: { readonly name: string; readonly further: string }
}

const DOCTOR = '"stc doctor -c FILE"'
const ARZT = '"stc doctor -c DATEI"'
const AREAS: Readonly<Record<string, FaultArea>> = {
  ATTESTATION: { name: 'enclaves and their proofs', further: 'docs/protocol/attestation.md, and the member\'s details on the roster', german: { name: 'Enklaven und ihre Nachweise', further: 'docs/protocol/attestation.md, und die Einzelheiten des Mitglieds in der Liste' } },
  AUDIO: { name: 'sound and codecs', further: 'the page, "Phone and sound"', german: { name: 'Ton und Codecs', further: 'die Seite, „Telefon und Ton“' } },
  BACKUP: { name: 'backups', further: 'docs/operations.md, backup', german: { name: 'Sicherungen', further: 'docs/operations.md, backup' } },
  CALL: { name: 'calls between two, sealed', further: 'docs/protocol/sealed-calls.md', german: { name: 'versiegelte Gespräche zu zweit', further: 'docs/protocol/sealed-calls.md' } },
  CHANNEL: { name: 'the connection between client and server', further: DOCTOR, german: { name: 'die Verbindung zwischen Client und Server', further: ARZT } },
  CLIENT: { name: 'calls of this client', further: 'the call\'s history on the page, "stc logs", and "stc status"', german: { name: 'Gespräche dieses Clients', further: 'der Verlauf des Gesprächs auf der Seite, "stc logs" und "stc status"' } },
  CONFIG: { name: 'configuration files', further: 'docs/operations.md lists every key', german: { name: 'Konfigurationsdateien', further: 'docs/operations.md nennt jeden Eintrag' } },
  CRYPTO: { name: 'cryptographic functions', further: 'the installation of Node', german: { name: 'kryptographische Funktionen', further: 'die Installation von Node' } },
  FRAMESEAL: { name: 'voice frames of sealed calls', further: 'docs/protocol/sealed-calls.md', german: { name: 'Sprachrahmen versiegelter Gespräche', further: 'docs/protocol/sealed-calls.md' } },
  HOP: { name: 'keys between client and server', further: 'docs/protocol/hop.md', german: { name: 'Schlüssel zwischen Client und Server', further: 'docs/protocol/hop.md' } },
  IDENTITY: { name: 'certificates and revocation', further: '"stc doctor pki -c FILE"; "stc identity show FILE"', german: { name: 'Zertifikate und Sperrungen', further: '"stc doctor pki -c DATEI"; "stc identity show DATEI"' } },
  JOURNAL: { name: 'the journal of calls', further: 'docs/operations.md, the journal', german: { name: 'das Journal der Gespräche', further: 'docs/operations.md, journal' } },
  KEYAGREEMENT: { name: 'agreement on keys of sealed calls', further: 'docs/protocol/sealed-calls.md', german: { name: 'die Einigung auf Schlüssel versiegelter Gespräche', further: 'docs/protocol/sealed-calls.md' } },
  LINE: { name: 'telephone calls of the page\'s own phone', further: '"stc trace"; docs/operations.md, `page.account`', german: { name: 'Telefongespräche mit dem Telefon der Seite', further: '"stc trace"; docs/operations.md, `page.account`' } },
  MEDIA: { name: 'media streams', further: 'the page, "Show figures"; "stc status"', german: { name: 'Sprachströme', further: 'die Seite, „Zahlen zeigen“; "stc status"' } },
  MLS: { name: 'the group and its keys', further: 'docs/protocol/groups.md, and the call\'s history', german: { name: 'die Gruppe und ihre Schlüssel', further: 'docs/protocol/groups.md, und der Verlauf des Gesprächs' } },
  NATIVE: { name: 'the fast media path', further: '"stc server status"', german: { name: 'der schnelle Sprachweg', further: '"stc server status"' } },
  NET: { name: 'the network of this machine', further: DOCTOR, german: { name: 'das Netz dieses Rechners', further: ARZT } },
  PAGE: { name: 'the page in the browser', further: 'the address that stc prints at its start', german: { name: 'die Seite im Browser', further: 'die Adresse, die stc beim Start nennt' } },
  PBX: { name: 'the telephone system behind the server', further: '"stc doctor pbx -c FILE" at the server', german: { name: 'die Telefonanlage hinter dem Server', further: '"stc doctor pbx -c DATEI" am Server' } },
  RELAY: { name: 'calls through the telephone system', further: '"stc trace"; docs/protocol/sip-tunnel.md', german: { name: 'Gespräche über die Telefonanlage', further: '"stc trace"; docs/protocol/sip-tunnel.md' } },
  RING: { name: 'calling people', further: 'docs/protocol/channel.md', german: { name: 'Anrufe bei Personen', further: 'docs/protocol/channel.md' } },
  ROOM: { name: 'rooms, their members and rules', further: '"stc room show ROOM -c FILE"', german: { name: 'Räume, ihre Mitglieder und Regeln', further: '"stc room show RAUM -c DATEI"' } },
  RTCP: { name: 'reports about voice packets', further: DOCTOR, german: { name: 'Berichte über Sprachpakete', further: ARZT } },
  RTP: { name: 'voice packets', further: DOCTOR, german: { name: 'Sprachpakete', further: ARZT } },
  SDP: { name: 'what phones say of their sound', further: '"stc trace", and the account settings of the phone', german: { name: 'was Telefone über ihren Ton sagen', further: '"stc trace", und die Konto-Einstellungen des Telefons' } },
  SETUP: { name: 'setting a client up', further: '"stc setup"', german: { name: 'die Einrichtung eines Clients', further: '"stc setup"' } },
  SFRAME: { name: 'sealed voice frames', further: 'docs/protocol/frames.md', german: { name: 'versiegelte Sprachrahmen', further: 'docs/protocol/frames.md' } },
  SIP: { name: 'what phones signal', further: '"stc trace", and the account settings of the phone', german: { name: 'was Telefone signalisieren', further: '"stc trace", und die Konto-Einstellungen des Telefons' } },
  SRTP: { name: 'protected voice packets', further: 'docs/protocol/hop.md', german: { name: 'geschützte Sprachpakete', further: 'docs/protocol/hop.md' } },
  STORE: { name: 'files of the data folder', further: 'docs/operations.md, backup', german: { name: 'Dateien des Datenordners', further: 'docs/operations.md, backup' } },
  VAULT: { name: 'the process that holds the keys', further: '"stc vault show"', german: { name: 'der Prozess, der die Schlüssel hält', further: '"stc vault show"' } },
}
const OTHER: FaultArea = { name: 'other things', further: 'docs/operations.md', german: { name: 'anderes', further: 'docs/operations.md' } }

export const areaOf = (code: FaultCode): FaultArea => AREAS[code.slice(0, code.indexOf('_'))] ?? OTHER
export const hasArea = (code: FaultCode): boolean => areaOf(code) !== OTHER

const MOST_NEAR = 3

/** The codes that a mistyped one may have meant, the nearest first. */
export function nearest(typed: string, codes: readonly FaultCode[]): FaultCode[] {
  const allowed = Math.max(2, Math.floor(typed.length / 4))
  const far = codes.map((c) => ({ c, d: c.endsWith(`_${typed}`) ? 0 : distance(typed, c) })).filter(({ d }) => d <= allowed)
  return far.sort((a, b) => a.d - b.d).slice(0, MOST_NEAR).map(({ c }) => c)
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
