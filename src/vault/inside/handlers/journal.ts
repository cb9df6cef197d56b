/** The journal: records out, parts in to be verified and read. */
import type { Handlers } from '../state.ts'

export const journalHandlers: Handlers<'journal.open' | 'journal.append' | 'journal.checkpoint' | 'journal.read'> = {
  'journal.open': async (vault, { parts, head }) => vault.journal.open(parts, head),
  'journal.append': async (vault, { notes }) => vault.journal.append(notes),
  'journal.checkpoint': async (vault) => vault.journal.checkpoint(),
  'journal.read': async (vault, { part, head, from }) => vault.journal.read(part, head, from),
}
