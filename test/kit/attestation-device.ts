/** Answers as /dev/attestation does inside an enclave: what is written to `user_report_data` stands in the quote that is read next. */
import { spawnSync } from 'node:child_process'
import { constants, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import path from 'node:path'
import { must, type Result } from '../../src/base/result.ts'

export class AttestationDevice {
  readonly #folder: string
  readonly #quoter: (reportData: Uint8Array) => Result<Uint8Array>
  #made = 0
  #ended = false

  /** `beside`: where the enclave's manifest lies. */
  constructor(beside: string, quoter: (reportData: Uint8Array) => Result<Uint8Array>, sealingKey: Uint8Array) {
    this.#folder = path.join(beside, 'attestation')
    this.#quoter = quoter
    mkdirSync(path.join(this.#folder, 'keys'), { recursive: true })
    writeFileSync(path.join(this.#folder, 'attestation_type'), 'dcap')
    writeFileSync(path.join(this.#folder, 'user_report_data'), '')
    this.seal(sealingKey)
    this.#fifo()
    void this.#serve()
  }
  /** Another enclave, or another processor. */
  seal(key: Uint8Array): void {
    writeFileSync(path.join(this.#folder, 'keys', '_sgx_mrenclave'), key)
  }
  get quotes(): number {
    return this.#made
  }
  end(): void {
    this.#ended = true
    // Lets the one that waits for a reader go.
    openSync(path.join(this.#folder, 'quote'), constants.O_RDONLY | constants.O_NONBLOCK)
  }

  /** One for each quote: who still reads the last one does not get the next. */
  #fifo(): void {
    const next = path.join(this.#folder, 'next')
    if (spawnSync('mkfifo', [next]).status !== 0) throw new Error('no mkfifo')
    renameSync(next, path.join(this.#folder, 'quote'))
  }
  async #serve(): Promise<void> {
    for (;;) {
      const reader = await open(path.join(this.#folder, 'quote'), 'w')
      if (this.#ended) return reader.close()
      this.#fifo()
      this.#made++
      await reader.writeFile(must(this.#quoter(new Uint8Array(readFileSync(path.join(this.#folder, 'user_report_data'))))))
      await reader.close()
    }
  }
}
