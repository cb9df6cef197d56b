/** The measures of speech quality, on copies whose quality is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { babble } from '../../kit/audio.ts'
import { inStep, intelligibility, segmentalSnr } from '../../kit/speech-quality.ts'
import { SeededNumbers } from '../../kit/seeded-random.ts'

const RATE = 16_000
const speech = babble(3 * RATE, 5)
const near = (got: number, wanted: number, by: number): void => assert.ok(Math.abs(got - wanted) <= by, `${got} instead of ${wanted}`)
const noisy = (amplitude: number): Int16Array => {
  const numbers = new SeededNumbers(9)
  return speech.map((s) => s + Math.round(amplitude * ((2 * numbers.u32()) / 2 ** 32 - 1)))
}

test('segmental SNR: 35 dB without a difference, 20 at a tenth of the amplitude in every frame, less with noise', () => {
  assert.equal(segmentalSnr(speech, speech, RATE), 35)
  near(segmentalSnr(speech, speech.map((s) => Math.round(0.9 * s)), RATE), 20, 0.3)
  assert.equal(segmentalSnr(speech, new Int16Array(speech.length), RATE), 0)
  assert.ok(segmentalSnr(speech, noisy(400), RATE) > segmentalSnr(speech, noisy(1600), RATE) + 6)
})

test('intelligibility: 1 for the same at any level, little of it in noise, none of a stranger', () => {
  near(intelligibility(speech, speech, RATE), 1, 1e-6)
  near(intelligibility(speech, speech.map((s) => s >> 2), RATE), 1, 0.01)
  const [little, much] = [intelligibility(speech, noisy(2000), RATE), intelligibility(speech, noisy(20_000), RATE)]
  assert.ok(little < 1 && much < little - 0.1, `${little}, ${much}`)
  assert.ok(intelligibility(speech, babble(3 * RATE, 77), RATE) < 0.5)
})

test('a delayed copy is brought into step', () => {
  const late = new Int16Array(speech.length)
  late.set(speech.subarray(0, -22), 22)
  assert.equal(segmentalSnr(speech.subarray(0, RATE), inStep(speech, late, 40).subarray(0, RATE), RATE), 35)
})
