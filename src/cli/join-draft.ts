/** What an invitation brings, kept until it is in its own place: whoever is interrupted goes on with the same link, and the same key. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { toHex } from '../base/bytes.ts'
import { type Fault, ok, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { Joining } from '../pki/enrolment/join.ts'
import { type Invitation, invitationKeys } from '../pki/enrolment/link.ts'
import { PRIVATE_MODE, replace, unwritable, writeNew } from '../pki/files.ts'
import { decodePem, encodePem } from '../protocol/x509/pem.ts'

export interface JoinDraft {
  readonly joining: Joining
  /** The key lives on in its own file, or is of no use any more. Never throws: what cannot be taken away stays, readable by its owner alone. */
  remove(): void
}

/** In `folder`, named after the invitation: another link has another key. */
export function openDraft(crypto: CryptoPort, invitation: Invitation, folder: string): Result<JoinDraft> {
  const id = toHex(crypto.hash('sha256', new TextEncoder().encode(invitationKeys(crypto, invitation.secret).id))).slice(0, 16)
  const file = path.join(folder, `.stc-join-${id}.key`)
  const there = existsSync(file)
  const before = there ? decodePem(readFileSync(file, 'latin1'))[0]?.bytes : undefined
  if (before !== undefined) return ok({ joining: new Joining(crypto, invitation, before), remove: () => remove(file) })
  const joining = new Joining(crypto, invitation)
  const made = makeFolder(folder)
  // Two at the same time do not take each other's key away; what was being removed is written anew.
  const kept = made.ok ? (there ? replace : writeNew)(file, encodePem('PRIVATE KEY', joining.pkcs8), PRIVATE_MODE) : made
  return kept.ok ? ok({ joining, remove: () => remove(file) }) : kept
}

/** The invitation itself is over. Whatever else went wrong, the authority may know our key by now: it is asked again with the same. */
export const isFinal = ({ code }: Fault): boolean => code.startsWith('IDENTITY_INVITATION_')

function makeFolder(folder: string): Result<void> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return ok(undefined)
  } catch (e) {
    return unwritable(folder, e)
  }
}

function remove(file: string): void {
  if (!existsSync(file)) return
  // Overwritten first: the key lives on in its own file alone.
  replace(file, '', PRIVATE_MODE)
  try {
    rmSync(file, { force: true })
  } catch {
    // Empty by now, unless the disk takes nothing.
  }
}
