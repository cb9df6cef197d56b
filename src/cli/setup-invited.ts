/** The page's way through an invitation: a key made here, a code to read out, and questions until a certificate is here. */
import { type Fault, ok, type Result } from '../base/result.ts'
import type { UnixTime } from '../base/brand.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { PageSetup } from '../model/page.ts'
import type { Ask } from '../pki/enrolment/ask.ts'
import type { Issued } from '../pki/enrolment/join.ts'
import type { Invitation } from '../pki/enrolment/link.ts'
import { isFinal, type JoinDraft, openDraft } from './join-draft.ts'

const ASK_AGAIN_MS = 2000

export interface InvitedOptions {
  readonly crypto: CryptoPort
  readonly ask: Ask
  readonly now: () => UnixTime
  /** Where the draft of the key lies. */
  readonly folder: string
  readonly show: (setup: PageSetup) => void
  /** Before the authority is asked for a certificate, which spends the invitation: there is a place for this key. */
  readonly place: (pkcs8: Uint8Array) => Result<unknown>
  /** The draft is the taker's from then on: removed when everything is in its place. */
  readonly issued: (issued: Issued, draft: JoinDraft) => Promise<Result<unknown>>
  readonly againMs?: number
}

export const onPage = ({ code, message }: Fault): Pick<PageSetup, 'fault'> => ({ fault: { code, message } })

export class Invited {
  readonly #o: InvitedOptions
  /** Counts invitations: an answer to an earlier one is nobody's. */
  #round = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: InvitedOptions) {
    this.#o = options
  }
  /** No more questions. The key stays: the same link goes on with it. */
  stop(): void {
    this.#round++
    clearTimeout(this.#timer)
  }

  /** Until the first answer; what becomes of it is shown. */
  async begin(invitation: Invitation): Promise<Result<void>> {
    this.stop()
    const round = this.#round
    const draft = openDraft(this.#o.crypto, invitation, this.#o.folder)
    if (!draft.ok) return draft
    const place = this.#o.place(draft.value.joining.pkcs8)
    if (!place.ok) return place
    const first = await this.#question(draft.value)
    if (round !== this.#round) return ok(undefined)
    if (!first.ok) return first
    void this.#take(round, draft.value, first)
    return ok(undefined)
  }

  async #question(draft: JoinDraft): Promise<Result<Issued | undefined>> {
    const answer = await draft.joining.ask(this.#o.ask, this.#o.now())
    if (!answer.ok && isFinal(answer.fault)) draft.remove()
    return answer
  }
  async #take(round: number, draft: JoinDraft, answer: Result<Issued | undefined>): Promise<void> {
    if (round !== this.#round) return
    const { show } = this.#o
    if (answer.ok && answer.value !== undefined) {
      const taken = await this.#o.issued(answer.value, draft)
      if (!taken.ok) show({ step: 'server', ...onPage(taken.fault) })
    } else if (answer.ok || answer.fault.code === 'IDENTITY_ENROLMENT_UNREACHABLE') {
      // Whoever cannot be reached now is asked again with the same key.
      show({ step: 'invited', code: draft.joining.code, ...(answer.ok ? {} : onPage(answer.fault)) })
      this.#timer = setTimeout(() => void this.#question(draft).then((next) => this.#take(round, draft, next)), this.#o.againMs ?? ASK_AGAIN_MS).unref()
    } else show({ step: 'server', ...onPage(answer.fault) })
  }
}
