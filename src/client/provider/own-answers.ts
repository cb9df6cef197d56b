/** What is answered here, in place of the side that it was said to. */
import type { TunnelMessage } from '../../telephony/relay/index.ts'
import { CallDoor, type CallDoorOptions } from './call-door.ts'
import { InfoKeys, type InfoKeysOptions } from './info-keys.ts'

export class OwnAnswers {
  readonly #door: CallDoor
  readonly keys: Pick<InfoKeys, 'gate' | 'closed'>
  /** To a phone. */
  readonly toPhone: (m: TunnelMessage) => TunnelMessage | undefined

  constructor(options: CallDoorOptions & InfoKeysOptions) {
    const keys = new InfoKeys(options)
    this.#door = new CallDoor(options)
    this.keys = keys
    this.toPhone = (m) => this.#door.answer(m) ?? keys.answer(m)
  }
  toProvider(m: TunnelMessage): TunnelMessage | undefined {
    return this.#door.answer(m)
  }
}
