/** The SIP handset against phones that were not written by us, with a client behind it that only echoes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { must } from '../../src/base/result.ts'
import { createSipHandset } from '../../src/client/handset/sip/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { EchoClient } from '../kit/echo-client.ts'
import { hears } from '../kit/hears.ts'
import { type Baresip, startBaresip } from '../kit/phones/baresip.ts'
import { startLinphonec } from '../kit/phones/linphonec.ts'
import type { Phone, PhoneCodecName, PhoneOptions } from '../kit/phones/phone.ts'
import { until } from '../kit/processes.ts'
import { tone, } from '../kit/tones.ts'
import { writeWav } from '../kit/wav.ts'
import { freePorts } from '../kit/free-ports.ts'
import { needs, type Tool } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-handset-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const microphone = path.join(folder, 'microphone.wav')
const hz = 1033
writeWav(microphone, tone(hz, { rate: 16000, seconds: 240 }))

interface Desk {
  readonly client: EchoClient
  readonly sip: { readonly address: string; readonly port: number }
  uri(target: string): string
}

async function desk(t: TestContext, livenessMs = 15_000): Promise<Desk> {
  const port = await freePorts(4)
  const handset = must(
    await createSipHandset({
      line: 'desk', scheduler: realScheduler(), crypto: createNodeCrypto(), users: new Map(),
      bind: { address: '127.0.0.1', port }, transports: ['UDP', 'TCP'], livenessMs, srtp: 'offered',
    }),
  )
  const client = new EchoClient(handset)
  t.after(() => client.stop())
  return { client, sip: { address: '127.0.0.1', port }, uri: (target) => `sip:${target}@127.0.0.1:${port}` }
}

/** Its own tone came back, loud, within the last moments. */
async function hearsItself(phone: Phone, length = 2): Promise<void> {
  await hears(phone, hz, { look: length - 0.6 })
}

interface Kind {
  readonly name: string
  readonly tool: Tool
  start(o: PhoneOptions & { sipPort?: number }): Promise<Phone & { readonly sipPort: number }>
}
const kinds: Kind[] = [
  { name: 'baresip', tool: 'baresip', start: startBaresip },
  { name: 'linphonec', tool: 'linphonec', start: startLinphonec },
]

for (const kind of kinds) {
  for (const codec of ['g722', 'pcmu', 'pcma', 'opus'] satisfies PhoneCodecName[]) {
    test(`${kind.name} registers, calls in ${codec}, is heard, and hangs up`, { timeout: 300_000 }, async (t) => {
      if (!needs(t, kind.tool)) return
      const d = await desk(t)
      const phone = await kind.start({ name: 'anna', codecs: [codec], microphone, registrar: d.sip })
      t.after(() => phone.stop())
      await phone.events.next('registered')
      assert.match((await d.client.next('registered')).contact, /^anna@127\.0\.0\.1:/)
      phone.dial(d.uri('8100'))
      const dialled = await d.client.next('dial')
      assert.equal(dialled.target, '8100')
      assert.equal(dialled.media.kind === 'rtp' && dialled.media.codec, codec)
      await phone.events.next('established')
      await hearsItself(phone)
      phone.hangup()
      assert.equal((await d.client.next('ended')).call, dialled.call)
      await phone.events.next('closed')
      await phone.stop()
      await d.client.next('unregistered')
    })
  }

  test(`${kind.name} holds and resumes`, { timeout: 300_000 }, async (t) => {
    if (!needs(t, kind.tool)) return
    const d = await desk(t)
    const phone = await kind.start({ name: 'anna', codecs: ['g722', 'pcmu'], microphone, registrar: d.sip })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(d.uri('8100'))
    await phone.events.next('established')
    await hearsItself(phone, 1.5)
    phone.events.skip()
    phone.hold()
    const held = await d.client.next('media')
    assert.equal(held.media.kind === 'rtp' && held.media.hold, true)
    await phone.events.next('media')
    phone.resume()
    const back = await d.client.next('media')
    assert.equal(back.media.kind === 'rtp' && back.media.hold, false)
    assert.equal(back.media.kind === 'rtp' && back.media.send, true)
    // baresip 1.0 records nothing after a hold; its sound flows again all the same.
    if (kind.name !== 'baresip') return hearsItself(phone)
    const before = d.client.echoed(back.call)
    await until(15_000, 'sound after the hold', () => d.client.echoed(back.call) > before + 100 || undefined)
  })

  test(`${kind.name} gives up while it rings`, { timeout: 300_000 }, async (t) => {
    if (!needs(t, kind.tool)) return
    const d = await desk(t)
    const phone = await kind.start({ name: 'anna', codecs: ['g722'], microphone, registrar: d.sip })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(d.uri('ring'))
    await phone.events.next('ringing')
    phone.hangup()
    await d.client.next('ended')
    await phone.events.next('closed')
  })

  test(`${kind.name} is refused, and is hung up on`, { timeout: 300_000 }, async (t) => {
    if (!needs(t, kind.tool)) return
    const d = await desk(t)
    const phone = await kind.start({ name: 'anna', codecs: ['g722'], microphone, registrar: d.sip })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(d.uri('refuse'))
    const refused = await phone.events.next('closed')
    if (kind.name === 'baresip') assert.match(refused.reason, /403/)
    phone.dial(d.uri('8100'))
    await phone.events.next('established')
    d.client.hangup(d.client.calls[0]!)
    await phone.events.next('closed')
  })

  test(`${kind.name} loses its power, is missed, comes back and calls again`, { timeout: 300_000 }, async (t) => {
    if (!needs(t, kind.tool)) return
    const d = await desk(t, 1000)
    const phone = await kind.start({ name: 'anna', codecs: ['g722'], microphone, registrar: d.sip })
    t.after(() => phone.stop())
    await phone.events.next('registered')
    phone.dial(d.uri('8100'))
    const first = await d.client.next('dial')
    await phone.events.next('established')
    await phone.kill()
    // The OPTIONS inside the dialog find nobody: at most one interval and 64·T1 later the call is over.
    assert.equal((await d.client.next('ended', 45_000)).call, first.call)
    const again = await kind.start({ name: 'anna', codecs: ['g722'], microphone, registrar: d.sip, sipPort: phone.sipPort })
    t.after(() => again.stop())
    await again.events.next('registered')
    again.dial(d.uri('8100'))
    assert.equal((await d.client.next('dial')).contact, first.contact)
    await again.events.next('established')
    await hearsItself(again)
  })
}

test('a baresip that starts anew on its old port is the same contact while its first call still stands', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const d = await desk(t)
  const start = (sipPort?: number): Promise<Baresip> => startBaresip({ name: 'anna', codecs: ['g722'], microphone, registrar: d.sip, ...(sipPort === undefined ? {} : { sipPort }) })
  const phone = await start()
  t.after(() => phone.stop())
  await phone.events.next('registered')
  phone.dial(d.uri('8100'))
  const first = await d.client.next('dial')
  await phone.events.next('established')
  await phone.kill()
  const again = await start(phone.sipPort)
  t.after(() => again.stop())
  await again.events.next('registered')
  again.dial(d.uri('8100'))
  const second = await d.client.next('dial')
  assert.equal(second.contact, first.contact)
  assert.notEqual(second.call, first.call)
})

test('baresip over TCP, and with SDES-SRTP', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const d = await desk(t)
  const phone = await startBaresip({ name: 'anna', codecs: ['g722'], microphone, registrar: { ...d.sip, transport: 'tcp' }, srtp: true })
  t.after(() => phone.stop())
  await phone.events.next('registered')
  phone.dial(`${d.uri('8100')};transport=tcp`)
  const dialled = await d.client.next('dial')
  const { media } = dialled
  assert.equal(media.kind === 'rtp' && media.srtp?.receive.masterKey.length, 16)
  await phone.events.next('established')
  phone.hangup()
  await d.client.next('ended')
})
