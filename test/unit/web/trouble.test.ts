/** How soon a window knows what is wrong: of the two seconds that it may take, nothing is lost between the client and the window. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { Clock } from '../../../src/base/ports.ts'
import { makeFault } from '../../../src/base/result.ts'
import { ServerClock } from '../../../src/client/server-clock.ts'
import { Hub } from '../../../src/client/web-api/hub.ts'
import { Windows } from '../../../src/client/web-api/windows.ts'
import { decodePage } from '../../../src/model/page.ts'
import { fold, START, type State } from '../../../src/web/state/state.ts'
import { troubleOf } from '../../../src/web/state/trouble.ts'

const SHOWN_MS = 2000
/** What a picture waits for at most in a window that is not looked at (state/store.ts). */
const FLUSH_MS = 200

test('what is wrong reaches the windows in the moment in which the client knows it, a clock that was set within two seconds', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let [wall, elapsedMs] = [1_790_000_000, 5000]
  const clock = { now: () => elapsedMs, unix: () => wall } as unknown as Clock
  const hub = new Hub({ clock, serverClock: new ServerClock(clock), version: '0', server: 's', roomPrefix: '8', emergencyNumbers: [], rooms: [], echoRoom: 'echo-1', random: () => '', phones: [] })
  const windows = new Windows(hub, clock)
  const got: string[] = []
  windows.open(Object.assign(new EventEmitter(), { bufferedAmount: 0, send: (m: string) => void got.push(m), ping: () => {}, close: () => {} }) as never)
  const cause = () => troubleOf(got.map((m) => decodePage(m)).reduce(fold, { ...START, link: 'open' } as State))?.cause
  const welcome = { unixTime: wall, capabilities: [] } as never
  const { observer } = hub
  const up = (): void => {
    observer.onServer?.(true, { welcome })
    observer.onMedia?.({ op: 'hop.path', path: 'udp' } as never)
    assert.equal(cause(), undefined)
  }
  /** As the channel's dialling tells it (channel/dial.ts). */
  const refused = (code: 'IDENTITY_REVOKED' | 'IDENTITY_EXPIRED') => (): void => observer.onServer?.(false, { fault: makeFault('CHANNEL_TLS', makeFault(code).message, makeFault(code)) })
  for (const [wrong, wanted] of [
    [() => observer.onServer?.(false, { fault: makeFault('CHANNEL_CLOSED') }), 'server-gone'],
    [refused('IDENTITY_REVOKED'), 'certificate-revoked'],
    [refused('IDENTITY_EXPIRED'), 'certificate-expired'],
    [() => observer.onServerSilent?.(true), 'server-silent'],
    [() => observer.onMedia?.({ op: 'hop.path', path: 'tls' } as never), 'udp-blocked'],
  ] as const) {
    up()
    wrong()
    assert.equal(cause(), wanted)
  }
  up()
  /** Milliseconds until this is shown, once the clock was set so. */
  const shownAfter = (setS: number, wanted: string | undefined): number => {
    wall += setS
    for (let ms = 0; ; ms += 100) {
      if (cause() === wanted) return ms
      assert.ok(ms < 60_000, `no ${wanted}`)
      elapsedMs += 100
      if (elapsedMs % 1000 === 0) wall++
      t.mock.timers.tick(100)
    }
  }
  for (const [setS, wanted] of [[3600, 'clock'], [-3600, undefined]] as const) {
    const ms = shownAfter(setS, wanted)
    assert.ok(ms + FLUSH_MS <= SHOWN_MS, `${ms} ms`)
  }
  windows.close()
})
