/** Several that watch one client: terminal, page, journal. */
import type { Fault } from '../base/result.ts'
import type { MediaEvent } from '../media/api.ts'
import type { ServerWire } from '../protocol/wire/messages.ts'
import type { CallObserver } from './calls.ts'
import type { RevocationProof } from '../model/trust.ts'
import type { HandsetEvent } from './handset/port.ts'
import type { RingNews } from './rings.ts'

export interface ClientObserver extends CallObserver {
  onServer?(up: boolean, detail: { readonly welcome?: ServerWire['welcome']; readonly fault?: Fault }): void
  /** It has not answered for two seconds while somebody talked or looked; false: it answers again. The connection stands, until `onServer` says otherwise. */
  onServerSilent?(silent: boolean): void
  /** The vault has died; `final`: there will be no other. Otherwise rooms are joined again with a new one. */
  onVault?(fault: Fault, final: boolean): void
  onPhone?(e: HandsetEvent): void
  /** The server handed out a block notice that was not known. */
  onNotice?(): void
  onMedia?(e: MediaEvent): void
  /** Somebody calls us, or we call somebody. */
  onRing?(news: RingNews): void
  /** A call that came was not believed. */
  onRingRefused?(fault: Fault): void
  /** Statements about revocation, some of them new. */
  onProofs?(proofs: readonly RevocationProof[]): void
}

export function observeAll(...all: readonly ClientObserver[]): ClientObserver {
  return {
    onServer: (up, d) => all.forEach((o) => void o.onServer?.(up, d)),
    onServerSilent: (silent) => all.forEach((o) => void o.onServerSilent?.(silent)),
    onVault: (fault, final) => all.forEach((o) => void o.onVault?.(fault, final)),
    onPhone: (e) => all.forEach((o) => void o.onPhone?.(e)),
    onNotice: () => all.forEach((o) => void o.onNotice?.()),
    onProofs: (proofs) => all.forEach((o) => void o.onProofs?.(proofs)),
    onRing: (news) => all.forEach((o) => void o.onRing?.(news)),
    onRingRefused: (fault) => all.forEach((o) => void o.onRingRefused?.(fault)),
    onMedia: (e) => all.forEach((o) => void o.onMedia?.(e)),
    onEvent: (call, e) => all.forEach((o) => void o.onEvent?.(call, e)),
    onJoined: (call) => all.forEach((o) => void o.onJoined?.(call)),
    onShown: (call) => all.forEach((o) => void o.onShown?.(call)),
    onOver: (call, reason, fault) => all.forEach((o) => void o.onOver?.(call, reason, fault)),
    onStats: (call, e) => all.forEach((o) => void o.onStats?.(call, e)),
  }
}
