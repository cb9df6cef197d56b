/** The server's state as Prometheus metrics. Read when asked for; no label has a person's or a room's name. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { addTo, type PlaneTotals } from '../../media/plane/types.ts'
import type { ServerStatus } from '../status.ts'

export interface Metrics {
  /** A commit of a room was decided so long after it was ordered. */
  commit(ms: number): void
  /** The text of an exposition (version 0.0.4), and its content type. */
  expose(status: ServerStatus, refusals: readonly (readonly [code: string, count: number])[]): Promise<{ readonly type: string; readonly text: string }>
}

type Labels = Readonly<Record<string, string>>

export function adminMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const commits = new Histogram({ name: 'stc_room_commit_seconds', help: 'From the order of a commit to its decision.', buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5], registers })
  const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers })
  const counter = (name: string, help: string, labelNames: string[] = []) => new Counter({ name, help, labelNames, registers })
  const gauges = {
    sessions: gauge('stc_sessions', 'Connected clients.'),
    rooms: gauge('stc_rooms', 'Rooms with a group.'),
    members: gauge('stc_room_members', 'Members of all rooms.'),
    waiting: gauge('stc_room_waiting', 'Who waits to be let in, in all rooms.'),
    legs: gauge('stc_legs', 'Open media legs.', ['kind', 'path']),
    plane: gauge('stc_media_plane', '1 for the media plane that runs.', ['plane']),
    buffers: gauge('stc_media_buffer_octets', 'What the system keeps of what comes and goes at the media port; less than it was asked for (wanted) means losses in bursts.', ['direction']),
    workers: gauge('stc_media_workers', 'Threads that share the media port.'),
    jitter: gauge('stc_media_jitter_seconds', 'Largest interarrival jitter of a stream that comes in (RFC 3550).'),
    certificate: gauge('stc_certificate_end_seconds', 'End of the server certificate, seconds since 1970.'),
    lists: gauge('stc_revocation_lists_end_seconds', 'When the first of the revocation lists at hand has to be replaced, seconds since 1970; no sample where there is none.'),
    draining: gauge('stc_draining', '1 while the server begins no new rooms.'),
    uptime: gauge('stc_uptime_seconds', 'Since the server was started.'),
  }
  const counters = {
    packets: counter('stc_media_packets_total', 'RTP packets of known streams in, and out.', ['direction']),
    octets: counter('stc_media_octets_total', 'Octets of these.', ['direction']),
    dropped: counter('stc_media_dropped_total', 'Packets that were not passed on.', ['reason']),
    forged: counter('stc_media_authentication_failures_total', 'Packets of known streams with a wrong SRTP tag.'),
    lost: counter('stc_media_lost_total', 'Packets of known streams that did not come, by their sequence numbers.'),
    replayed: counter('stc_media_replays_total', 'Packets of known streams that had come before.'),
    refusals: counter('stc_refusals_total', 'What was refused or failed on channels, by code.', ['code']),
  }
  /** A late packet is not lost any more, a sum does not shrink. */
  let lost = 0
  /** A counter whose sum is kept elsewhere. */
  const total = (c: Counter, rows: readonly (readonly [Labels, number])[]): void => {
    c.reset()
    for (const [labels, n] of rows) c.inc(labels, n)
  }
  return {
    commit: (ms) => commits.observe(ms / 1000),
    async expose(status, refusals) {
      const sum = totals(status)
      gauges.sessions.set(status.sessions)
      gauges.rooms.set(status.rooms.length)
      gauges.members.set(status.rooms.reduce((n, r) => n + r.members, 0))
      gauges.waiting.set(status.rooms.reduce((n, r) => n + r.waiting, 0))
      gauges.legs.reset()
      for (const l of status.legs) gauges.legs.inc({ kind: l.kind, path: l.path })
      gauges.plane.reset()
      gauges.plane.set({ plane: status.plane.provider }, 1)
      gauges.workers.set(status.plane.workers)
      for (const direction of ['receive', 'send', 'wanted'] as const) gauges.buffers.set({ direction }, status.plane.buffers[direction])
      gauges.jitter.set(status.legs.reduce((most, l) => l.streams.reduce((m, s) => Math.max(m, s.jitterMs), most), 0) / 1000)
      gauges.certificate.set(status.certificateEnds)
      gauges.lists.reset()
      if (status.revocationListsEnd === undefined) gauges.lists.remove()
      else gauges.lists.set(status.revocationListsEnd)
      gauges.draining.set(status.draining ? 1 : 0)
      gauges.uptime.set(status.uptimeSeconds)
      total(counters.packets, [[{ direction: 'in' }, sum.received], [{ direction: 'out' }, sum.sent]])
      total(counters.octets, [[{ direction: 'in' }, sum.receivedOctets], [{ direction: 'out' }, sum.sentOctets]])
      total(counters.dropped, [[{ reason: 'refused' }, sum.refused], [{ reason: 'rate' }, sum.limited], [{ reason: 'no_path' }, sum.unsent], [{ reason: 'stray' }, status.stray], [{ reason: 'send' }, status.own?.unsent ?? 0], [{ reason: 'receive' }, status.own?.overflowed ?? 0]])
      total(counters.lost, [[{}, (lost = Math.max(lost, sum.lost))]])
      total(counters.forged, [[{}, sum.forged]])
      total(counters.replayed, [[{}, sum.replayed]])
      total(counters.refusals, refusals.map(([code, n]) => [{ code }, n] as const))
      return { type: registry.contentType, text: await registry.metrics() }
    },
  }
}

/** Of legs that are and legs that were. */
export function totals(status: ServerStatus): PlaneTotals {
  const sum: PlaneTotals = { ...status.past }
  for (const leg of status.legs) addTo(sum, leg)
  return sum
}
