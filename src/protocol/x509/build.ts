/** Putting presented certificates in order (RFC 4158, in small). */
import { sameBytes } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { Certificate } from './certificate.ts'
import { certificateText, nameText } from './certificate.ts'
import { sameName } from './name.ts'

/** Leaf first, anchor last. */
export type Path = readonly Certificate[]

/** Candidates judged at most; cross-certified authorities give two or three. */
const PATHS_LIMIT = 32
/** Extensions of a path tried at most. */
const STEPS_LIMIT = 512

/** All paths from `leaf` to an anchor by names and key identifiers, shortest first. Signatures are not looked at. */
export function findPaths(leaf: Certificate, others: readonly Certificate[], anchors: readonly Certificate[]): Result<Path[]> {
  const found: Path[] = []
  let steps = 0
  let open: Path[] = [[leaf]]
  let longest: Path = [leaf]
  while (open.length > 0 && found.length < PATHS_LIMIT) {
    const longer: Path[] = []
    for (const path of open) {
      const top = path.at(-1)!
      longest = path
      for (const anchor of anchors) if (couldIssue(anchor, top) && found.length < PATHS_LIMIT) found.push([...path, anchor])
      for (const other of others) {
        if (!couldIssue(other, top) || path.some((c) => sameBytes(c.der, other.der)) || anchors.some((a) => sameBytes(a.der, other.der))) continue
        steps += 1
        if (steps <= STEPS_LIMIT) longer.push([...path, other])
      }
    }
    open = longer
  }
  if (found.length > 0) return ok(found)
  const top = longest.at(-1)!
  return err('IDENTITY_UNKNOWN_ISSUER', `${certificateText(leaf)}, ${sameName(top.issuer, top.subject) ? 'signed by itself' : `issued by "${nameText(top.issuer)}"`}`)
}

/** RFC 5280 §6.1.3 (a)(4), §4.2.1.1: names must chain; key identifiers, where both are given, must agree. */
function couldIssue(issuer: Certificate, subject: Certificate): boolean {
  if (!sameName(issuer.subject, subject.issuer)) return false
  const wanted = subject.extensions.authorityKeyId
  const own = issuer.extensions.subjectKeyId
  if (wanted?.keyId !== undefined && own !== undefined && wanted.keyId !== own) return false
  return wanted?.serial === undefined || wanted.serial === issuer.serial
}
