/** Which extensions a phone may speak for: those that the configuration gives its owner, and those in its certificate. */
import { matchesEntry } from '../../model/admit.ts'
import type { SipRequest } from '../../protocol/sip/index.ts'
import { parseUri } from '../../protocol/sip/uri.ts'
import type { VerifiedPath } from '../../protocol/x509/path.ts'
import { userOf } from '../../telephony/relay/index.ts'

export type Owners = Readonly<Record<string, readonly string[]>>

export function mayUse({ identity, path }: Pick<VerifiedPath, 'identity' | 'path'>, owners: Owners, extension: string): boolean {
  if (extension === '') return false
  if (Object.hasOwn(owners, extension)) return owners[extension]!.some((entry) => matchesEntry(entry, identity))
  return (path[0]?.extensions.alternativeNames ?? []).some((n) => n.kind === 'uri' && userOfText(n.text) === extension)
}

/** RFC 5922 §7.1: a SIP URI in the subject alternative name. */
function userOfText(text: string): string | undefined {
  const uri = parseUri(text)
  return uri.ok && uri.value.kind === 'sip' ? userOf(uri.value) : undefined
}

/** In whose name this is: From, and for a registration whom it registers. */
export const namesIn = (request: SipRequest): readonly string[] => (request.method === 'REGISTER' ? [userOf(request.from.uri), userOf(request.to.uri)] : [userOf(request.from.uri)])
