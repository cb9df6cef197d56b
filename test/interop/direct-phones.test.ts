/** Phones that come to the server by themselves: SIP over TLS with a certificate, SRTP by SDES, into a real Asterisk. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { asteriskBlocks } from '../../src/server/pbx/asterisk-config.ts'
import { endpoint } from '../kit/asterisk.ts'
import { type BehindPbx, behindPbx } from '../kit/behind-pbx.ts'
import { freePorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import type { Baresip, BaresipOptions } from '../kit/phones/baresip.ts'
import { until } from '../kit/processes.ts'
import { needs, needsAsterisk } from './setup.ts'

const here = '127.0.0.1'
const names = ['anna', 'bert', 'carl']

interface Office extends BehindPbx {
  readonly sips: number
  /** A phone with the certificate of `owner`; its account is `name`. */
  direct(name: string, hz: number, owner?: string, more?: Partial<BaresipOptions>): Promise<Baresip>
}

async function office(t: Parameters<typeof behindPbx>[0]): Promise<Office> {
  const [agi, sips] = [await freePorts(2), await freePorts(2)]
  const blocks = asteriskBlocks({ ami: { user: 'stc', secret: 'only for tests', permit: ['127.0.0.1/32'] }, agi: { address: here, port: agi }, conferences: ['_7XX'], phones: [] })
  const w = await behindPbx(t, {
    config: () => ({
      'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'pjsip.conf': names.map((n) => endpoint(n)).join('\n'),
      'extensions.conf': `${blocks.extensions}\n[phones]\ninclude => stc-conferences\nexten => 600,1,Answer()\n same => n,Echo()\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20,Tt)\n`,
    }),
    serverConfig: ({ ami }, folder) => {
      const secretFile = path.join(folder, 'ami.secret')
      writeFileSync(secretFile, 'only for tests\n', { mode: 0o600 })
      return {
        pbx: { ami: { port: ami, secretFile }, agi: { port: agi }, conferences: { 701: { certificates: 'required' } } },
        phones: { listen: { address: here, port: sips }, extensions: { bert: ['cn:bert'], carl: ['cn:carl'] } },
      }
    },
  })
  return {
    ...w, sips,
    direct: (name, hz, owner = name, more = {}) => {
      const { certificate, key, anchors } = w.authority.member(owner)
      const both = path.join(w.folder, `${owner}-both.pem`)
      writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
      return w.phone(name, hz, { address: here, port: sips }, {
        registrar: { address: here, port: sips, password: `secret-${name}`, transport: 'tls' }, srtp: true, caFile: anchors[0]!, certificateFile: both, ...more,
      })
    },
  }
}
const legs = async (w: BehindPbx): Promise<string> => /(\d+) active channel/.exec(await w.asterisk.cli('core show channels count'))![1]!
const noLegs = (w: BehindPbx): Promise<unknown> => until(15_000, 'Asterisk without a leg', async () => (await legs(w)) === '0' || undefined, () => w.asterisk.log().slice(-2000), 200)

test('a phone over TLS and SRTP and a client meet in a ConfBridge: both hear, both are known by certificate', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return
  const w = await office(t)
  const a = await w.client('anna')
  const anna = await w.phone('anna', 700, a.sip)
  const bert = await w.direct('bert', 1100)
  assert.match(await w.asterisk.cli('pjsip show contacts'), /bert\/sip:stc[0-9a-f]{24}@127\.0\.0\.1/)

  anna.dial(`sip:701@${here}:${a.sip.port}`)
  await anna.events.next('established')
  bert.dial(`sip:701@${here}:${w.sips};transport=tls`)
  await bert.events.next('established')
  await a.shows(/ {4}\d+ bert {2}\[[0-9a-f]{8}\]/)
  await a.shows(/◐ Our server can hear this\./)
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  bert.hangup()
  await a.shows(/bert left/)
  anna.hangup()
  await anna.events.next('closed')
  await noLegs(w)

  // Called, held, and by name between the two.
  anna.dial(`sip:bert@${here}:${a.sip.port}`)
  await bert.events.next('established')
  await anna.events.next('established')
  await Promise.all([hears(anna, 1100), hears(bert, 700)])
  bert.hold()
  await bert.events.next('media')
  bert.resume()
  await bert.events.next('media')
  await hears(anna, 1100)
  anna.hangup()
  await bert.events.next('closed')
  await noLegs(w)

  // A phone that dies leaves no leg behind.
  bert.dial(`sip:600@${here}:${w.sips};transport=tls`)
  await bert.events.next('established')
  await bert.kill()
  await until(25_000, 'the end of its call', async () => (await legs(w)) === '0' || undefined, w.server.process.tail, 500)
})
