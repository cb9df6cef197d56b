/**
 * Invitations as the authority keeps them, one file per step, each made once and never changed: `ID.json` (the invitation),
 * `ID.used` (the first request that knew the secret), `ID.verdict` (what the inviter said), `ID.issued` (the certificate). That two
 * requests cannot both be the first is the file system's word.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { UnixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { caFiles } from '../ca-files.ts'
import { PRIVATE_MODE, unwritable, writeNew } from '../files.ts'
import { unusable } from '../request.ts'
import { invitationKeys } from './link.ts'

export interface InvitationRecord {
  readonly id: string
  readonly name: string
  readonly organisation?: string
  readonly emails: readonly string[]
  readonly made: number
  /** Seconds since 1970; the first request must come by then. */
  readonly until: number
  /** Of the certificate, in days. */
  readonly lifetimeDays: number
  /** Without asking whoever invited. */
  readonly confirmed: boolean
  /** HMAC keys, hex; the secret itself is in the link alone. */
  readonly request: string
  readonly reply: string
}

export interface UseRecord {
  /** Base64. */
  readonly csr: string
  readonly code: string
  readonly from: string
  readonly at: number
}

export interface VerdictRecord {
  readonly let: boolean
  readonly at: number
}

export interface InvitationState {
  readonly invitation: InvitationRecord
  readonly use?: UseRecord
  readonly verdict?: VerdictRecord
  readonly issued: boolean
}

const MADE_LIMIT = 10_000

export interface NewInvitation {
  readonly name: string
  readonly organisation?: string
  readonly emails?: readonly string[]
  readonly validDays: number
  readonly lifetimeDays: number
  readonly confirmed?: boolean
}

export class Invitations {
  readonly #dir: string

  constructor(caDir: string) {
    this.#dir = caFiles(caDir).invitations
  }
  make(crypto: CryptoPort, secret: Uint8Array, wanted: NewInvitation, now: UnixTime): Result<InvitationRecord> {
    const problem = unusable(wanted)
    if (problem !== undefined) return err('IDENTITY_NAME_UNUSABLE', problem)
    const keys = invitationKeys(crypto, secret)
    const record: InvitationRecord = {
      id: keys.id, name: wanted.name, ...(wanted.organisation === undefined ? {} : { organisation: wanted.organisation }), emails: wanted.emails ?? [],
      made: Math.floor(now), until: Math.floor(now + wanted.validDays * 86_400), lifetimeDays: wanted.lifetimeDays, confirmed: wanted.confirmed ?? false,
      request: toHex(keys.request), reply: toHex(keys.reply),
    }
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
      if (readdirSync(this.#dir).length > 4 * MADE_LIMIT) return err('IDENTITY_ENROLMENT_REFUSED', 'there are too many invitations: remove old ones')
    } catch (e) {
      return unwritable(this.#dir, e)
    }
    const written = this.#write(keys.id, 'json', record)
    return written.ok ? ok(record) : written
  }
  get(id: string): InvitationState | undefined {
    const invitation = this.#read<InvitationRecord>(id, 'json')
    if (invitation === undefined) return undefined
    const [use, verdict] = [this.#read<UseRecord>(id, 'used'), this.#read<VerdictRecord>(id, 'verdict')]
    return { invitation, ...(use === undefined ? {} : { use }), ...(verdict === undefined ? {} : { verdict }), issued: existsSync(this.#file(id, 'issued')) }
  }
  all(): InvitationState[] {
    if (!existsSync(this.#dir)) return []
    const ids = readdirSync(this.#dir).filter((f) => /^[0-9a-f]{32}\.json$/.test(f)).map((f) => f.slice(0, 32))
    return ids.flatMap((id) => this.get(id) ?? []).sort((a, b) => a.invitation.made - b.invitation.made)
  }
  /** The first use counts: afterwards `get` tells whose it was. */
  use(id: string, use: UseRecord): Result<void> {
    const written = this.#write(id, 'used', use)
    return written.ok || written.fault.code === 'IDENTITY_OUTPUT_EXISTS' ? ok(undefined) : written
  }
  decide(id: string, verdict: VerdictRecord): Result<void> {
    return this.#write(id, 'verdict', verdict)
  }
  keepIssued(id: string, chain: readonly string[]): Result<void> {
    return this.#write(id, 'issued', { chain })
  }
  issued(id: string): readonly string[] | undefined {
    return this.#read<{ chain: string[] }>(id, 'issued')?.chain
  }

  #file(id: string, step: string): string {
    return path.join(this.#dir, `${id}.${step}`)
  }
  #write(id: string, step: string, value: object): Result<void> {
    return writeNew(this.#file(id, step), `${JSON.stringify(value)}\n`, PRIVATE_MODE)
  }
  #read<T>(id: string, step: string): T | undefined {
    try {
      return JSON.parse(readFileSync(this.#file(id, step), 'utf8')) as T
    } catch {
      return undefined
    }
  }
}
