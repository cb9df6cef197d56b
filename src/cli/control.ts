/**
 * The door of a running client for commands of the same user: one question as a line of JSON, one answer as another, over a
 * socket in a folder that nobody else may enter. It tells and changes nothing.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { err, ok, type Result } from '../base/result.ts'

const QUESTIONS = ['status', 'rooms', 'trace'] as const
export type Question = (typeof QUESTIONS)[number]
export type Answers = { readonly [K in Question]: () => unknown }

const LONGEST_QUESTION = 256
const LONGEST_ANSWER = 8 << 20
const PATIENCE_MS = 3000

/** One for each configuration file and user. */
function controlPath(configFile: string): string {
  const real = ((): string => {
    try {
      return realpathSync(configFile)
    } catch {
      return configFile
    }
  })()
  const name = `stc-${createHash('sha256').update(`${userInfo().username}\n${real}`).digest('hex').slice(0, 20)}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`
  return path.join(process.env['XDG_RUNTIME_DIR'] ?? path.join(tmpdir(), `stc-${userInfo().uid}`), `${name}.sock`)
}

/** The folder is ours alone: in a shared one somebody could have made it before us. */
function ownFolder(file: string): boolean {
  if (process.platform === 'win32') return true
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(path.dirname(file))
    return uid === userInfo().uid && (mode & 0o077) === 0
  } catch {
    return false
  }
}

/** Answers until it is disposed; undefined where there can be no door, which stops nobody from talking. */
export async function openControl(configFile: string, answers: Answers): Promise<AsyncDisposable | undefined> {
  const file = controlPath(configFile)
  if (!ownFolder(file)) return undefined
  // Whoever answers there is running; a file that nobody answers at is left from before.
  if ((await askRunning(configFile, 'status')).ok) return undefined
  if (process.platform !== 'win32') rmSync(file, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {}).setTimeout(PATIENCE_MS, () => socket.destroy())
    let asked = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      asked += text
      if (asked.length > LONGEST_QUESTION) return void socket.destroy()
      if (!asked.includes('\n')) return
      const question = QUESTIONS.find((q) => q === asked.trim())
      socket.end(`${JSON.stringify(question === undefined ? null : answers[question]())}\n`)
    })
  })
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(file, () => resolve(true))
  })
  if (!listening) return undefined
  server.unref()
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => {
      for (const socket of open) socket.destroy()
      server.close(() => resolve())
    }),
  }
}

/** What the client that runs with this configuration says. */
export function askRunning(configFile: string, question: Question): Promise<Result<unknown>> {
  return new Promise((resolve) => {
    const file = controlPath(configFile)
    const socket = connect(file)
    let text = ''
    const end = (r: Result<unknown>): void => {
      socket.destroy()
      resolve(r)
    }
    const none = (): void => end(err('CLIENT_NOT_RUNNING', configFile))
    socket.setTimeout(PATIENCE_MS, none).setEncoding('utf8')
    socket.once('connect', () => socket.write(`${question}\n`)).once('error', none)
    socket.on('data', (more: string) => {
      text += more
      if (text.length > LONGEST_ANSWER) none()
    })
    socket.once('end', () => {
      try {
        end(ok(JSON.parse(text)))
      } catch {
        none()
      }
    })
  })
}
