/** A small SIP phone over a real UDP socket: registers and calls with digest, and shows every message that came. */
import { createHash } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { within } from './processes.ts'

export interface SipReply {
  readonly status: number
  readonly method: string
  readonly text: string
  readonly body: string
}

export class UdpPhone {
  readonly address: string
  readonly user: string
  readonly #socket: Socket
  readonly #server: { readonly address: string; readonly port: number }
  readonly #password: string | undefined
  readonly #replies: SipReply[] = []
  readonly #callId: string
  /** What came of requests, whole. */
  readonly requests: string[] = []
  readonly #waiting: (() => void)[] = []
  #closed = false
  #cseq = 0
  /** Of the INVITE that came last. */
  #invited = 0
  #to = ''
  #authorization = ''
  #nonceCount = 0

  private constructor(socket: Socket, address: string, server: { address: string; port: number }, user: string, password?: string) {
    this.#socket = socket
    this.address = address
    this.#server = server
    this.user = user
    this.#password = password
    this.#callId = `call-${this.port}`
    socket.on('message', (data) => this.#take(data.toString('utf8')))
  }
  static async open(address: string, server: { address: string; port: number }, user: string, password?: string): Promise<UdpPhone> {
    const socket = createSocket('udp4').bind(0, address)
    await once(socket, 'listening')
    return new UdpPhone(socket, address, server, user, password)
  }
  get port(): number {
    return this.#socket.address().port
  }
  close(): void {
    this.#closed = true
    this.#socket.close()
  }
  /** 0 seconds: takes its address away again. */
  register(seconds = 600): Promise<SipReply> {
    return this.#ask('REGISTER', `sip:${this.#server.address}:${this.#server.port}`, [`Expires: ${seconds}`])
  }
  /** Gives the final response, acknowledged; provisional ones that ask for it get a PRACK. */
  async invite(target: string, sdp: string, headers: readonly string[] = []): Promise<SipReply> {
    const uri = this.#uri(target)
    const reply = await this.#ask('INVITE', uri, [...headers, 'Content-Type: application/sdp'], sdp)
    this.#to = toOf(reply.text)
    this.#send('ACK', uri, [], '', this.#invited)
    return reply
  }
  /** Any request inside the call. */
  inside(target: string, method: string, headers: readonly string[], body = ''): Promise<SipReply> {
    return this.#ask(method, this.#uri(target), headers, body)
  }
  async bye(target: string): Promise<SipReply> {
    return this.#ask('BYE', `sip:${target}@${this.#server.address}:${this.#server.port}`, [])
  }

  async #ask(method: string, uri: string, headers: readonly string[], body = ''): Promise<SipReply> {
    const first = await this.#once(method, uri, headers, body)
    if (first.status !== 401 || this.#password === undefined) return first
    if (method === 'INVITE') this.#send('ACK', uri, [], '', this.#invited)
    const challenges = [...first.text.matchAll(/^WWW-Authenticate: *(Digest .*)$/gim)].map((m) => m[1]!)
    const strong = challenges.find((c) => /algorithm=SHA-256/i.test(c))
    const challenge = strong ?? challenges[0] ?? ''
    const algorithm = strong === undefined ? 'MD5' : 'SHA-256'
    const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(challenge)?.[1] ?? ''
    const h = (text: string): string => createHash(algorithm === 'MD5' ? 'md5' : 'sha256').update(text).digest('hex')
    const nc = String(++this.#nonceCount).padStart(8, '0')
    const response = h(`${h(`${this.user}:${field('realm')}:${this.#password}`)}:${field('nonce')}:${nc}:abcd:auth:${h(`${method}:${uri}`)}`)
    const opaque = field('opaque') === '' ? '' : `, opaque="${field('opaque')}"`
    this.#authorization = `Authorization: Digest username="${this.user}", realm="${field('realm')}", nonce="${field('nonce')}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="abcd", response="${response}"${opaque}`
    return this.#once(method, uri, [...headers, this.#authorization], body)
  }
  async #once(method: string, uri: string, headers: readonly string[], body: string): Promise<SipReply> {
    const cseq = ++this.#cseq
    if (method === 'INVITE') this.#invited = cseq
    const send = (): void => this.#send(method, uri, headers, body, cseq)
    send()
    const again = setInterval(() => {
      if (method !== 'INVITE' || !this.#replies.some((r) => isAnswer(r, cseq, method))) send()
    }, 1000)
    try {
      return await within(15_000, `answer to ${method}`, this.#final(cseq, method))
    } finally {
      clearInterval(again)
    }
  }
  async #final(cseq: number, method: string): Promise<SipReply> {
    for (;;) {
      const reply = this.#replies.find((r) => r.status >= 200 && isAnswer(r, cseq, method))
      if (reply !== undefined) return reply
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }
  #send(method: string, uri: string, headers: readonly string[], body: string, cseq: number): void {
    if (this.#closed) return
    const own = `${this.address}:${this.port}`
    const to = method === 'REGISTER' || this.#to === '' ? `<sip:${method === 'REGISTER' ? this.user : 'room'}@${this.#server.address}>` : this.#to
    this.#socket.send([
      `${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${this.port}.${method}.${cseq};rport`, 'Max-Forwards: 70',
      `From: <sip:${this.user}@${this.#server.address}>;tag=f${this.port}`, `To: ${to}`, `Call-ID: ${this.#callId}`, `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${this.user}@${own}>`, ...headers, `Content-Length: ${body.length}`, '', body,
    ].join('\r\n'), this.#server.port, this.#server.address)
  }
  #take(text: string): void {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? 0)
    if (status === 0) return this.#answer(text)
    this.#replies.push({ status, method: /^CSeq: \d+ (\w+)/im.exec(text)?.[1] ?? '', text, body: text.slice(text.indexOf('\r\n\r\n') + 4) })
    for (const wake of this.#waiting.splice(0)) wake()
    const rseq = /^RSeq: (\d+)/im.exec(text)?.[1]
    if (status < 200 && rseq !== undefined) this.#acknowledge(text, rseq)
  }
  /** RFC 3262 §4. */
  #acknowledge(text: string, rseq: string): void {
    this.#to = toOf(text)
    // Who wants to know looks for the answer among the replies.
    this.#ask('PRACK', this.#uri('early'), [`RAck: ${rseq} ${this.#invited} INVITE`]).catch(() => {})
  }
  #uri(target: string): string {
    return `sip:${target}@${this.#server.address}:${this.#server.port}`
  }
  get replies(): readonly SipReply[] {
    return this.#replies
  }
  subscribe(target: string, event: string, accept: string): Promise<SipReply> {
    return this.#ask('SUBSCRIBE', `sip:${target}@${this.#server.address}:${this.#server.port}`, [`Event: ${event}`, `Accept: ${accept}`, 'Expires: 600'])
  }
  /** Requests of the other side (BYE, NOTIFY, OPTIONS) are well. */
  #answer(text: string): void {
    this.requests.push(text)
    const keep = text.split('\r\n').filter((l) => /^(Via|From|To|Call-ID|CSeq):/i.test(l))
    if (!text.startsWith('ACK ')) this.#socket.send(['SIP/2.0 200 OK', ...keep, 'Content-Length: 0', '', ''].join('\r\n'), this.#server.port, this.#server.address)
  }
}

const toOf = (text: string): string => /^To: (.*)$/m.exec(text)?.[1]?.trim() ?? ''
const isAnswer = (r: SipReply, cseq: number, method: string): boolean => new RegExp(`^CSeq: ${cseq} ${method}\\b`, 'im').test(r.text)

export const sdpOffer = (address: string, port: number, lines: readonly string[]): string =>
  ['v=0', `o=p 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', ...lines.map((l) => l.replace('PORT', String(port))), ''].join('\r\n')
