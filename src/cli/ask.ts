/** Asks for a passphrase on the terminal, without showing it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

/** Undefined: there is no terminal, the answer was Ctrl-C, or `over` came first. */
export function askPassphrase(question: string, over?: AbortSignal): Promise<string | undefined> {
  const { stdin, stderr } = process
  if (!stdin.isTTY || over?.aborted === true) return Promise.resolve(undefined)
  // First: what is typed ahead of the question would be shown.
  stdin.setRawMode(true)
  stderr.write(question)
  stdin.setEncoding('utf8')
  return new Promise((resolve) => {
    let text = ''
    const done = (answer: string | undefined): void => {
      over?.removeEventListener('abort', cancelled)
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      resolve(answer)
    }
    const cancelled = (): void => done(undefined)
    over?.addEventListener('abort', cancelled)
    const take = (typed: string): void => {
      for (const c of typed) {
        if (c === '\r' || c === '\n') return done(text)
        if (c === CTRL_C || c === CTRL_D) return done(undefined)
        text = c === '\b' || c === '\u007f' ? [...text].slice(0, -1).join('') : text + c
      }
    }
    stdin.on('data', take)
    stdin.resume()
  })
}

/** As systemd hands it to a service (LoadCredential=stc-passphrase:…). */
export function servicePassphrase(): string | undefined {
  const folder = process.env['CREDENTIALS_DIRECTORY']
  if (folder === undefined) return undefined
  try {
    return readFileSync(path.join(folder, 'stc-passphrase'), 'utf8').split(/\r?\n/)[0]
  } catch {
    return undefined
  }
}
