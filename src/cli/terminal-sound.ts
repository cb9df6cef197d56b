/** Microphone and speaker of `stc call`: a program of the system that gives and takes plain samples, or WAV files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { joinPcm } from '../audio/join-pcm.ts'
import { speechOf, wavOf } from '../audio/wav.ts'
import { err, ok, type Result } from '../base/result.ts'

type Program = readonly [string, ...string[]]

const RATE = 16_000
const FRAME = 320
const FRAME_MS = 20
/** The media thread takes pieces of up to 120 ms. */
const LARGEST_PIECE = 6 * FRAME
/** A speaker that hangs holds nobody up. */
const MOST_WAITING = RATE * 2
const RECORD_LIMIT_S = 3600

/** A program that ran for so long had a device, which may be there again. */
const STAYED_MS = 10_000
const LAST_WORDS = 200

const MICROPHONES: readonly Program[] = [
  ['parec', '--raw', `--rate=${RATE}`, '--channels=1', '--format=s16le', '--latency-msec=20'], ['arecord', '-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${RATE}`, '-c', '1', '-'],
  ['rec', '-q', '-t', 'raw', '-b', '16', '-e', 'signed-integer', '-r', `${RATE}`, '-c', '1', '-'],
]
const SPEAKERS: readonly Program[] = [
  ['pacat', '--playback', '--raw', `--rate=${RATE}`, '--channels=1', '--format=s16le', '--latency-msec=40'], ['aplay', '-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${RATE}`, '-c', '1', '-'],
  ['play', '-q', '-t', 'raw', '-b', '16', '-e', 'signed-integer', '-r', `${RATE}`, '-c', '1', '-'],
]

export interface Sound extends Disposable {
  /** The first that was tried; empty where none is installed. */
  readonly microphone: string
  readonly speaker: string
  heard(pcm: Int16Array): void
  /** What was recorded is on the disk. */
  finish(): Result<undefined>
}

export interface SoundChoice {
  /** WAV file that is said, again and again. */
  readonly play?: string
  /** WAV file for what is heard. */
  readonly record?: string
  /** Neither microphone nor speaker. */
  readonly mute?: boolean
}

/** `tell`: what becomes known later, that there is no device for any of the programs. */
export function openSound(choice: SoundChoice, speak: (pcm: Int16Array) => void, tell: (text: string) => void): Result<Sound> {
  const ends: (() => void)[] = []
  const from = choice.play === undefined ? ok(fromProgram(choice.mute === true ? [] : installed(MICROPHONES), speak, (why) => tell(`no microphone: others hear silence (${why})`), ends)) : fromFile(choice.play, speak, ends)
  if (!from.ok) return from
  const to = choice.record === undefined ? toProgram(choice.mute === true ? [] : installed(SPEAKERS), (why) => tell(`no speaker: you hear nothing (${why})`), ends) : toFile(choice.record)
  return ok({ microphone: from.value, speaker: to.name, heard: to.heard, finish: to.finish, [Symbol.dispose]: () => ends.forEach((e) => void e()) })
}

function installed(programs: readonly Program[]): readonly Program[] {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  return programs.filter(([name]) => folders.some((f) => {
    try {
      accessSync(path.join(f, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  }))
}

interface Running {
  readonly stdio: 'in' | 'out'
  readonly use: (child: ChildProcess) => void
  /** None is left, and what each of them said last. */
  readonly lost: (why: string) => void
}

/** The first that stays: one that ends had no device, or lost it, and the next is tried. They end with us, and are no reason to end when they do. */
function run(programs: readonly Program[], { stdio, use, lost }: Running, ends: (() => void)[]): string {
  let over = false
  let child: ChildProcess | undefined
  let why: string[] = []
  const begin = (at: number): void => {
    const program = programs[at]
    if (program === undefined) return lost(why.join('; '))
    const [name, ...args] = program
    const since = performance.now()
    // In a group of its own: Ctrl-C is for us alone, and its end no lost device. It ends with its pipe, whatever becomes of us.
    const own = spawn(name, args, { stdio: [stdio === 'in' ? 'pipe' : 'ignore', stdio === 'out' ? 'pipe' : 'ignore', 'pipe'], detached: true })
    child = own
    let words = ''
    own.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-2 * LAST_WORDS)
    })
    let ended = false
    const end = (how: string): void => {
      if (ended || over) return
      ended = true
      const stayed = performance.now() - since > STAYED_MS
      why = [...(stayed ? [] : why), `${name}: ${lastLine(words) ?? how}`]
      begin(stayed ? 0 : at + 1)
    }
    own.on('error', (e) => end(e.message)).on('close', (code, signal) => end(`it ended with ${signal ?? code}`))
    use(own)
  }
  if (programs.length > 0) begin(0)
  ends.push(() => {
    over = true
    child?.kill()
  })
  return programs[0]?.[0] ?? ''
}
const lastLine = (text: string): string | undefined => text.split('\n').map((l) => l.replace(/[\x00-\x1f\x7f-\x9f]/g, '').trim()).filter((l) => l !== '').at(-1)?.slice(0, LAST_WORDS)

function fromProgram(programs: readonly Program[], speak: (pcm: Int16Array) => void, lost: Running['lost'], ends: (() => void)[]): string {
  const listen = (child: ChildProcess): void => {
    let odd: Buffer = Buffer.alloc(0)
    child.stdout!.on('data', (more: Buffer) => {
      const all = Buffer.concat([odd, more])
      const samples = Math.floor(all.length / 2)
      odd = all.subarray(2 * samples)
      for (let at = 0; at < samples; at += LARGEST_PIECE) {
        const piece = new Int16Array(Math.min(LARGEST_PIECE, samples - at))
        for (let i = 0; i < piece.length; i++) piece[i] = all.readInt16LE(2 * (at + i))
        speak(piece)
      }
    })
  }
  return run(programs, { stdio: 'out', use: listen, lost }, ends)
}

function fromFile(file: string, speak: (pcm: Int16Array) => void, ends: (() => void)[]): Result<string> {
  let octets: Uint8Array
  try {
    octets = readFileSync(file)
  } catch (e) {
    return err('STORE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
  const speech = speechOf(octets)
  if (!speech.ok) return speech
  const began = performance.now()
  let said = 0
  // Frames that are due by the clock: timers are late, voices are not.
  const timer = setInterval(() => {
    for (const due = (performance.now() - began) / FRAME_MS; said < due; said++) {
      const at = (said * FRAME) % speech.value.length
      speak(speech.value.slice(at, at + FRAME))
    }
  }, FRAME_MS)
  ends.push(() => clearInterval(timer))
  return ok(file)
}

type Out = { readonly name: string } & Pick<Sound, 'heard' | 'finish'>

function toProgram(programs: readonly Program[], lost: Running['lost'], ends: (() => void)[]): Out {
  let stdin: Writable | undefined
  const play = (child: ChildProcess): void => {
    stdin = child.stdin!.on('error', () => {})
  }
  return {
    name: run(programs, { stdio: 'in', use: play, lost }, ends),
    heard: (pcm) => {
      if (stdin?.writable === true && stdin.writableLength < MOST_WAITING) stdin.write(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength))
    },
    finish: () => ok(undefined),
  }
}

function toFile(file: string): Out {
  const pieces: Int16Array[] = []
  let samples = 0
  return {
    name: file,
    heard: (pcm) => {
      if (samples > RECORD_LIMIT_S * RATE) return
      pieces.push(pcm.slice())
      samples += pcm.length
    },
    finish: () => {
      try {
        writeFileSync(file, wavOf({ rate: RATE, pcm: joinPcm(pieces) }), { mode: 0o600 })
        return ok(undefined)
      } catch (e) {
        return err('STORE_UNWRITABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
      }
    },
  }
}
