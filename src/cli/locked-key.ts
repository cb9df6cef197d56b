/** Starts a client whose key is locked: what opens it is asked for on the page, and on the terminal where there is one. */
import { err, ok, type Result } from '../base/result.ts'
import type { ClientConfig } from '../client/config.ts'
import type { Page } from '../client/web-api/index.ts'
import { besideConfig } from '../store/config.ts'
import { needsPassphrase } from '../store/protect-key.ts'
import { askPassphrase, servicePassphrase } from './ask.ts'
import { coded, complain, say } from './output.ts'

/** Somebody has to be asked: the passphrase stands neither in the configuration nor in the service's credentials. */
const locked = ({ identity }: ClientConfig, file: string): boolean => identity.passphrase === undefined && servicePassphrase() === undefined && needsPassphrase(besideConfig(file, identity.key))

/** `start` with the passphrase in the configuration that it is given, again and again until one opens the key. Undefined: stopped before. */
export async function startAsking<T>(page: Page | undefined, config: ClientConfig, file: string, start: (c: ClientConfig) => Promise<Result<T>>, stopped: Promise<void>): Promise<Result<T> | undefined> {
  if (page === undefined || !locked(config, file)) return await start(config)
  say(`the key is locked: open this page and type its passphrase${process.stdin.isTTY === true ? ', or type it here' : ''}`)
  say(`  ${page.url}`)
  page.hub.setup = { step: 'passphrase' }
  const done = Promise.withResolvers<Result<T> | undefined>()
  const over = new AbortController()
  let settled: Result<T> | undefined
  const attempt = async (passphrase: string): Promise<Result<void>> => {
    // Typed in two places, or after the end: one client is started, not two.
    if (settled !== undefined || over.signal.aborted) return err('PAGE_SET_UP')
    const started = await start({ ...config, identity: { ...config.identity, passphrase } })
    if (started.ok || !/^IDENTITY_PASSPHRASE_/.test(started.fault.code)) {
      settled = started
      page.windows.setup = undefined
      page.hub.setup = undefined
      done.resolve(started)
    }
    return started.ok ? ok(undefined) : started
  }
  // One after the other, wherever it is typed.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = (passphrase: string): Promise<Result<void>> => {
    const next = last.then(() => attempt(passphrase))
    last = next.catch(() => {})
    return next
  }
  const notNow = async (): Promise<Result<void>> => err('PAGE_SET_UP')
  page.windows.setup = { server: notNow, identity: notNow, back: notNow, unlock: inTurn }
  void askHere(inTurn, over.signal).then((here) => here === 'left' && done.resolve(undefined))
  const result = await Promise.race([done.promise, stopped.then((): undefined => undefined)])
  over.abort()
  page.windows.setup = undefined
  if (result !== undefined) return result
  // What is being started is started, so that whoever was told to stop can stop it.
  await last
  return settled
}

async function askHere(attempt: (passphrase: string) => Promise<Result<void>>, over: AbortSignal): Promise<'left' | 'done'> {
  if (process.stdin.isTTY !== true) return 'done'
  while (!over.aborted) {
    const typed = await askPassphrase('Passphrase: ', over)
    if (typed === undefined) return over.aborted ? 'done' : 'left'
    const opened = await attempt(typed)
    if (opened.ok || over.aborted) return 'done'
    complain(`stc: ${coded(opened.fault)}`)
  }
  return 'done'
}
