/**
 * Statements about revocation at hand, kept over restarts: who has seen a newer list takes no older one, and nobody waits for the
 * network to learn what was known. Each is signed and judged again by whoever uses it; a damaged file is an empty one. What a
 * known authority is named in and did not sign is not kept, and with `vouchedOnly` nothing that no known authority signed.
 *
 *   "stc evidence 1\n" ‖ ( kind (1: list 1, OCSP answer 2) ‖ length (4) ‖ DER )*
 */
import { readFileSync } from 'node:fs'
import { ByteReader, ByteWriter, sameBytes, utf8 } from '../base/bytes.ts'
import { type Fault, type Result, err, ok } from '../base/result.ts'
import type { RevocationProof } from '../model/trust.ts'
import { type Evidence, type EvidenceJudge, mergeEvidence, NO_EVIDENCE } from '../protocol/x509/evidence.ts'
import { replaceFile } from './atomic-file.ts'

const MAGIC = utf8('stc evidence 1\n')
const KINDS = ['crl', 'ocsp'] as const
/** What a vault takes at its start. */
const PROOFS_LIMIT = 64
const OCTETS_LIMIT = 16 * 1024 * 1024
/** Answers wait for one another: where each member has a responder's, one is renewed every second or two, and each would be the whole file. */
const ANSWERS_MS = 15_000

interface EvidenceFileOptions {
  readonly vouchedOnly?: boolean
  /** Does it a while later; the process does not stay for it. */
  readonly later?: (run: () => void) => unknown
}

export class EvidenceFile {
  readonly #file: string
  readonly #judge: () => EvidenceJudge
  readonly #later: (run: () => void) => unknown
  #evidence: Evidence
  #unwritten = false
  /** What was to be written later could not be. */
  onFault: (fault: Fault) => void = () => {}

  constructor(file: string, judge: () => EvidenceJudge, { vouchedOnly = false, later = (run) => setTimeout(run, ANSWERS_MS).unref() }: EvidenceFileOptions = {}) {
    this.#file = file
    this.#later = later
    this.#judge = vouchedOnly ? () => demanding(judge()) : judge
    this.#evidence = mergeEvidence(NO_EVIDENCE, readKept(file), this.#judge()).evidence
  }
  get evidence(): Evidence {
    return this.#evidence
  }
  /** At most as many, and as large, as a vault takes at its start. */
  proofs(room = PROOFS_LIMIT): RevocationProof[] {
    let octets = 0
    return this.#evidence.current.slice(0, Math.max(0, room)).filter(({ der }) => (octets += der.length) <= OCTETS_LIMIT)
  }
  /** The newest of each are kept, on the disk when this returns: lists, and answers that revoke. Others a while later, or with `flush`. */
  learn(proofs: readonly RevocationProof[]): Result<undefined> {
    const { evidence, changed } = mergeEvidence(this.#evidence, proofs, this.#judge())
    if (!changed) return ok(undefined)
    const known = new Set<object>([...this.#evidence.lists, ...this.#evidence.responses])
    const urgent = evidence.lists.some((l) => !known.has(l)) || evidence.responses.some((r) => !known.has(r) && r.answers.some((a) => a.status === 'revoked'))
    this.#evidence = evidence
    if (urgent) return this.#write()
    if (!this.#unwritten) this.#later(() => this.flush())
    this.#unwritten = true
    return ok(undefined)
  }
  /** Writes what still waits. */
  flush(): void {
    const written = this.#unwritten ? this.#write() : ok(undefined)
    if (!written.ok) this.onFault(written.fault)
  }
  #write(): Result<undefined> {
    this.#unwritten = false
    const w = new ByteWriter().put(MAGIC)
    for (const { kind, der } of this.proofs()) w.u8(KINDS.indexOf(kind) + 1).u32(der.length).put(der)
    return replaceFile(this.#file, w.finish())
  }
}

const demanding = ({ now, weigh }: EvidenceJudge): EvidenceJudge => ({
  now,
  weigh: (e) => {
    const weight = weigh(e)
    return weight.ok && !weight.value ? err('IDENTITY_UNKNOWN_ISSUER') : weight
  },
})

/** As they stand in such a file, judged by nobody; none where it is another file. */
export function readKept(file: string): RevocationProof[] {
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(readFileSync(file))
  } catch {
    return []
  }
  const r = new ByteReader(bytes)
  if (!sameBytes(r.take(MAGIC.length), MAGIC)) return []
  const proofs: RevocationProof[] = []
  while (r.left > 0 && !r.failed) {
    const kind = KINDS[r.u8() - 1]
    const der = r.take(r.u32()).slice()
    if (kind === undefined || r.failed) break
    proofs.push({ kind, der })
  }
  return proofs
}
