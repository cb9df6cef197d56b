/** Messages of Asterisk's manager interface, from plain records. */
import { AmiMessage } from '../../src/protocol/asterisk/index.ts'

export const amiMessage = (fields: Readonly<Record<string, string>>): AmiMessage => new AmiMessage(Object.entries(fields))
