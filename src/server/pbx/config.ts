/** The part of the server's configuration about the telephone system behind it (docs/operations.md). */
import { z } from 'zod'
import { matchesEntry } from '../../model/admit.ts'
import type { Identity } from '../../model/identity.ts'

const file = z.string().min(1)
const port = z.number().int().min(1).max(65_535)
const ip = z.union([z.ipv4(), z.ipv6()], 'must be a numeric address, e.g. 127.0.0.1')
/** As in a room's admission list. */
const people = z.array(z.string().min(1).max(256)).max(1000)

export const conferenceConfig = z.strictObject({
  /** `required`: callers without a certificate hear an announcement and are not let in. */
  certificates: z.enum(['welcome', 'required']).default('welcome'),
  /** With `required`: whose certificates; everybody's under the anchors when left out. */
  admit: people.optional(),
  /** Who may mute, remove and lock: a key, `cn:Name`, `o:Organisation`, `domain:example.org`. */
  hosts: people.default([]),
})
export type ConferenceConfig = z.infer<typeof conferenceConfig>

export const pbxConfig = z.strictObject({
  /** Asterisk's manager interface. */
  ami: z.strictObject({ address: ip.default('127.0.0.1'), port: port.default(5038), user: z.string().regex(/^[a-z0-9._-]{1,64}$/i).default('stc'), secretFile: file }),
  /** Where Asterisk asks whom to let in (FastAGI). */
  agi: z.strictObject({ address: ip.default('127.0.0.1'), port: port.default(4573) }).prefault({}),
  /** By number; `default` for all others. */
  conferences: z.record(z.string(), conferenceConfig).default({}),
})
export type PbxConfig = z.infer<typeof pbxConfig>

export const conferenceRules = (c: Pick<PbxConfig, 'conferences'>, name: string): ConferenceConfig =>
  (Object.hasOwn(c.conferences, name) ? c.conferences[name] : c.conferences['default']) ?? conferenceConfig.parse({})

export const isHost = (c: Pick<PbxConfig, 'conferences'>, conference: string, identity: Identity): boolean =>
  conferenceRules(c, conference).hosts.some((e) => matchesEntry(e, identity))
