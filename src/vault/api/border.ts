/**
 * What crosses between a client and its vault process, one socket pair, both ways alike:
 *
 *   message   length of what follows (4) ‖ kind (1) ‖ body
 *
 * Towards the vault, arguments are CBOR in the shapes of call-shapes.ts; what comes back is plain data as `node:v8` writes
 * it, read by a client that trusts its vault. A message that is too long for its kind is skipped, octet by octet: whatever
 * is written into the socket, the next message is found again.
 */

import { concat } from '../../base/bytes.ts'

/** Client → vault. */
export const TO_VAULT = {
  /** CBOR (`OPTIONS_SHAPE`). Once, first of all. */
  open: 1,
  /** id (4) ‖ number of the call (1) ‖ CBOR */
  call: 2,
  /** id (4) ‖ batches (packed-frames.ts) */
  frames: 3,
  /** pipe (4) ‖ CBOR (`PIPE_SHAPE`) */
  pipeOpen: 4,
  /** pipe (4) ‖ octets from the network */
  pipeFeed: 5,
  /** pipe (4) ‖ plaintext */
  pipeWrite: 6,
  /** pipe (4) */
  pipeEnd: 7,
  /** Nothing. The vault wipes what it has, and ends. */
  close: 8,
  /** CBOR (`SEAL_SHAPE`), before `open`, in an enclave alone: the key's file, to be sealed for this enclave. */
  seal: 9,
} as const

/** Vault → client. */
export const FROM_VAULT = {
  /** `VaultReport` */
  started: 65,
  /** `Fault`, or undefined: the vault is open. */
  ready: 66,
  /** id (4) ‖ `Result` */
  answer: 67,
  /** id (4) ‖ batches */
  frames: 68,
  /** pipe (4) ‖ `Result` */
  pipeSecured: 69,
  /** pipe (4) ‖ octets for the network */
  pipeCipher: 70,
  /** pipe (4) ‖ plaintext */
  pipePlain: 71,
  /** pipe (4) ‖ reason, UTF-8 */
  pipeClosed: 72,
  /** `Result` with the text of the sealed file */
  sealed: 73,
} as const

/** What a vault process can say of itself before it has a key. */
export interface VaultReport {
  /** SHA-256 of the program that runs, hex. */
  readonly measurement: string
  /** Nobody who runs as the same user can read its memory. */
  readonly isolated: boolean
  /** It runs in an SGX enclave, as it says. */
  readonly enclave: boolean
  readonly locks: readonly { readonly name: string; readonly had: boolean; readonly detail: string }[]
}

const HEAD = 5
/** One flight of TLS, one WebSocket message in pieces. */
export const PIPE_CHUNK = 64 * 1024
const MIB = 1024 * 1024

/** What the vault takes of each kind, octets of the body; others are skipped. */
export const VAULT_LIMITS: Readonly<Record<number, number>> = {
  [TO_VAULT.open]: 64 * MIB, [TO_VAULT.call]: 4 * MIB, [TO_VAULT.frames]: MIB,
  [TO_VAULT.pipeOpen]: 4096, [TO_VAULT.pipeFeed]: PIPE_CHUNK + 4, [TO_VAULT.pipeWrite]: PIPE_CHUNK + 4, [TO_VAULT.pipeEnd]: 4, [TO_VAULT.close]: 0, [TO_VAULT.seal]: 64 * 1024,
}
/** What a client takes: the vault is its own. */
export const CLIENT_LIMITS: Readonly<Record<number, number>> = Object.fromEntries(Object.values(FROM_VAULT).map((kind) => [kind, 64 * MIB]))

/** One message of these parts. */
export function frame(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, p) => n + p.length, 0)
  const out = new Uint8Array(HEAD + length)
  new DataView(out.buffer).setUint32(0, length + 1)
  out[4] = kind
  let at = HEAD
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** One message that starts with a number. */
export function numbered(kind: number, id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const four = new Uint8Array(4)
  new DataView(four.buffer).setUint32(0, id)
  return frame(kind, four, ...parts)
}

/** Cuts a stream of octets into messages. Nothing is allocated for what a length only announces. */
export class Unframer {
  readonly #limits: Readonly<Record<number, number>>
  readonly #take: (kind: number, body: Uint8Array) => void
  readonly #head = new Uint8Array(HEAD)
  #headLength = 0
  /** Parts of the body that have come. */
  #parts: Uint8Array[] = []
  #missing = 0
  #skipping = false
  /** Messages of an unknown kind or too long for theirs. */
  skipped = 0

  /** `take` gets views that are good until it returns. */
  constructor(limits: Readonly<Record<number, number>>, take: (kind: number, body: Uint8Array) => void) {
    this.#limits = limits
    this.#take = take
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) at = this.#headLength < HEAD ? this.#takeHead(chunk, at) : this.#takeBody(chunk, at)
  }

  #takeHead(chunk: Uint8Array, start: number): number {
    let at = start
    while (at < chunk.length && this.#headLength < HEAD) {
      this.#head[this.#headLength++] = chunk[at++]!
      // A message has its kind at least.
      if (this.#headLength === 4 && this.#length === 0) {
        this.#headLength = 0
        this.skipped++
      }
    }
    if (this.#headLength < HEAD) return at
    this.#missing = this.#length - 1
    this.#skipping = this.#missing > (this.#limits[this.#head[4]!] ?? -1)
    if (this.#missing === 0) this.#finish()
    return at
  }
  get #length(): number {
    return new DataView(this.#head.buffer).getUint32(0)
  }
  #takeBody(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing)
    if (!this.#skipping) this.#parts.push(chunk.subarray(at, end))
    this.#missing -= end - at
    if (this.#missing === 0) this.#finish()
    // What waits for the rest is kept: the caller's buffer may be used again.
    else if (!this.#skipping) this.#keep()
    return end
  }
  #keep(): void {
    this.#parts.push(this.#parts.pop()!.slice())
    // Octets that trickle in do not pile up as objects.
    if (this.#parts.length >= 256) this.#parts = [concat(...this.#parts)]
  }
  #finish(): void {
    const parts = this.#parts
    this.#parts = []
    this.#headLength = 0
    if (this.#skipping) this.skipped++
    else this.#take(this.#head[4]!, parts.length === 1 ? parts[0]! : concat(...parts))
  }
}
