/** Signs that Asterisk is another one than it was, or none, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FaultCode } from '../../../../src/base/faults/index.ts'
import { err, makeFault, ok } from '../../../../src/base/result.ts'
import { Life } from '../../../../src/server/pbx/life.ts'
import { silentLog } from '../../../../src/server/log.ts'
import { amiMessage } from '../../../kit/ami.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

function world() {
  const clock = new VirtualClock()
  const state = { booted: '10:00:00', busy: true, known: true, answers: true, asked: [] as number[], gone: [] as string[], refuses: false, since: undefined as number | undefined }
  const life = new Life({
    scheduler: clock, log: silentLog, legs: () => ({ find: () => undefined, isOrphan: () => false }),
    action: async () => (state.refuses ? err('PBX_ACTION') : ok([amiMessage({ Response: 'Success', CoreStartupDate: '2026-01-01', CoreStartupTime: state.booted })])),
    relay: () => ({
      get busy() {
        return state.busy
      },
      get known() {
        return state.known
      },
      get since() {
        return state.since as never
      },
      answers: (withinMs) => {
        state.asked.push(withinMs)
        const { answers } = state
        return new Promise((resolve) => void clock.at((clock.now() + (answers ? 1 : withinMs)) as never, () => resolve(answers)))
      },
      pbxGone: () => assert.fail('by the coupling, not here'),
    }),
    gone: (reason) => state.gone.push(`${clock.now()} ${reason}`),
  })
  const down = (code: FaultCode = 'PBX_GONE'): void => life.down(makeFault(code))
  return { clock, state, life, down }
}

test('the first start that it tells is remembered; another one later means that its calls are gone', async () => {
  const { clock, state, life } = world()
  for (const _ of [1, 2]) await life.up()
  assert.deepEqual(state.gone, [])
  state.booted = '10:00:07'
  await life.up()
  await life.up()
  assert.deepEqual(state.gone, ['0 the telephone system was started anew'])
  state.refuses = true
  await life.up()
  state.refuses = false
  await life.up()
  assert.equal(state.gone.length, 1, 'what it does not tell counts for nothing')
  life.stop()
  assert.equal(clock.pending, 0)
})

test('seen for the first time, it runs for a shorter time than a call stands: it is not the one that had the call', async () => {
  const { clock, state, life } = world()
  await clock.advance(60_000)
  for (const seconds of [0, 5]) life.uptime(seconds)
  assert.deepEqual(state.gone, [], 'there are no calls')
  state.since = 50_000
  for (const seconds of [3600, 10, 8, Number.NaN, -1, 0.5]) life.uptime(seconds)
  assert.deepEqual(state.gone, [], 'the call began while it ran, or it tells nothing')
  life.uptime(7)
  assert.deepEqual(state.gone, ['60000 the telephone system was started anew'])
})

test('its manager interface alone is cut off: calls go on, and it is asked now and then', async () => {
  const { clock, state, life, down } = world()
  await life.up()
  down()
  for (let i = 0; i < 20; i++) {
    await clock.advance(1000)
    down('PBX_UNREACHABLE')
  }
  assert.deepEqual(state.gone, [])
  assert.equal(life.dead, false)
  assert.ok(state.asked.length >= 3 && state.asked.length <= 5, `${state.asked.length} questions in 20 s`)
  await life.up()
  const { length } = state.asked
  await clock.advance(60_000)
  assert.equal(state.asked.length, length)
})

test('neither its manager interface nor its SIP is there: gone after a second, dead until one of them comes back', async () => {
  for (const back of ['sip', 'ami'] as const) {
    const { clock, state, life, down } = world()
    await life.up()
    state.answers = false
    down()
    await clock.advance(1100)
    assert.deepEqual(state.gone, ['1000 the telephone system does not answer'])
    assert.equal(life.dead, true)
    state.busy = false
    await clock.advance(20_000)
    assert.equal(state.gone.length, 1, 'once')
    assert.equal(life.dead, true)
    if (back === 'ami') await life.up()
    else {
      state.answers = true
      await clock.advance(3000)
    }
    assert.equal(life.dead, false)
    life.stop()
    assert.equal(clock.pending, 0)
  }
})

test('a machine that is silent for some seconds is waited for', async () => {
  const { clock, state, life, down } = world()
  await life.up()
  state.answers = false
  down('PBX_SILENT')
  await clock.advance(9900)
  assert.deepEqual(state.gone, [])
  await clock.advance(200)
  assert.equal(state.gone.length, 1)
})

test('it dies while no call stands: nothing is ended, and the next call is refused at once, after 1 s where it was closed and 3.6 s where it is silent', async () => {
  for (const [code, afterMs] of [['PBX_GONE', 1000], ['PBX_SILENT', 2000]] as const) {
    const { clock, state, life, down } = world()
    state.busy = false
    state.answers = false
    await life.up()
    down(code)
    await clock.advance(afterMs - 10)
    assert.equal(life.dead, false)
    await clock.advance(20)
    assert.equal(life.dead, true)
    await clock.advance(20_000)
    assert.deepEqual([state.gone, life.dead], [[], true])
    state.answers = true
    await clock.advance(2100)
    assert.equal(life.dead, false)
    life.stop()
    assert.equal(clock.pending, 0)
  }
})

test('without calls, and where nobody ever registered, nobody is asked: as a stranger the server would be taken for one who guesses', async () => {
  const { clock, state, life, down } = world()
  state.busy = false
  state.known = false
  await life.up()
  down()
  await clock.advance(10_000)
  assert.deepEqual(state.asked, [])
  state.busy = true
  state.answers = false
  await clock.advance(2500)
  assert.equal(state.gone.length, 1)
})
