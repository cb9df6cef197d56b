/** Several that watch one client: terminal, page, journal. */
import type { ClientObserver } from './options.ts'

export function observeAll(...all: readonly ClientObserver[]): ClientObserver {
  return {
    onServer: (up, d) => all.forEach((o) => void o.onServer?.(up, d)),
    onVault: (fault, final) => all.forEach((o) => void o.onVault?.(fault, final)),
    onPhone: (e) => all.forEach((o) => void o.onPhone?.(e)),
    onNotice: () => all.forEach((o) => void o.onNotice?.()),
    onMedia: (e) => all.forEach((o) => void o.onMedia?.(e)),
    onEvent: (call, e) => all.forEach((o) => void o.onEvent?.(call, e)),
    onJoined: (call) => all.forEach((o) => void o.onJoined?.(call)),
    onOver: (call, reason, fault) => all.forEach((o) => void o.onOver?.(call, reason, fault)),
    onStats: (call, e) => all.forEach((o) => void o.onStats?.(call, e)),
  }
}
