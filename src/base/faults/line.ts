import type { FaultEntry } from './index.ts'

/** Of calls that the page's own phone makes with an account at a telephone system. */
export const lineFaults = {
  LINE_BUSY: { what: 'The other side is busy', todo: 'Call again later.' },
  LINE_NO_ANSWER: { what: 'Nobody answers', todo: 'Call again later.' },
  LINE_DECLINED: { what: 'The call was declined', todo: 'Call again later, or write to them.' },
  LINE_NO_NUMBER: { what: 'The telephone system does not know this number', todo: 'Check the number. Rooms have the room prefix in front.' },
  LINE_NOT_THERE: { what: 'Nobody can be reached under this number now', todo: 'Call again later: their phone is off or away.' },
  LINE_PASSWORD: { what: 'The telephone system does not take the account of the page’s phone', todo: 'Check user and password under `page.account` in the configuration with whoever runs the telephone system.' },
  LINE_NO_SERVICE: { what: 'The telephone system cannot be reached', todo: 'The client goes on trying; "stc doctor" says where it ends.' },
  LINE_REFUSED: { what: 'The telephone system refuses the call', todo: 'The reason is in the message; ask whoever runs the telephone system.' },
  LINE_NO_CODEC: { what: 'The two sides have no common codec', todo: 'Allow G.722 or G.711 for this account at the telephone system.' },
  LINE_NOT_TRANSFERRED: { what: 'The call could not be passed on', todo: 'It is still yours: check the number, or ask whoever runs the telephone system whether transfer is allowed.' },
  LINE_NONE: { what: 'The page’s phone has no account', todo: 'Put user and password of an extension under `page.account` in the configuration.' },
  LINE_OVER: { what: 'This call has ended already', todo: 'Nothing: whoever called can call again.' },
} as const satisfies Record<string, FaultEntry>
