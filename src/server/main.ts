/** The server with its real sockets and threads. */
import path from 'node:path'
import { instant } from '../base/brand.ts'
import { err, type Fault, ok, type Result } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { selfTest } from '../crypto/self-test.ts'
import { startPlane, type RunningPlane } from '../media/plane-host.ts'
import { type AddressPort, showAddress } from '../net/address.ts'
import { everyAddress } from '../net/any-address.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { TlsServer } from '../net/tls-server.ts'
import { ROOM_LIMITS } from '../protocol/room/index.ts'
import type { ServerConfig } from './config.ts'
import { adminMetrics, type Page, startAdmin } from './admin/index.ts'
import { ServerCore } from './core.ts'
import { readCredentials } from './credentials.ts'
import { openDoors } from './doors.ts'
import { watchFiles } from './watched-files.ts'
import { type Log, pinoLog } from './log.ts'
import { type Pbx, startPbx } from './pbx/index.ts'
import { Attestation } from './attestation.ts'
import { Revocation, type RevocationSource } from './revocation.ts'
import { watchEnds } from './ends.ts'
import { Shelf, type ShelfOptions } from './shelf.ts'
import { readCollateral } from '../store/collateral-file.ts'
import { EvidenceFile } from '../store/evidence-file.ts'
import { readLists } from '../store/revocation-file.ts'
import { readRooms, writeRooms } from '../store/room-file.ts'
import { startPhones } from './phones/index.ts'
import { emergencyOf, startSip } from './sip/index.ts'
import { readStatus, type ServerStatus } from './status.ts'

export interface Server {
  readonly address: AddressPort
  /** UDP. */
  readonly media: AddressPort
  /** HTTP, where there is one. */
  readonly admin: AddressPort | undefined
  status(): Promise<ServerStatus>
  /** Resolves when the server cannot go on, a media thread having died: it is for its owner to close it and start another one. */
  readonly broken: Promise<Fault>
  /** Begins no new rooms; resolves when the last one is over, or after so long. Connections and the telephone system go on meanwhile. */
  drain(limitMs: number): Promise<void>
  /** Takes no more connections, ends those there are, then the media thread. */
  close(): Promise<void>
}

const CLOSE_MS = 2000

/** `source` gets statements about revocation from where certificates name them. */
export async function startServer(config: ServerConfig, log: Log = pinoLog(config.log), source?: RevocationSource): Promise<Result<Server>> {
  const crypto = createNodeCrypto()
  const tested = selfTest(crypto)
  if (!tested.ok) return tested
  const scheduler = realScheduler()
  const credentials = readCredentials(config, crypto, scheduler.unix())
  if (!credentials.ok) return credentials
  const revocation = new Revocation(config.revocation.rule, source)
  revocation.trust(crypto, credentials.value.anchors, () => scheduler.unix())
  const flushEvidence = keepEvidence(config.data, revocation, log)
  const watching = watchFiles(config.revocation.lists, readLists, (lists) => revocation.learn(lists), scheduler, log)
  if (!watching.ok) return watching
  const attestation = new Attestation()
  const endorsing = watchFiles(config.attestation.collateral, readCollateral, (set, file) => attestation.put(file, set), scheduler, log)
  if (!endorsing.ok) {
    watching.value()
    return endorsing
  }
  // Whoever cannot start does not go on looking after files: the process would never end.
  const unwatched = <T>(failed: T): T => {
    watching.value()
    endorsing.value()
    return failed
  }
  const shelf = openShelf(config, { crypto, clock: scheduler, realm: config.realm, authorities: credentials.value.authorities }, log)
  if (!shelf.ok) return unwatched(shelf)
  const bind = { ...config.listen, address: await everyAddress(config.listen.address) }
  const { media } = config
  const plane = await startPlane({ bind, choice: media.plane, workers: media.workers, gatherMs: media.gather, segment: media.segment, ...(media.ports === undefined ? {} : { ports: media.ports }) })
  if (!plane.ok) return unwatched(plane.fault.code === 'NET_BIND' ? err('CONFIG_LISTEN', `${showAddress(bind)} UDP`, plane.fault) : plane)
  const { provider, fallback, buffers, workers } = plane.value.facts
  if (fallback !== undefined) log.warn({ code: fallback.code }, fallback.message)
  if (workers < media.workers) log.warn({ wanted: media.workers, workers }, 'the portable media plane is one thread')
  if (buffers.receive < buffers.wanted || buffers.send < buffers.wanted) log.warn(buffers, `the system keeps less of what comes and goes than was asked for: set net.core.rmem_max and net.core.wmem_max to ${buffers.wanted} (sysctl), or give the native plane CAP_NET_ADMIN`)
  plane.value.onFault((fault) => log.warn({ code: fault.code }, fault.message))
  const core = new ServerCore({
    crypto, scheduler, plane: plane.value, log, agent: 'stc', realm: config.realm, advertise: config.advertise,
    roomLimits: { ...ROOM_LIMITS, maximumMembers: config.rooms.members }, maximumRooms: config.rooms.maximum, revocation, attestation,
    forwarding: { loudest: config.rooms.loudest, hold: new Map(Object.entries(media.rooms).map(([room, { gather }]) => [room, gather])) }, shelf: shelf.value,
  })
  const pbx = config.pbx === undefined ? undefined : await startPbx(config.pbx, core, () => core.legs)
  const sip = config.sip === undefined || pbx?.ok === false ? undefined : await startSip(config.sip, core, credentials.value.key)
  const phones = config.phones === undefined || sip?.ok !== true ? undefined : await startPhones({ config: config.phones, core, credentials: credentials.value, relay: sip.value, emergency: emergencyOf(config.sip!) })
  const status = readStatus(core, plane.value, pbx?.ok === true ? pbx.value : undefined, credentials.value.certificate)
  const admin = config.admin === undefined || pbx?.ok === false || sip?.ok === false || phones?.ok === false ? undefined : await openAdmin(config.admin, core, status)
  const unstarted = pbx?.ok === false ? pbx : sip?.ok === false ? sip : phones?.ok === false ? phones : admin?.ok === false ? admin : undefined
  if (unstarted !== undefined) {
    if (pbx?.ok === true) pbx.value.stop()
    core.phones?.close()
    core.sip?.close()
    await plane.value.stop()
    return unwatched(unstarted)
  }
  const tls = await openDoors(config, bind, core, credentials.value)
  if (!tls.ok) {
    if (pbx?.ok === true) pbx.value.stop()
    if (admin?.ok === true) admin.value.close()
    core.phones?.close()
    core.sip?.close()
    await plane.value.stop()
    return unwatched(tls)
  }
  const adminAt = admin?.ok === true ? admin.value.local : undefined
  const endWatching = watchEnds({ certificate: credentials.value.certificate, revocation, scheduler, log })
  log.info({ address: showAddress(tls.value.local), media: showAddress(plane.value.local), realm: config.realm, plane: provider, workers, buffers, ...(adminAt && { admin: showAddress(adminAt) }), ...(phones?.ok === true && { phones: showAddress(phones.value.local) }) }, 'listening')
  return ok(running({ core, tls: tls.value, plane: plane.value, log, status, admin: adminAt, pbx: pbx?.ok === true ? pbx.value : undefined, end: () => {
    watching.value()
    endWatching()
    endorsing.value()
    source?.stop()
    flushEvidence()
    if (admin?.ok === true) admin.value.close()
  } }))
}

/** Lists and answers of before the restart are there before the network is. */
function keepEvidence(data: string | undefined, revocation: Revocation, log: Log): () => void {
  if (data === undefined) return () => {}
  const file = new EvidenceFile(path.join(data, 'evidence.stc'), () => revocation.judge)
  revocation.learn(file.proofs())
  file.onFault = (fault) => log.warn({ code: fault.code }, fault.message)
  revocation.keep = (proofs) => {
    const kept = file.learn(proofs)
    if (!kept.ok) file.onFault(kept.fault)
  }
  return () => file.flush()
}

/** What the server keeps for others, from its data folder and back into it. */
function openShelf(config: ServerConfig, options: ShelfOptions, log: Log): Result<Shelf> {
  if (config.data === undefined) return ok(new Shelf(options))
  const file = path.join(config.data, 'rooms.stc')
  const content = readRooms(file)
  if (!content.ok) return content
  const shelf = new Shelf(options, content.value)
  shelf.onChange = (now) => {
    const written = writeRooms(file, now)
    if (!written.ok) log.warn({ code: written.fault.code }, written.fault.message)
  }
  return ok(shelf)
}

/** Metrics and status for whoever reaches the admin address. */
function openAdmin(bind: AddressPort, core: ServerCore, status: () => Promise<ServerStatus>): ReturnType<typeof startAdmin> {
  const metrics = adminMetrics()
  core.rooms.onCommit = (ms) => metrics.commit(ms)
  return startAdmin(bind, new Map<string, Page>([
    ['/metrics', async () => metrics.expose(await status(), core.refusals.counts)],
    ['/status', async () => ({ type: 'application/json', text: JSON.stringify(await status()) })],
  ]))
}

interface Running {
  readonly core: ServerCore
  readonly tls: TlsServer
  readonly plane: RunningPlane
  readonly log: Log
  readonly status: () => Promise<ServerStatus>
  readonly admin: AddressPort | undefined
  readonly pbx: Pbx | undefined
  /** Ends what watches and what is looked at. */
  readonly end: () => void
}

function running({ core, tls, plane, log, status, admin, pbx, end }: Running): Server {
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    end()
    const closed = tls.close(CLOSE_MS)
    core.stop()
    pbx?.stop()
    core.phones?.close()
    core.sip?.close()
    await closed
    await plane.stop()
    log.info({}, 'closed')
  }
  const drain = (limitMs: number): Promise<void> => new Promise((resolve) => {
    log.info({ rooms: core.rooms.status.length }, 'draining: no new rooms from now on')
    const cancel = core.options.scheduler.at(instant(core.options.scheduler.now() + limitMs), () => {
      log.warn({ code: 'ROOM_DRAINING', rooms: core.rooms.status.length }, 'rooms are still open, and the time for draining is over')
      resolve()
    })
    core.rooms.drain(() => {
      cancel()
      resolve()
    })
  })
  return { address: tls.local, media: plane.local, admin, status, broken: plane.broken, drain, close: () => (closing ??= close()) }
}
