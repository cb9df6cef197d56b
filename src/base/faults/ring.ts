import type { FaultEntry } from './index.ts'

export const ringFaults = {
  RING_MALFORMED: { what: 'A call that came is not in order, and was not shown', todo: 'If it comes again, whoever calls should update stc, or somebody tries to pass for another.' },
  RING_STALE: { what: 'A call that came is too old or from the future, and was not shown', todo: 'Check the clocks of both sides.' },
  RING_NOT_OURS: { what: 'A call that came was meant for somebody else, and was not shown', todo: 'If it comes again, the server may be in wrong hands: tell whoever runs it.' },
  RING_REPEATED: { what: 'A call that came had come before, and was not shown again', todo: 'If it comes again, the server may be in wrong hands: tell whoever runs it.' },
  RING_ADDRESS: { what: 'This is nobody whom one can call', todo: 'Give the mail address in the certificate of whom you call.' },
  RING_UNREACHABLE: { what: 'Nobody with this address is connected', todo: 'Try later, or tell them on another way.' },
  RING_DECLINED: { what: 'The call was declined', todo: 'Try later, or tell them on another way.' },
  RING_BUSY: { what: 'It rings too often there already', todo: 'Try again in a minute.' },
  RING_UNANSWERED: { what: 'Nobody answered', todo: 'Try later, or tell them on another way.' },
  RING_RATE: { what: 'Too many calls to people in a short time', todo: 'Wait half a minute.' },
  RING_NO_SERVER: { what: 'This server cannot ring anybody', todo: 'Ask whoever runs it to update; until then tell people which room to dial.' },
  RING_OVER: { what: 'This call does not ring any more', todo: 'Call back.' },
} as const satisfies Record<string, FaultEntry>
