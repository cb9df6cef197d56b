import type { FaultEntry } from './index.ts'

export const configFaults = {
  CONFIG_INTERNAL: { what: 'Internal error in the config layer', todo: 'Please report it with the log.' },
  CONFIG_UNREADABLE: { what: 'The configuration file cannot be read', todo: 'Check the path and the permissions.' },
  CONFIG_SYNTAX: { what: 'The configuration file is not valid YAML', todo: 'Correct the line named.' },
  CONFIG_WRONG: { what: 'The configuration has a wrong entry', todo: 'Correct the entry named.' },
  CONFIG_CREDENTIALS: { what: 'A certificate or key file cannot be used', todo: 'Check the file named: PEM, readable, and the key must belong to the certificate.' },
  CONFIG_NO_ADMIN: { what: 'The server has no admin address', todo: 'Put "admin: {}" into its configuration and start it again.' },
  CONFIG_LISTEN: { what: 'The server cannot listen at its address', todo: 'Choose another address or port, or end the program that holds it.' },
} as const satisfies Record<string, FaultEntry>
