/** The connection to the server over its failures, in virtual time. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Fault } from '../../../src/base/result.ts'
import { err, makeFault, ok } from '../../../src/base/result.ts'
import { Connection, type OpenChannel } from '../../../src/client/connection.ts'
import type { ClientMessage, ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { FakeVault } from '../../kit/fake-vault.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

class FakeChannel implements OpenChannel {
  readonly pipe = 1
  readonly sent: ClientMessage[] = []
  closed = false
  tell: (m: ServerMessage) => void = () => {}
  #onClose: (fault: Fault) => void = () => {}
  /** The promise of `close` waits for it. */
  taken: Promise<void> = Promise.resolve()
  send(m: ClientMessage): ReturnType<OpenChannel['send']> {
    this.sent.push(m)
    return ok(undefined)
  }
  onMessage(l: (m: ServerMessage) => void): void {
    this.tell = l
  }
  attended = 0
  attend(): void {
    this.attended++
  }
  onClose(l: (fault: Fault) => void): void {
    this.#onClose = l
  }
  /** Tells its own end too, as the real one does. */
  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      this.#onClose(makeFault('CHANNEL_CLOSED', 'by us'))
    }
    return this.taken
  }
}

function stage(realm?: string, answers: { finish?: 'fails' } = {}) {
  const clock = new VirtualClock()
  const channels: FakeChannel[] = []
  const down: Fault[] = []
  const up: string[] = []
  const keys = { suite: 'AEAD_AES_128_GCM', masterKey: new Uint8Array(16), masterSalt: new Uint8Array(12) } as const
  const opened: number[] = []
  const connection = new Connection({
    open: async () => {
      channels.push(new FakeChannel())
      return ok(channels.at(-1)!)
    },
    vault: new FakeVault({ 'hop.offer': () => ok({ message: new Uint8Array(1) }), 'hop.finish': () => (answers.finish === 'fails' ? err('HOP_SHARE', 'X25519') : ok({ receive: keys, send: keys })) }),
    media: (c) => void (c.op === 'hop.open' && opened.push(c.generation)), scheduler: clock, chance: () => 0.5, agent: 'test', suites: ['AEAD_AES_128_GCM'], fallback: { address: '127.0.0.1', port: 1 }, hop: 1,
    onUp: (w) => up.push(w.session), onDown: (f) => down.push(f), onMessage: () => {}, ...(realm === undefined ? {} : { realm }),
  })
  const welcome = async (): Promise<void> => {
    channels.at(-1)!.tell({ k: 'welcome', version: 1, capabilities: [], agent: 's', realm: 'there', session: `s${channels.length}`, unixTime: 1, udp: [] })
    await clock.advance(0)
  }
  const greet = async (): Promise<void> => {
    await welcome()
    channels.at(-1)!.tell({ k: 'hop-answer', generation: 1, message: new Uint8Array(1), probe: 9 })
    await clock.advance(0)
  }
  /** Generations that were offered on the newest channel. */
  const offered = (): number[] => channels.at(-1)!.sent.flatMap((m) => (m.k === 'hop-offer' ? [m.generation] : []))
  const answer = async (generation: number): Promise<void> => {
    channels.at(-1)!.tell({ k: 'hop-answer', generation, message: new Uint8Array(1), probe: 9 })
    await clock.advance(0)
  }
  return { clock, channels, down, up, connection, welcome, greet, opened, offered, answer, answers }
}

describe('a connection', () => {
  test('whose greeting fails is told once, closed, and tried again once', async () => {
    const s = stage()
    void s.connection.start()
    await s.clock.advance(0)
    s.channels[0]!.tell({ k: 'fault', code: 'X', message: 'not today' })
    await s.clock.advance(0)
    assert.deepEqual(s.down.map((f) => f.code), ['CLIENT_NO_CHANNEL'])
    assert.ok(s.channels[0]!.closed)
    await s.clock.advance(600)
    assert.equal(s.channels.length, 2)
    assert.deepEqual(s.up, [])
  })
  test('has its server asked more often from when it is up, and from when somebody begins to talk or look', async () => {
    const s = stage()
    s.connection.attend()
    void s.connection.start()
    await s.clock.advance(0)
    assert.equal(s.channels[0]!.attended, 0)
    await s.greet()
    assert.equal(s.channels[0]!.attended, 1)
    s.connection.attend()
    assert.equal(s.channels[0]!.attended, 2)
  })
  test('to a server of another realm does not come about, and says so', async () => {
    const s = stage('here')
    void s.connection.start()
    await s.clock.advance(0)
    await s.welcome()
    assert.equal(s.down[0]?.code, 'CLIENT_REALM')
    assert.match(s.down[0]?.message ?? '', /"here" here, "there" there/)
    assert.deepEqual(s.channels[0]!.sent.map((m) => m.k), ['hello'])
  })
  test('asks for new keys every hour, or when the media thread says that they are worn, and again after a minute without an answer', async () => {
    const s = stage()
    void s.connection.start()
    await s.clock.advance(0)
    s.connection.keysWorn(1)
    await s.greet()
    assert.deepEqual([s.offered(), s.opened], [[1], [1]])
    await s.clock.advance(3_599_000)
    assert.deepEqual(s.offered(), [1])
    await s.clock.advance(1000)
    assert.deepEqual(s.offered(), [1, 2])
    s.connection.keysWorn(1)
    await s.clock.advance(59_000)
    assert.deepEqual(s.offered(), [1, 2], 'they are on their way')
    await s.clock.advance(1000)
    assert.deepEqual(s.offered(), [1, 2, 3])
    await s.answer(2)
    assert.deepEqual(s.opened, [1], 'the vault has begun anew')
    await s.answer(3)
    assert.deepEqual(s.opened, [1, 3])
    s.connection.keysWorn(1)
    await s.clock.advance(0)
    assert.deepEqual(s.offered(), [1, 2, 3], 'of old keys')
    s.connection.keysWorn(3)
    await s.clock.advance(0)
    await s.answer(4)
    assert.deepEqual([s.offered(), s.opened, s.down], [[1, 2, 3, 4], [1, 3, 4], []])
    await s.answer(4)
    assert.deepEqual(s.opened, [1, 3, 4], 'nobody asked')
    await s.connection.stop()
    assert.equal(s.clock.pending, 0)
  })
  test('is made anew where client and server would go on with different keys', async () => {
    const s = stage()
    void s.connection.start()
    await s.clock.advance(0)
    await s.greet()
    s.connection.keysWorn(1)
    await s.clock.advance(0)
    s.answers.finish = 'fails'
    await s.answer(2)
    assert.deepEqual([s.down.map((f) => f.code), s.channels[0]!.closed], [['HOP_SHARE'], true])
    delete s.answers.finish
    await s.clock.advance(1000)
    await s.greet()
    assert.deepEqual([s.channels.length, s.up, s.offered(), s.opened], [2, ['s1', 's2'], [3], [1, 3]])
    await s.connection.stop()
    assert.equal(s.clock.pending, 0)
  })
  test('is stopped when the server has taken the farewell, or half a second later', async () => {
    for (const silent of [false, true]) {
      const s = stage()
      void s.connection.start()
      await s.clock.advance(0)
      await s.greet()
      assert.deepEqual(s.up, ['s1'])
      let taken = (): void => {}
      s.channels[0]!.taken = new Promise((resolve) => {
        taken = resolve
      })
      let stopped = false
      void s.connection.stop().then(() => {
        stopped = true
      })
      await s.clock.advance(100)
      assert.equal(stopped, false)
      if (!silent) taken()
      await s.clock.advance(silent ? 500 : 0)
      assert.equal(stopped, true)
      assert.equal(s.clock.pending, 0)
      assert.deepEqual(s.down, [])
    }
  })
})
