/** The page's phone with an account at a scripted provider, both halves of the relay in its client; nothing is moved but SIP. Virtual time. */
import { utf8 } from '../../src/base/bytes.ts'
import { Secret } from '../../src/base/secret.ts'
import type { CallKind } from '../../src/client/call.ts'
import type { RunningCall } from '../../src/client/calls.ts'
import { Client } from '../../src/client/client.ts'
import { BrowserHandset } from '../../src/client/handset/browser/handset.ts'
import { SipHandset } from '../../src/client/handset/sip/handset.ts'
import { lineKind } from '../../src/client/kinds/line/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { MediaCommand, MediaEvent } from '../../src/media/api.ts'
import type { SipRequest } from '../../src/protocol/sip/index.ts'
import type { SrtpPolicy } from '../../src/client/handset/sip/index.ts'
import type { PbxTransport, TransportName } from '../../src/telephony/index.ts'
import { FakeVault } from './fake-vault.ts'
import { pbxAt, pbxSdp, uriOf } from './relay-world.ts'
import { headerOf, ScriptedPhone, sdpOf, SimSipTransport, tagOf } from './sip-phone.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Calls that say that they are sealed, of those that `claims`. */
export const boastingKind = (claims: (outgoing: boolean) => boolean): CallKind => ({
  claims: (t) => t.kind === 'call' && claims(t.outgoing === true),
  start: (t) => ({
    step: (input, now) => ({
      out: input.kind === 'start' ? [{ kind: 'event', event: { kind: 'sealed-call', at: now, number: t.room, state: 'sealed', words: [] } }]
        : input.kind === 'leave' || (input.kind === 'dialog' && input.news.kind === 'over') ? [{ kind: 'over', reason: 'the call is over' }] : [],
    }),
  }),
})

/** `through`: what leads over the trunk; left out: it always does. */
export function lineAtProvider(seals: (outgoing: boolean) => boolean, kind = boastingKind(seals), through?: (clock: VirtualClock, trunk: PbxTransport) => PbxTransport) {
  const clock = new VirtualClock()
  const trunk = new SimSipTransport('UDP', clock, { address: '10.0.0.1', port: 5080 })
  const provider = new ScriptedPhone(trunk, clock, { ...pbxAt, user: 'provider', callId: 'from-provider' })
  let watcher: (up: boolean) => void = () => {}
  const direct = Object.assign(trunk, { way: () => ({ transport: 'UDP' as const, local: trunk.local, remote: pbxAt }), watch: (l: typeof watcher) => void (watcher = l) })
  const transport = through?.(clock, direct) ?? direct
  const media: MediaCommand[] = []
  const reports: string[] = []
  /** What the call of the page's phone was shown as, whenever anything happened. */
  const shown: boolean[] = []
  let tell: (e: MediaEvent) => void = () => {}
  const look = (): void => {
    const own = client.calls.find((c) => c.line !== undefined)
    if (own !== undefined) shown.push(client.shownBy(own) !== own)
  }
  const client: Client = new Client({
    vault: new FakeVault({}),
    media: {
      command: (c) => {
        media.push(c)
        if (c.op === 'phone.open') clock.at(clock.now(), () => tell({ op: 'phone.opened', phone: c.phone, local: { address: c.media.kind === 'stream' ? '' : '127.0.0.1', port: c.media.kind === 'stream' ? 0 : 20_000 + c.phone } }))
        if (c.op === 'call.open') clock.at(clock.now(), () => tell({ op: 'call.opened', call: c.call, rtp: { address: '127.0.0.1', port: 30_000 + 2 * c.call }, rtcp: { address: '127.0.0.1', port: 30_001 + 2 * c.call } }))
      },
      subscribe: (l) => {
        tell = l
        return { [Symbol.dispose]: () => {} }
      },
    },
    crypto: createNodeCrypto(), scheduler: clock, agent: 'test', kinds: [kind, lineKind()],
    dialPlan: { roomPrefix: '8', roomNames: {}, emergencyNumbers: ['112'] },
    upstream: {
      report: (f) => void reports.push(f.code), account: { user: '100', domain: 'provider.example', password: new Secret(utf8('secret')) },
      providers: { ways: [{ domains: ['provider.example'], transport }], tokenKey: new Uint8Array(32), speaksInside: false },
    },
    observer: { onEvent: look, onShown: look, onOver: look },
  })
  const browser = new BrowserHandset('browser', { change: () => {}, sound: () => {} })
  client.addHandset(browser)
  provider.answer = (r: SipRequest) => (r.method === 'REGISTER' ? { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] } : r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 })
  const pass = (ms = 100): Promise<void> => clock.advance(ms)
  const invites = (): SipRequest[] => provider.requests.filter((r) => r.method === 'INVITE')
  const world = {
    clock, provider, client, browser, media, reports, shown, pass, invites,
    /** The way to the provider is there, or not. */
    way: (up: boolean) => watcher(up),
    contact: (): string => uriOf(headerOf(provider.requests.findLast((r) => r.method === 'REGISTER')!, 'Contact')!),
    /** A softphone beside it, registered at the provider, that takes whatever call comes; gives its contact there. */
    async softphone(): Promise<string> {
      await world.desk()
      return world.contact()
    },
    /** `address`: where it is, when not on this machine. */
    async desk({ transport = 'UDP' as TransportName, address = '127.0.0.1', ...settings }: { readonly transport?: TransportName; readonly address?: string; readonly srtp?: SrtpPolicy } = {}): Promise<ScriptedPhone> {
      const phones = new SimSipTransport(transport, clock)
      client.addHandset(new SipHandset({ line: 'desk', scheduler: clock, crypto: createNodeCrypto(), users: new Map(), isEmergency: (n) => n === '112', upstream: client.upstream!.relay, ...settings }, { transports: [phones], hostFor: () => phones.local.address }))
      const phone = new ScriptedPhone(phones, clock, { user: '101', address })
      phone.answer = () => ({ status: 200, body: sdpOf(['m=audio 17000 RTP/AVP 0'], address) })
      phone.send('REGISTER', { uri: 'sip:provider.example', to: '<sip:101@provider.example>', headers: ['Expires: 300'] })
      await pass(100)
      return phone
    },
    /** The provider calls the page's phone. */
    rings(contact: string, callId: string, n: number): void {
      provider.raw([
        `INVITE ${contact} SIP/2.0`, `Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKr${n}`, 'Max-Forwards: 70', `From: <sip:103@provider.example>;tag=r${n}`, `To: <${contact}>`, `Call-ID: ${callId}`, 'CSeq: 1 INVITE',
        'Contact: <sip:provider@10.0.0.9:5060>', 'Content-Type: application/sdp', `Content-Length: ${pbxSdp.length}`, '', pbxSdp,
      ].join('\r\n'))
    },
    async connected(): Promise<{ own: RunningCall; invite: SipRequest }> {
      browser.dial('102')
      await pass(300)
      return { own: client.calls.find((c) => c.line !== undefined)!, invite: invites().find((r) => tagOf(r.to) === '')! }
    },
  }
  return world
}
