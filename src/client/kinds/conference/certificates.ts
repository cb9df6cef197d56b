/** Members whose certificate ends, or is revoked, in the middle of a call. */
import { inSentence } from '../../../model/identity.ts'
import type { GroupView } from '../../../vault/api/calls.ts'
import { showGroup } from './joining.ts'
import { type ConferenceState, inGroup } from './state.ts'

/** Whose certificate ended or was revoked: told once, and nothing of theirs is played from then on. */
export function noteEnded(s: ConferenceState, before: GroupView | undefined, now: GroupView): void {
  for (const m of now.members) {
    if (!now.expired.includes(m.leaf) || before?.expired.includes(m.leaf) === true) continue
    const name = inSentence(m.identity)
    if (now.revoked.includes(m.leaf)) s.note('CLIENT_MEMBER_REVOKED', `the certificate of ${name} has been revoked: ${name} is not heard any more`)
    else s.note('CLIENT_MEMBER_EXPIRED', `the certificate of ${name} has expired: ${name} is not heard any more`)
  }
}

/** Holds everybody's certificate against clock and revocation. */
export function recheck(s: ConferenceState): void {
  if (!inGroup(s)) return
  const session = s.session!
  s.enqueue((done) => {
    s.ask('room.check', { session }, (r) => {
      if (s.session !== session) return
      if (r.ok) {
        const before = s.view
        showGroup(s, r.value.view)
        noteEnded(s, before, r.value.view)
      }
      done()
    })
  })
}

/** After the last second of somebody's certificate. */
const AFTER_MS = 1500

/** Looks again when the next certificate or delegation in the group ends. */
export function watchCertificates(s: ConferenceState): void {
  const end = s.phase === 'left' ? undefined : s.view?.nextEnd
  if (s.watchedEnd === end) return
  s.watchedEnd = end
  if (end === undefined) return s.cancel('certificates')
  s.after('certificates', Math.max(0, end - s.options.unix()) * 1000 + AFTER_MS, () => {
    s.watchedEnd = undefined
    recheck(s)
  })
}
