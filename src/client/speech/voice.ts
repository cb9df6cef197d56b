/** The voice of the phone prompts: a synthesiser where one is installed, else the recorded words that come with us. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { decodeG711, muLaw } from '../../audio/g711.ts'
import { joinPcm } from '../../audio/join-pcm.ts'
import { resample } from '../../audio/resample.ts'
import { speechOf } from '../../audio/wav.ts'
import { SENTENCES, type SpokenLanguage } from './sentences.ts'
import type { Speak, Spoken, Word } from './spoken.ts'

const SYNTHESISERS = ['espeak-ng', 'espeak']
const PATIENCE_MS = 3000
const LONGEST_TEXT = 600
const LONGEST_OCTETS = 8 << 20
const WORD_RATE = 8000
const RATE = 16_000

/** `synthesisers`: programs that read text from stdin and write a WAV to stdout with these arguments; the first that works. `patienceMs`: how long a caller is kept waiting for one. */
export function createVoice(language: SpokenLanguage = 'en', synthesisers: readonly string[] = SYNTHESISERS, patienceMs = PATIENCE_MS): Speak {
  let working: readonly string[] = synthesisers
  return async (s) => {
    for (const program of working) {
      const pcm = await synthesise(program, language, s.text(SENTENCES[language]), patienceMs)
      if (pcm !== 'late' && pcm !== undefined) return pcm
      // A machine that was busy for once: the next sentence may be in time.
      if (pcm === 'late') break
      working = working.filter((p) => p !== program)
    }
    return recorded(language, s)
  }
}

/** The text goes in by stdin: it has names in it that others chose. Undefined: it is not there, or does not work. */
function synthesise(program: string, language: SpokenLanguage, text: string, patienceMs: number): Promise<Int16Array | 'late' | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, ['--stdout', '--stdin', '-s', '150', '-v', language], { stdio: ['pipe', 'pipe', 'ignore'], timeout: patienceMs })
    const pieces: Buffer[] = []
    let octets = 0
    child.on('error', () => resolve(undefined))
    child.stdin.on('error', () => {})
    child.stdout.on('data', (more: Buffer) => {
      octets += more.length
      if (octets > LONGEST_OCTETS) child.kill()
      else pieces.push(more)
    })
    child.on('close', (code) => {
      // Ended by us, and not for what it said.
      if (child.killed && octets <= LONGEST_OCTETS) return resolve('late')
      const wav = code === 0 ? speechOf(streamed(Buffer.concat(pieces))) : undefined
      resolve(wav?.ok === true ? wav.value : undefined)
    })
    child.stdin.end(text.slice(0, LONGEST_TEXT))
  })
}

/** Who writes to a pipe does not know the length beforehand and writes a huge one: RIFF's and data's are set right. */
export function streamed(wav: Buffer): Uint8Array {
  const data = wav.indexOf('data', 12, 'latin1')
  if (data < 0 || wav.length < data + 8) return wav
  const whole = Buffer.from(wav.subarray(0, wav.length - ((wav.length - data - 8) % 2)))
  whole.writeUInt32LE(whole.length - 8, 4)
  whole.writeUInt32LE(whole.length - data - 8, data + 4)
  return new Uint8Array(whole)
}

const words = new Map<string, Int16Array>()

function recorded(language: SpokenLanguage, { words: said }: Spoken): Int16Array {
  return joinPcm(said.map((w) => wordOf(language, w)))
}

function wordOf(language: SpokenLanguage, word: Word): Int16Array {
  const file = `words/${language}/${word}.ul`
  const known = words.get(file)
  if (known !== undefined) return known
  const octets = readFileSync(new URL(file, import.meta.url))
  const narrow = new Int16Array(octets.length)
  decodeG711(muLaw, octets, narrow)
  const pcm = resample(narrow, WORD_RATE, RATE)
  words.set(file, pcm)
  return pcm
}
