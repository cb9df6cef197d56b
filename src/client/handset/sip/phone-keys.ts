/** When a phone's sound may be SRTP: one rule for its calls into rooms and for those that are relayed. */
import { sdesSuites } from '../../../protocol/sdp/index.ts'
import type { SipFlow } from '../../../telephony/index.ts'
import type { KeyRules } from '../../../telephony/relay/index.ts'
import { keysAreSafe, type SrtpPolicy } from './options.ts'

/** `help`: a call for help, which nobody's rules keep from its way. */
export function keyRules(policy: SrtpPolicy, flow: SipFlow, help: boolean, fresh: KeyRules['fresh']): KeyRules {
  const barred = policy === 'off' ? 'the policy is off' : keysAreSafe(flow) ? undefined : 'the signalling is not encrypted'
  return {
    suites: sdesSuites, fresh: help ? () => true : fresh, required: policy === 'required' && !help,
    // On this machine there is nothing to protect: a phone that wants keys there asks for them.
    offers: barred === undefined && (policy === 'required' || flow.transport === 'TLS'),
    ...(barred === undefined ? {} : { barred }),
  }
}
