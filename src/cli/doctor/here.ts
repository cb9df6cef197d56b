/** What can be seen on this machine alone: dial plan, phones, the vault. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { ClientConfig } from '../../client/config.ts'
import { dialPlanOf } from '../../client/config.ts'
import { isEmergency } from '../../client/switch.ts'
import { enclaveOf } from '../compose-vault.ts'
import { bundleIn, findBundle } from '../../vault/host/bundle.ts'
import { probeVault } from '../../vault/host/process.ts'
import type { ClientStatus } from '../attended.ts'
import { type Finding, good, ofFault, risky, wrong } from './findings.ts'

export function lookAtDialPlan(config: ClientConfig): Finding[] {
  const plan = dialPlanOf(config)
  const found: Finding[] = []
  for (const [dialled, room] of Object.entries(config.dialPlan.names)) {
    if (isEmergency(plan, dialled)) found.push(wrong(`${dialled} is an emergency number: the room ${room} cannot be dialled by it`, 'give the room another number in dialPlan.names'))
    else if (dialled.startsWith(plan.roomPrefix) && dialled.slice(plan.roomPrefix.length) !== room) found.push(risky(`${dialled} leads to the room ${room}, not to the room ${dialled.slice(plan.roomPrefix.length)}, although the room prefix is ${plan.roomPrefix}`, 'another number in dialPlan.names would not surprise anybody'))
  }
  const swallowed = plan.emergencyNumbers.filter((n) => n.startsWith(plan.roomPrefix))
  if (swallowed.length > 0) found.push(good(`emergency numbers that begin with the room prefix (${swallowed.join(', ')}) stay emergency numbers`))
  if (config.upstream === 'server') found.push(good(`numbers that begin with ${plan.roomPrefix} are sealed rooms, all others go to the telephone system: its own numbers must not begin with ${plan.roomPrefix}`))
  return found.length > 0 ? found : [good(`rooms are dialled with ${plan.roomPrefix} in front; emergency numbers: ${plan.emergencyNumbers.join(', ')}`)]
}

export async function lookAtPhones(config: ClientConfig, running: ClientStatus | undefined): Promise<Finding[]> {
  const all = [...config.phones, ...config.lines.flatMap((l) => l.phones)]
  if (all.length === 0) return [good('no SIP phone is configured: the browser is the phone')]
  const found: Finding[] = []
  for (const phone of all) {
    const where = `${phone.address} port ${phone.port}`
    if (phone.address !== '127.0.0.1' && phone.address !== '::1' && Object.keys(phone.users).length === 0) found.push(wrong(`phone ${phone.line} at ${where} can be reached from the network and has no password: only phones of this machine get in`, 'add users: { NAME: PASSWORD } to it'))
    if (running !== undefined) {
      const registered = running.lines.flatMap((l) => l.registered).some((r) => r.line === phone.line)
      found.push(registered ? good(`phone ${phone.line} is registered`) : risky(`no phone is registered as ${phone.line}`, `in the phone: user ${Object.keys(phone.users)[0] ?? phone.line}, server and outbound proxy ${where}; dialling works without registering too`))
    } else {
      const why = await taken(phone.address, phone.port, phone.transports.includes('udp'))
      found.push(why === undefined ? good(`the address of phone ${phone.line} is free (${where})`)
        : why === 'EADDRINUSE' ? wrong(`another program has the address of phone ${phone.line} (${where})`, 'end it, often a softphone that listens itself, or give another port: phones: [{ port: … }]')
        : wrong(`the address of phone ${phone.line} cannot be used (${where}: ${why})`, 'it must be an address of this machine, and a port above 1023'))
    }
  }
  return found
}

/** Why nobody could listen there. */
function taken(address: string, port: number, udp: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const code = (e: NodeJS.ErrnoException): void => resolve(e.code ?? e.message)
    if (udp) {
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').once('error', code)
      socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
    } else {
      const server = createServer().once('error', code)
      server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)))
    }
  })
}

export async function lookAtVault(config: ClientConfig, file: string): Promise<Finding[]> {
  if (config.vault === 'in-process') return [risky('the keys are kept in the client\'s own process, and the roster says so', 'set vault: process, unless this machine cannot start one')]
  const enclave = enclaveOf(config, file)
  if (!enclave.ok) return [ofFault(enclave.fault)]
  const bundle = enclave.value === undefined ? findBundle() : bundleIn(enclave.value.folder)
  if (!bundle.ok) return [ofFault(bundle.fault)]
  const report = await probeVault(bundle.value, enclave.value)
  if (!report.ok) return [ofFault(report.fault)]
  const missing = report.value.locks.filter((l) => !l.had)
  return [good(`the keys are kept in ${report.value.enclave ? 'an SGX enclave' : report.value.isolated ? 'a locked process of their own' : 'a process of their own'}`), ...missing.map((l) => risky(`the vault runs without "${l.name}"${l.detail === '' ? '' : `: ${l.detail}`}`, 'docs/protocol/vault.md says what that means'))]
}
