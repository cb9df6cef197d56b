import type { FaultEntry } from './index.ts'

export const configFaults = {
  CONFIG_INTERNAL: { what: 'Internal error in the config layer', todo: 'Please report it with the log.' },
  CONFIG_UNREADABLE: { what: 'The configuration file cannot be read', todo: 'Check the path and the permissions.' },
  CONFIG_NOT_YAML: { what: 'The configuration file is not valid YAML', todo: 'Correct the line that is named; two spaces indent a level.' },
  CONFIG_INVALID: { what: 'The configuration has wrong entries', todo: 'Correct the keys that are named; docs/operations.md lists all of them.' },
} as const satisfies Record<string, FaultEntry>
