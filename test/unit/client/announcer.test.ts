/** What the phone of a bridged or open call is told when it stands, before it is heard. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientRelayMedia } from '../../../src/client/relay-media.ts'
import { ProviderMedia } from '../../../src/client/provider/media.ts'
import { announcer, stateTeller } from '../../../src/client/speech/announcer.ts'
import { SENTENCES } from '../../../src/client/speech/sentences.ts'
import type { Spoken } from '../../../src/client/speech/spoken.ts'
import type { MediaCommand } from '../../../src/media/api.ts'
import type { CallState, PhoneLeg } from '../../../src/model/roster.ts'
import type { DescribedAudio } from '../../../src/telephony/relay/index.ts'

const described = (port: number, ...formats: readonly (readonly [string, number, number])[]): DescribedAudio => ({
  address: '127.0.0.1', port, rtcpPort: port + 1, receives: true, sends: true, ptimeMs: 20,
  formats: formats.map(([name, payloadType, clockHz]) => ({ name, payloadType, clockHz })) as unknown as DescribedAudio['formats'],
})
const phone = described(4000, ['opus', 96, 48_000], ['gsm', 3, 8000], ['pcma', 8, 8000], ['telephone-event', 101, 8000])
const other = described(5000, ['pcma', 8, 8000], ['opus', 107, 48_000], ['telephone-event', 100, 8000], ['telephone-event', 99, 48_000])

function stage() {
  const [said, media] = [[] as string[], [] as MediaCommand[]]
  const voice = async (s: Spoken) => {
    said.push(s.text(SENTENCES.en))
    return Int16Array.of(1, 2, 3)
  }
  return { said, media, voice, spoken: () => media.filter((c) => c.op === 'call.say') }
}
const soon = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}

test('"our server can hear this" once the call stands: not over early media, once, in the codecs that both have', async () => {
  const s = stage()
  const media = new ClientRelayMedia((c) => s.media.push(c), 1, announcer(s.voice, 'bridged', (c) => s.media.push(c)))
  const leg = media.open('127.0.0.1', () => {})
  leg.local(phone, 'offer')
  leg.far(other, 'answer')
  await soon()
  assert.deepEqual([s.spoken(), s.said], [[], ['Our server can hear this.']])
  leg.answered!()
  await soon()
  leg.far(other, 'answer')
  leg.answered!()
  await soon()
  assert.deepEqual(s.spoken(), [{
    op: 'call.say', call: 1, telephoneEvents: [100, 99], pcm: Int16Array.of(1, 2, 3), formats: [{ codec: 'opus', takes: 96, sends: 107 }, { codec: 'pcma', takes: 8, sends: 8 }],
  }])
})

test('an offer in the 200 is answered after it: told then; and nothing where no codec can be spoken', async () => {
  const s = stage()
  const media = new ClientRelayMedia((c) => s.media.push(c), 1, announcer(s.voice, 'bridged', (c) => s.media.push(c)))
  const late = media.open('127.0.0.1', () => {})
  late.far(other, 'answer')
  late.answered!()
  await soon()
  assert.equal(s.spoken().length, 0)
  late.local(phone, 'offer')
  await soon()
  assert.equal(s.spoken().length, 1)
  // The words came too late: nobody is there any more.
  const gone = media.open('127.0.0.1', () => {})
  gone.local(phone, 'offer')
  gone.far(other, 'answer')
  gone.answered!()
  gone.close()
  await soon()
  assert.equal(s.spoken().length, 1)
  const mute = media.open('127.0.0.1', () => {})
  mute.local(described(4000, ['gsm', 3, 8000]), 'offer')
  mute.far(described(5000, ['gsm', 3, 8000]), 'answer')
  mute.answered!()
  await soon()
  assert.equal(s.spoken().length, 1)
})

test('through a provider without sealing: that anyone on the line can hear it, to the leg of the phone', async () => {
  const s = stage()
  const command = (c: MediaCommand) => s.media.push(c)
  const media = new ProviderMedia({ command, announce: announcer(s.voice, 'open', command)! })
  const [wire, desk] = [media.providerSide.open('', () => {}), media.phoneSide.open('', () => {})]
  desk.join({ up: 1, down: 1 })
  for (const leg of [wire, desk]) {
    leg.local(phone, 'offer')
    leg.far(other, 'answer')
    leg.answered!()
  }
  await soon()
  assert.deepEqual(s.spoken().map((c) => c.op === 'call.say' && c.call), [2])
  assert.deepEqual(s.said, ['Anyone on the line can hear this.'])
})

test('a call through a provider says what it has become: that nobody is heard and how to go on, or that anyone can listen', async () => {
  const s = stage()
  let played = 0
  const teller = stateTeller(s.voice, () => void played++)
  const tell = (is: Pick<CallState, 'state' | 'profile'>, phoneLeg: PhoneLeg = 'local'): void => teller({ members: [], phoneLeg, sealedCall: { number: '1', words: [], ...is } })
  for (const state of ['early', 'seeking', 'asking', 'asking', 'open', 'sealed', 'doubt'] as const) {
    tell({ state })
    await soon()
  }
  assert.deepEqual(s.said, [SENTENCES.en.asking, SENTENCES.en.open, SENTENCES.en.doubt])
  assert.equal(played, 3)
  tell({ state: 'asking' })
  tell({ state: 'sealed' })
  await soon()
  assert.equal(played, 3, 'words of a state that has passed')
  tell({ state: 'sealed', profile: 'chained' })
  const before = s.said.length
  tell({ state: 'sealed' }, 'encrypted')
  tell({ state: 'sealed' }, 'plain-lan')
  tell({ state: 'sealed' }, 'plain-lan')
  tell({ state: 'lost' }, 'plain-lan')
  await soon()
  assert.deepEqual(s.said.slice(before), [SENTENCES.en.plainLeg], 'sealed up to here, and in clear from here to the phone')
})
