/** `npm run bench -- pki`: enrolments at the authority's desk, and what ten thousand revoked certificates cost. One thread, wall clock. */
import { toHex } from '../src/base/bytes.ts'
import { must } from '../src/base/result.ts'
import { certify, issueRevocationList } from '../src/pki/authority.ts'
import { Joining } from '../src/pki/enrolment/join.ts'
import { Evidence, mergeEvidence, NO_EVIDENCE } from '../src/protocol/x509/evidence.ts'
import { isPathRevoked, makeAnchors, verifyChain } from '../src/protocol/x509/path.ts'
import { AuthorityDesk } from '../test/kit/authority-desk.ts'
import { crypto, newSigner } from '../test/kit/certificates.ts'
import { numberOption, quantile, round } from './_args.ts'
import type { BenchTable } from './run.ts'

const timed = async (times: number, step: (i: number) => unknown): Promise<number[]> => {
  const out: number[] = []
  for (let i = 0; i < times; i++) {
    const from = performance.now()
    await step(i)
    out.push(performance.now() - from)
  }
  return out
}
const row = (what: string, ms: readonly number[]) => ({ what, times: ms.length, 'median ms': round(quantile(ms, 0.5), 2), 'worst ms': round(quantile(ms, 1), 2), 'all, s': round(ms.reduce((a, b) => a + b, 0) / 1000, 2) })

export async function run(args: readonly string[]): Promise<BenchTable> {
  const people = numberOption(args, 'people', 200)
  const revoked = numberOption(args, 'revoked', 10_000)
  const stage = new AuthorityDesk()
  try {
    const joinings = Array.from({ length: people }, (_, i) => new Joining(crypto, stage.invite(`Person ${i}`, { confirmed: true })))
    const enrolments = await timed(people, async (i) => must(await joinings[i]!.ask(stage.ask, stage.now)))
    const { ca } = stage.options
    const entries = Array.from({ length: revoked }, () => ({ serial: toHex(crypto.bytes(16)), when: stage.now }))
    const making = await timed(5, () => issueRevocationList(ca, entries, 2, stage.now))
    const der = issueRevocationList(ca, entries, 2, stage.now)
    const merging = await timed(20, () => mergeEvidence(NO_EVIDENCE, [{ kind: 'crl', der }]))
    const anchors = must(makeAnchors([stage.options.root]))
    const chains = Array.from({ length: people }, (_, i) => certify(ca, newSigner().spki, { name: `Person ${i}`, kind: 'member', now: stage.now }))
    const evidence = must(Evidence.of([{ kind: 'crl', der }]))
    const judging = await timed(people, (i) => must(verifyChain(crypto, chains[i]!, anchors, evidence, stage.now, 'member', 'named')))
    const empty = must(Evidence.of([{ kind: 'crl', der: issueRevocationList(ca, [], 1, stage.now) }]))
    const judgingEmpty = await timed(people, (i) => must(verifyChain(crypto, chains[i]!, anchors, empty, stage.now, 'member', 'named')))
    const paths = chains.map((c) => must(verifyChain(crypto, c, anchors, evidence, stage.now, 'member', 'named')).path)
    const again = await timed(20, () => {
      const fresh = must(Evidence.of([{ kind: 'crl', der }]))
      return paths.filter((p) => isPathRevoked(crypto, p, fresh, stage.now)).length
    })
    return {
      name: `pki, ${people} people, ${revoked} revoked`,
      rows: [
        row('one enrolment at the desk (request, files on disk, certificate, check)', enrolments), row(`list of ${revoked} made and signed (${Math.round(der.length / 1024)} kB)`, making),
        row('list taken in by a vault', merging), row(`path judged with that list`, judging), row('path judged with an empty list', judgingEmpty), row(`new list: ${people} members looked at again, list read anew`, again),
      ],
    }
  } finally {
    stage.close()
  }
}
