/** Whose key each number had in sealed calls: once sealed, always required, and by the same key. One JSON file, replaced as a whole. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'
import { isDigits, plainNumber, sameNumber } from '../model/telephone-number.ts'
import { replaceFile } from './atomic-file.ts'

const LIMIT = 10_000
/** Shorter ones are extensions, of one PBX. */
const LOCAL = 7
const content = z.object({
  version: z.literal(1),
  numbers: z.array(z.object({
    /** Domain of the account that it was called with; empty where that was not known, and in files from before it was written down. */
    account: z.string().max(256).default(''),
    number: z.string().max(256), keyId: z.string().regex(/^[0-9a-f]{64}$/), name: z.string().max(200),
  })).max(LIMIT),
})
type Entry = z.infer<typeof content>['numbers'][number]
type Who = Pick<Entry, 'account' | 'number'>

export class SealedNumbers {
  readonly #file: string
  /** The oldest first. */
  #numbers: readonly Entry[]
  readonly #accounts: readonly string[]
  /** What could not be written. */
  onFault: (message: string) => void = () => {}

  private constructor(file: string, accounts: readonly string[], numbers: readonly Entry[]) {
    this.#file = file
    this.#accounts = accounts
    this.#numbers = numbers
  }
  /** `accounts`: domains of those that there are now. What was remembered for another counts at all of them: it may be one of these under a new name. */
  static open(file: string, accounts: readonly string[] = []): Result<SealedNumbers> {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      return code === 'ENOENT' ? ok(new SealedNumbers(file, accounts, [])) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
    }
    try {
      const parsed = content.safeParse(JSON.parse(text))
      return parsed.success ? ok(new SealedNumbers(file, accounts, parsed.data.numbers)) : err('STORE_DAMAGED', file)
    } catch {
      return err('STORE_DAMAGED', file)
    }
  }

  keyOf(who: Who): string | undefined {
    return this.#find(who)?.keyId
  }
  /** Empty: nobody whom we know vouched for it. */
  nameOf(who: Who): string | undefined {
    return this.#find(who)?.name
  }
  remember(who: Who, keyId: string, name: string): void {
    const before = this.#at(who)
    if (who.number === '' || who.number.length > 256 || who.account.length > 256 || (before?.keyId === keyId && before.name === name)) return
    // The longer spelling says more.
    const number = before !== undefined && plainNumber(before.number).length > plainNumber(who.number).length ? before.number : who.number
    this.#numbers = [...this.#numbers.filter((n) => n !== before), { account: who.account, number, keyId, name: name.slice(0, 200) }].slice(-LIMIT)
    const written = replaceFile(this.#file, utf8(JSON.stringify({ version: 1, numbers: this.#numbers })))
    if (!written.ok) this.onFault(written.fault.message)
  }

  /** The account's own, else one that may be it: a telephone number is somebody's whoever connects the call. */
  #find(who: Who): Entry | undefined {
    const { account } = who
    const everywhere = isDigits(who.number) && plainNumber(who.number).length >= LOCAL
    return this.#at(who) ?? closest(this.#numbers.filter((n) => everywhere || account === '' || n.account === '' || !this.#accounts.includes(n.account)), who)
  }
  #at(who: Who): Entry | undefined {
    return closest(this.#numbers.filter((n) => n.account === who.account), who)
  }
}

/** As it is written, else the newest that is the same number in another spelling. */
const closest = (entries: readonly Entry[], { number }: Who): Entry | undefined =>
  entries.findLast((n) => n.number === number) ?? entries.findLast((n) => sameNumber(n.number, number))
