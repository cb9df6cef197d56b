/** A synthetic SIP phone: calls over UDP, sends G.722 every 20 ms on absolute deadlines, hands over what it hears. */
import type { FrameCodec } from '../src/audio/codec.ts'
import { FRAME_SAMPLES, g722Codec } from '../src/audio/codec.ts'
import { utf8 } from '../src/base/bytes.ts'
import { instant } from '../src/base/brand.ts'
import type { AddressPort } from '../src/net/address.ts'
import { nodeUdp } from '../src/net/node-udp.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import type { UdpSocket } from '../src/net/udp.ts'
import { newRtpHeader, parseRtp, writeRtpHeader } from '../src/protocol/rtp/header.ts'
import { looksLikeRtcp } from '../src/protocol/rtp/header.ts'
import { parseMessage } from '../src/protocol/sip/index.ts'
import { ssrc } from '../src/base/brand.ts'

const HOST = '127.0.0.1'
const ANSWER_MS = 20_000
const scheduler = realScheduler()

export interface PhoneCallbacks {
  /** Frame number `n` is about to be sent: fill 320 samples. `nowMs` is when. */
  speak(out: Int16Array, n: number, nowMs: number): void
  /** 320 samples as they came; `timestamp` in samples of 16 kHz since the first packet. */
  hear?(pcm: Int16Array, timestamp: number, nowMs: number): void
}

export class SyntheticPhone {
  readonly #signals: UdpSocket
  readonly #media: UdpSocket
  readonly #to: AddressPort
  readonly #callId = `bench-${process.pid}-${Math.floor(performance.now() * 1000)}`
  readonly #callbacks: PhoneCallbacks
  readonly #encoder: FrameCodec = g722Codec()
  readonly #decoder: FrameCodec = g722Codec()
  #remoteTag = ''
  #answered: (media: AddressPort) => void = () => {}
  #failed: (why: Error) => void = () => {}
  #stopped = false
  received = 0

  private constructor(signals: UdpSocket, media: UdpSocket, to: AddressPort, callbacks: PhoneCallbacks) {
    this.#signals = signals
    this.#media = media
    this.#to = to
    this.#callbacks = callbacks
    signals.onMessage((data) => this.#signal(data))
    media.onMessage((data) => this.#hear(data))
  }

  /** Calls `number` at the client's SIP address; resolves when it is answered and sound flows. */
  static async call(to: AddressPort, number: string, callbacks: PhoneCallbacks): Promise<SyntheticPhone> {
    const udp = nodeUdp()
    const phone = new SyntheticPhone(await udp.bind({ address: HOST, port: 0 }), await udp.bind({ address: HOST, port: 0 }), to, callbacks)
    const media = await phone.#invite(number)
    phone.#talk(media)
    return phone
  }

  async hangup(): Promise<void> {
    this.#stopped = true
    this.#request('BYE', 2)
    await new Promise((resolve) => setTimeout(resolve, 100))
    this.#signals.close()
    this.#media.close()
  }

  #number = ''
  #invite(number: string): Promise<AddressPort> {
    this.#number = number
    const sdp = ['v=0', `o=bench 1 1 IN IP4 ${HOST}`, 's=-', `c=IN IP4 ${HOST}`, 't=0 0', `m=audio ${this.#media.local.port} RTP/AVP 9`, 'a=rtpmap:9 G722/8000', 'a=ptime:20', ''].join('\r\n')
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${number} did not answer within ${ANSWER_MS} ms`)), ANSWER_MS)
      this.#answered = (media) => {
        clearTimeout(timer)
        resolve(media)
      }
      this.#failed = (why) => {
        clearTimeout(timer)
        reject(why)
      }
      this.#request('INVITE', 1, sdp)
    })
  }
  #request(method: string, cseq: number, body = ''): void {
    const { address, port } = this.#signals.local
    const to = `<sip:${this.#number}@${this.#to.address}:${this.#to.port}>`
    this.#signals.send(utf8([
      `${method} sip:${this.#number}@${this.#to.address}:${this.#to.port} SIP/2.0`, `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${this.#callId}-${method}-${cseq};rport`, 'Max-Forwards: 70',
      `From: <sip:bench@${address}>;tag=bench`, `To: ${to}${this.#remoteTag}`, `Call-ID: ${this.#callId}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:bench@${address}:${port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']), `Content-Length: ${utf8(body).length}`, '', body,
    ].join('\r\n')), this.#to)
  }
  #signal(data: Uint8Array): void {
    const parsed = parseMessage(data, { stream: false })
    if (!parsed.ok) return
    const m = parsed.value
    if (m.kind === 'request') return this.#ok(data)
    if (m.cseq.method !== 'INVITE' || m.status < 200) return
    if (m.status >= 300) return this.#failed(new Error(`${this.#number}: ${m.status} ${m.reason}`))
    const tag = /;tag=[^;>\s]+/.exec(m.to.text.slice(m.to.text.lastIndexOf('>') + 1))
    this.#remoteTag = tag?.[0] ?? ''
    this.#request('ACK', 1)
    const text = new TextDecoder().decode(data)
    const port = Number(/^m=audio (\d+) /m.exec(text)?.[1] ?? 0)
    this.#answered({ address: HOST, port })
  }
  /** Keep-alives and re-INVITEs are answered as a phone would. */
  #ok(data: Uint8Array): void {
    const text = new TextDecoder().decode(data)
    const line = (name: string): string[] => text.split('\r\n').filter((l) => l.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    if (text.startsWith('ACK ')) return
    this.#signals.send(utf8(['SIP/2.0 200 OK', ...line('Via'), ...line('From'), ...line('To'), ...line('Call-ID'), ...line('CSeq'), 'Content-Length: 0', '', ''].join('\r\n')), this.#to)
  }

  #talk(media: AddressPort): void {
    const pcm = new Int16Array(FRAME_SAMPLES)
    const packet = new Uint8Array(12 + 160)
    const start = scheduler.now() + 20
    const tick = (n: number): void => {
      if (this.#stopped) return
      this.#callbacks.speak(pcm, n, scheduler.now())
      writeRtpHeader(packet, { marker: n === 0, payloadType: 9, sequence: n & 0xffff, timestamp: (n * 160) >>> 0, ssrc: ssrc(0x5eed) })
      packet.set(this.#encoder.encode(pcm), 12)
      this.#media.send(packet, media)
      scheduler.at(instant(start + (n + 1) * 20), () => tick(n + 1))
    }
    scheduler.at(instant(start), () => tick(0))
  }

  readonly #header = newRtpHeader()
  #firstTimestamp: number | undefined
  #hear(data: Uint8Array): void {
    if (looksLikeRtcp(data, data.length) || parseRtp(data, data.length, this.#header) < 0) return
    const now = scheduler.now()
    this.received++
    const h = this.#header
    this.#firstTimestamp ??= h.timestamp
    const pcm = this.#callbacks.hear === undefined ? undefined : this.#decoder.decode(data.subarray(h.payloadAt, h.payloadAt + h.payloadLength))
    if (pcm !== undefined) this.#callbacks.hear?.(pcm, ((h.timestamp - this.#firstTimestamp) >>> 0) * 2, now)
  }
}
