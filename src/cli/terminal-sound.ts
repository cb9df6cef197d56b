/** Microphone and speaker of `stc call`: a program of the system that gives and takes plain samples, or WAV files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { joinPcm } from '../audio/join-pcm.ts'
import { speechOf, wavOf } from '../audio/wav.ts'
import { err, ok, type Result } from '../base/result.ts'

const RATE = 16_000
const FRAME = 320
const FRAME_MS = 20
/** The media thread takes pieces of up to 120 ms. */
const LARGEST_PIECE = 6 * FRAME
/** A speaker that hangs holds nobody up. */
const MOST_WAITING = RATE * 2
const RECORD_LIMIT_S = 3600

const MICROPHONES: readonly (readonly [string, ...string[]])[] = [
  ['parec', '--raw', `--rate=${RATE}`, '--channels=1', '--format=s16le', '--latency-msec=20'], ['arecord', '-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${RATE}`, '-c', '1', '-'],
  ['rec', '-q', '-t', 'raw', '-b', '16', '-e', 'signed-integer', '-r', `${RATE}`, '-c', '1', '-'],
]
const SPEAKERS: readonly (readonly [string, ...string[]])[] = [
  ['pacat', '--playback', '--raw', `--rate=${RATE}`, '--channels=1', '--format=s16le', '--latency-msec=40'], ['aplay', '-q', '-t', 'raw', '-f', 'S16_LE', '-r', `${RATE}`, '-c', '1', '-'],
  ['play', '-q', '-t', 'raw', '-b', '16', '-e', 'signed-integer', '-r', `${RATE}`, '-c', '1', '-'],
]

export interface Sound extends Disposable {
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

export function openSound(choice: SoundChoice, speak: (pcm: Int16Array) => void): Result<Sound> {
  const ends: (() => void)[] = []
  const from = choice.play === undefined ? ok(fromProgram(choice.mute === true ? undefined : find(MICROPHONES), speak, ends)) : fromFile(choice.play, speak, ends)
  if (!from.ok) return from
  const to = choice.record === undefined ? toProgram(choice.mute === true ? undefined : find(SPEAKERS), ends) : toFile(choice.record)
  return ok({ microphone: from.value, speaker: to.name, heard: to.heard, finish: to.finish, [Symbol.dispose]: () => ends.forEach((e) => void e()) })
}

function find(programs: typeof MICROPHONES): readonly [string, ...string[]] | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter)
  return programs.find(([name]) => folders.some((f) => {
    try {
      accessSync(path.join(f, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  }))
}

/** Ends with us, and is no reason to end when it does. */
function start([name, ...args]: readonly [string, ...string[]], stdio: 'in' | 'out', ends: (() => void)[]): ChildProcess {
  const child = spawn(name, args, { stdio: [stdio === 'in' ? 'pipe' : 'ignore', stdio === 'out' ? 'pipe' : 'ignore', 'ignore'] })
  child.on('error', () => {})
  ends.push(() => void child.kill())
  return child
}

function fromProgram(program: readonly [string, ...string[]] | undefined, speak: (pcm: Int16Array) => void, ends: (() => void)[]): string {
  if (program === undefined) return ''
  let odd: Buffer = Buffer.alloc(0)
  start(program, 'out', ends).stdout!.on('data', (more: Buffer) => {
    const all = Buffer.concat([odd, more])
    const samples = Math.floor(all.length / 2)
    odd = all.subarray(2 * samples)
    for (let at = 0; at < samples; at += LARGEST_PIECE) {
      const piece = new Int16Array(Math.min(LARGEST_PIECE, samples - at))
      for (let i = 0; i < piece.length; i++) piece[i] = all.readInt16LE(2 * (at + i))
      speak(piece)
    }
  })
  return program[0]
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

function toProgram(program: readonly [string, ...string[]] | undefined, ends: (() => void)[]): Out {
  if (program === undefined) return { name: '', heard: () => {}, finish: () => ok(undefined) }
  const { stdin } = start(program, 'in', ends)
  stdin!.on('error', () => {})
  return {
    name: program[0],
    heard: (pcm) => {
      if (stdin!.writable && stdin!.writableLength < MOST_WAITING) stdin!.write(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength))
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
