import type { FaultEntry } from './index.ts'

export const pageFaults = {
  PAGE_LISTEN: { what: 'The page cannot be offered on this machine', todo: 'End the program that holds the port, or name another with `page: { port: … }`.' },
  PAGE_COMMAND: { what: 'The page asked for something that the client does not know', todo: 'Reload the page; if that does not help, please report it.' },
  PAGE_NO_CALL: { what: 'This call is over', todo: 'Dial again.' },
  PAGE_CALL_CHANGED: { what: 'The call has changed in the meantime', todo: 'Look at what is said of it now, and decide again.' },
  PAGE_ELSEWHERE: { what: 'Another window of this page has the microphone', todo: 'Go on there, or take the call over to this window.' },
  PAGE_NOBODY: { what: 'Nobody with this key was met', todo: 'Look the person up in a call, or among the people on the page.' },
  PAGE_NOT_SET_UP: { what: 'This client is not set up yet', todo: 'Finish the set-up first.' },
  PAGE_SET_UP: { what: 'This client is set up already', todo: 'Change its configuration file and start it anew.' },
  SETUP_ADDRESS: { what: 'This is not the address of a server', todo: 'It looks like talk.example.org or talk.example.org:7443.' },
  SETUP_NO_SERVER: { what: 'Your certificate is here, but the invitation names no server', todo: 'Ask whoever invited you for its address, and type it here.' },
  SETUP_KEY_EXISTS: { what: 'Another private key lies where this set-up keeps its own', todo: 'Move that file away, or set up with another configuration (--config); nothing was overwritten.' },
  SETUP_NO_ANCHOR: { what: 'The certificate of the authority is missing', todo: 'Choose its file as well: the authority is whom everybody trusts, and says who belongs.' },
  PAGE_BUILD: { what: 'The page could not be built', todo: 'Run "npm install" (with development dependencies) and then "npm run build:page".' },
} as const satisfies Record<string, FaultEntry>
