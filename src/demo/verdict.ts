/** What `--check` ends with: one line of JSON, and whether all is as it must be. */

export interface HeardRow {
  readonly by: string
  readonly of: string
  /** Share of active 200 ms windows with the expected voice. */
  readonly share: number
  readonly heard: boolean
  readonly expected: boolean
}

export interface Verdict {
  readonly members: readonly { readonly name: string; readonly key: string; readonly confirmed: boolean }[]
  readonly epoch: number
  /** All members show the same security code. */
  readonly codesEqual: boolean
  readonly securityCode: string
  readonly heard: readonly HeardRow[]
  /** How far down everybody's own voice is in what it heard, dB. */
  readonly ownDownDb: Readonly<Record<string, number>>
  /** From dialling to being in the group, by member. */
  readonly joinMs: Readonly<Record<string, number>>
  /** From dialling to the first decoded audio of another member. */
  readonly firstAudioMs: Readonly<Record<string, number>>
  readonly framesReceived: number
  readonly framesLost: number
  readonly framesNotOpened: number
  readonly noise: {
    readonly octets: number
    /** By codec: what crossed the wire looks like noise when taken for it. */
    readonly ciphertext: Readonly<Record<string, boolean>>
    /** By codec: the same test calls plain speech in that codec noise. Must be false. */
    readonly plaintext: Readonly<Record<string, boolean>>
  }
  readonly ok: boolean
  /** What is not as it must be, in words; empty when all is well. */
  readonly wrong: readonly string[]
}

export const OWN_DOWN_DB = 40
const NOISE_OCTETS = 100_000

export function judge(v: Omit<Verdict, 'ok' | 'wrong'>, expectedMembers: number): Verdict {
  const wrong: string[] = []
  if (v.members.length !== expectedMembers) wrong.push(`${v.members.length} members instead of ${expectedMembers}`)
  for (const m of v.members) if (!m.confirmed) wrong.push(`${m.name} is still joining`)
  if (!v.codesEqual) wrong.push('the security codes differ')
  for (const h of v.heard) {
    if (h.heard !== h.expected) wrong.push(`${h.by} ${h.heard ? 'hears' : 'does not hear'} ${h.of} (${Math.round(h.share * 100)} % of the windows)`)
  }
  for (const [name, db] of Object.entries(v.ownDownDb)) if (db < OWN_DOWN_DB) wrong.push(`${name} hears its own voice, only ${Math.round(db)} dB down`)
  if (v.framesNotOpened > 0) wrong.push(`${v.framesNotOpened} frames could not be opened`)
  if (v.noise.octets < NOISE_OCTETS) wrong.push(`only ${v.noise.octets} octets of ciphertext were captured`)
  for (const [codec, noise] of Object.entries(v.noise.ciphertext)) if (!noise) wrong.push(`the ciphertext is not noise as ${codec}`)
  for (const [codec, noise] of Object.entries(v.noise.plaintext)) if (noise) wrong.push(`the noise test does not tell plain ${codec} speech from noise`)
  return { ...v, ok: wrong.length === 0, wrong }
}
