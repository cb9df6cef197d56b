/** Whose key each number had in sealed calls: once sealed, always required, and by the same key. One JSON file, replaced as a whole. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { replaceFile } from './atomic-file.ts'

const LIMIT = 10_000
const content = z.object({
  version: z.literal(1),
  numbers: z.array(z.object({ number: z.string().max(256), keyId: z.string().regex(/^[0-9a-f]{64}$/), name: z.string().max(200) })).max(LIMIT),
})
type Entry = z.infer<typeof content>['numbers'][number]

export class SealedNumbers {
  readonly #file: string
  readonly #numbers: Map<string, Entry>
  /** What could not be written. */
  onFault: (message: string) => void = () => {}

  private constructor(file: string, numbers: readonly Entry[]) {
    this.#file = file
    this.#numbers = new Map(numbers.map((n) => [n.number, n]))
  }
  static open(file: string): Result<SealedNumbers> {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      return code === 'ENOENT' ? ok(new SealedNumbers(file, [])) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
    }
    try {
      const parsed = content.safeParse(JSON.parse(text))
      return parsed.success ? ok(new SealedNumbers(file, parsed.data.numbers)) : err('STORE_DAMAGED', file)
    } catch {
      return err('STORE_DAMAGED', file)
    }
  }

  keyOf(number: string): string | undefined {
    return this.#numbers.get(number)?.keyId
  }
  /** Empty: nobody whom we know vouched for it. */
  nameOf(number: string): string | undefined {
    return this.#numbers.get(number)?.name
  }
  remember(number: string, keyId: string, name: string): void {
    const before = this.#numbers.get(number)
    if (number === '' || number.length > 256 || (before?.keyId === keyId && before.name === name)) return
    this.#numbers.delete(number)
    this.#numbers.set(number, { number, keyId, name: name.slice(0, 200) })
    if (this.#numbers.size > LIMIT) this.#numbers.delete(this.#numbers.keys().next().value!)
    const written = replaceFile(this.#file, utf8(JSON.stringify({ version: 1, numbers: [...this.#numbers.values()] })))
    if (!written.ok) this.onFault(written.fault.message)
  }
}
