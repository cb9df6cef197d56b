import type { FaultEntry } from './index.ts'

export const pbxFaults = {
  PBX_INTERNAL: { what: 'Internal error in the coupling to the telephone system', todo: 'Please report it with the log.' },
  PBX_NONE: { what: 'This server has no telephone system behind it', todo: 'Ask who runs it.' },
  PBX_GONE: { what: 'The connection to Asterisk\'s manager interface is lost', todo: 'It is tried again by itself; check that Asterisk runs and that manager.conf lets us in.' },
  PBX_UNREACHABLE: { what: 'Asterisk\'s manager interface cannot be reached', todo: 'Check that Asterisk runs, and address and port in manager.conf and in our configuration.' },
  PBX_SILENT: { what: 'Asterisk does not answer', todo: 'It is tried again by itself; if it stays so, look at Asterisk\'s load.' },
  PBX_SYNTAX: { what: 'What came from the telephone system is not its protocol', todo: 'Check that the port is that of Asterisk.' },
  PBX_TOO_LONG: { what: 'A line or message from the telephone system is longer than allowed', todo: 'Check that the port is that of Asterisk; if it is, please report it.' },
  PBX_LOGIN: { what: 'Asterisk\'s manager interface does not take our name and secret', todo: 'Compare them with manager.conf, and look at its permit and deny lines.' },
  PBX_ACTION: { what: 'Asterisk refused what was asked of it', todo: 'See its reason; the manager account may lack a permission (stc doctor pbx tells).' },
  PBX_BUSY: { what: 'Too many questions wait for an answer of Asterisk', todo: 'Try again in a few seconds.' },
  PBX_SECRET: { what: 'The secret of Asterisk\'s manager account cannot be used', todo: 'pbx.ami.secretFile names a file with that one line, readable by the server; "stc server asterisk-config" writes it.' },
  PBX_LISTEN: { what: 'The port for Asterisk\'s questions (FastAGI) cannot be opened', todo: 'Choose another, or end the program that holds it.' },
  PBX_CERTIFICATE_NEEDED: { what: 'This conference is for callers with a certificate', todo: 'Call through an stc client.' },
  PBX_BLIND: { what: 'The server does not see who is in the conferences, so nobody is let in', todo: 'Check the connection to Asterisk\'s manager interface.' },
  PBX_NOT_LISTED: { what: 'Your certificate is not on the list of this conference', todo: 'Ask who runs the server.' },
  PBX_FULL: { what: 'The conference has as many members as it takes', todo: 'Wait until somebody leaves.' },
  PBX_NOT_HOST: { what: 'Only a host of the conference may do this', todo: 'Hosts are named in the server\'s configuration.' },
  PBX_NO_CONFERENCE: { what: 'You are in no such conference', todo: 'Dial it first.' },
  PBX_NO_MEMBER: { what: 'This member is not in the conference any more', todo: 'Look at the roster again.' },
} as const satisfies Record<string, FaultEntry>
