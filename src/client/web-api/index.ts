/** The page of one client: its door, its windows, its phone, and the projection that they show. */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/ports.ts'
import { ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { BrowserHandset } from '../handset/browser/handset.ts'
import { ServerClock } from '../server-clock.ts'
import { Hub, type HubOptions } from './hub.ts'
import { openPage, type PageFiles } from './server.ts'
import type { SessionStore } from './sessions.ts'
import { Windows } from './windows.ts'

export type { SetupPort } from './commands.ts'
export type { Hub, HubOptions } from './hub.ts'
export type { PeopleMemory } from './people.ts'
export type { PageFile, PageFiles } from './server.ts'
export type { SessionStore, StoredSession } from './sessions.ts'

export interface PageOptions {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly files: PageFiles
  readonly port: number
  readonly sessions?: SessionStore
  /** Milliseconds that pass while the computer sleeps as well; else those of `clock`. */
  readonly elapsed?: () => number
  readonly hub: Omit<HubOptions, 'clock' | 'serverClock' | 'echoRoom' | 'random'>
}

export interface Page {
  /** Holds the secret of this start: for the user's eyes. */
  readonly url: string
  readonly hub: Hub
  readonly windows: Windows
  readonly handset: BrowserHandset
  close(): Promise<void>
}

/** What the page's phone is called among the client's lines. */
const LINE = 'browser'

export async function startPage(o: PageOptions): Promise<Result<Page>> {
  // Nobody else's: a room of this user alone.
  const random = (): string => toHex(o.crypto.bytes(8))
  const hub = new Hub({ ...o.hub, clock: o.clock, serverClock: new ServerClock(o.clock, o.elapsed), random, echoRoom: `echo-${random()}` })
  const windows = new Windows(hub, o.clock)
  const handset = new BrowserHandset(LINE, { change: () => windows.browserChanged(), sound: (pcm) => windows.play(pcm) })
  hub.browser = handset
  hub.onBrowser = () => windows.browserChanged()
  const door = await openPage({ crypto: o.crypto, clock: o.clock, files: o.files, port: o.port, onWindow: (socket) => windows.open(socket), ...(o.sessions === undefined ? {} : { sessions: o.sessions }) })
  if (!door.ok) {
    windows.close()
    return door
  }
  const close = async (): Promise<void> => {
    windows.close()
    await door.value.close()
  }
  return ok({ url: door.value.url, hub, windows, handset, close })
}
