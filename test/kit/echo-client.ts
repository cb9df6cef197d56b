/**
 * The smallest client that a handset can be tested with: answers by the dialled name and sends the
 * phone's own sound back to it. No keys, no server.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { CallRef, Handset, HandsetEvent } from '../../src/client/handset/port.ts'
import type { RtpPhoneMedia } from '../../src/media/api.ts'
import { until } from './processes.ts'

interface EchoCall {
  readonly socket: Socket
  echoed: number
  media: RtpPhoneMedia
}

/** `ring…` rings and is never answered, `slow…` a moment later, `refuse…` gets 403; all else is answered and echoed. */
export class EchoClient {
  readonly events: HandsetEvent[] = []
  readonly #handset: Handset
  readonly #calls = new Map<CallRef, EchoCall>()
  #seen = 0

  constructor(handset: Handset) {
    this.#handset = handset
    handset.subscribe((e) => {
      this.events.push(e)
      void this.#on(e)
    })
  }

  /** Packets that went back to the phone so far. */
  echoed(call: CallRef): number {
    return this.#calls.get(call)?.echoed ?? 0
  }

  get calls(): readonly CallRef[] {
    return [...this.#calls.keys()]
  }

  /** The next event of a kind after the one asked for last. */
  async next<K extends HandsetEvent['kind']>(kind: K, timeoutMs = 15_000): Promise<Extract<HandsetEvent, { kind: K }>> {
    const found = await until(timeoutMs, `"${kind}" of the handset`, () => {
      const at = this.events.findIndex((e, i) => i >= this.#seen && e.kind === kind)
      return at < 0 ? undefined : at
    }, () => this.events.map((e) => JSON.stringify(e)).join('\n'))
    this.#seen = found + 1
    return this.events[found] as Extract<HandsetEvent, { kind: K }>
  }

  hangup(call: CallRef): void {
    this.#handset.command({ kind: 'hangup', call, reason: 'the test says so' })
  }

  stop(): void {
    for (const c of this.#calls.values()) c.socket.close()
    this.#calls.clear()
    this.#handset[Symbol.dispose]()
  }

  async #on(e: HandsetEvent): Promise<void> {
    if (e.kind === 'dial') await this.#dial(e)
    else if (e.kind === 'media' && e.media.kind === 'rtp') {
      const call = this.#calls.get(e.call)
      if (call !== undefined) call.media = e.media
    } else if (e.kind === 'ended') {
      this.#calls.get(e.call)?.socket.close()
      this.#calls.delete(e.call)
    }
  }

  async #dial(e: Extract<HandsetEvent, { kind: 'dial' }>): Promise<void> {
    if (e.media.kind !== 'rtp') throw new Error('a SIP handset dials with RTP')
    if (e.target.startsWith('refuse')) {
      this.#handset.command({ kind: 'refuse', call: e.call, status: 403, reason: 'Not on the list' })
      return
    }
    this.#handset.command({ kind: 'ringing', call: e.call })
    if (e.target.startsWith('ring')) return
    if (e.target.startsWith('slow')) await new Promise((resolve) => setTimeout(resolve, 300))
    const call: EchoCall = { socket: createSocket('udp4'), echoed: 0, media: e.media }
    this.#calls.set(e.call, call)
    call.socket.on('message', (packet) => echo(call, packet))
    call.socket.bind(0, '127.0.0.1')
    await once(call.socket, 'listening')
    this.#handset.command({ kind: 'answer', call: e.call, local: { address: '127.0.0.1', port: call.socket.address().port } })
  }
}

/** RTP of the voice codec goes back under another SSRC (RFC 3550 §5.1); RTCP and key presses do not. */
function echo(call: EchoCall, packet: Buffer): void {
  if (packet.length < 12 || packet[0]! >> 6 !== 2 || (packet[1]! & 0x7f) !== call.media.payloadType) return
  if (call.media.hold || !call.media.send) return
  call.echoed++
  packet.writeUInt32BE((packet.readUInt32BE(8) ^ 0x5a5a5a5a) >>> 0, 8)
  call.socket.send(packet, call.media.remote.port, call.media.remote.address)
}
