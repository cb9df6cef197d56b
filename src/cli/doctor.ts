/** `stc doctor`: what stands between this client and a call, in plain words, each with the next step. */
import type { Command } from 'commander'
import type { Der } from '../base/brand.ts'
import { type ClientConfig, clientConfig } from '../client/config.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { readCertificates } from '../store/identity-file.ts'
import { configFileOf, withConfig } from './config-file.ts'
import { examinePki } from './doctor-pki.ts'
import { type Finding, good, showFindings } from './doctor/findings.ts'
import { lookAtDialPlan, lookAtPhones, lookAtVault } from './doctor/here.ts'
import { lookAtNetwork } from './doctor/network.ts'
import { lookAtProviders } from './doctor/providers.ts'
import { lookAtClient, runningNow } from './doctor/running.ts'
import { fail } from './output.ts'

export function registerDoctor(program: Command): Command {
  return withConfig(program.command('doctor').description('find out what is wrong with a client, and what to do about it'))
    .option('--offline', 'look at this machine alone, send nothing')
    .action(async (o: { config?: string; offline?: boolean }) => {
      const file = configFileOf(o.config)
      const config = readConfig(file, clientConfig)
      if (!config.ok) return fail(config.fault)
      showFindings(await examineClient(config.value, file, o.offline === true))
    })
}

/** In the order in which things have to work; what cannot work because of something before is left out. */
export async function examineClient(config: ClientConfig, file: string, offline: boolean): Promise<Finding[]> {
  const found: Finding[] = [good(`configuration ${file}`), ...(await examinePki(file, offline)), ...(await lookAtVault(config, file)), ...lookAtDialPlan(config)]
  // Whether a client runs is asked at its own door: where it does, the addresses of its phones are taken, and by nobody else.
  if (offline) return [...found, ...(await lookAtPhones(config, await runningNow(file)))]
  found.push(...(await lookAtProviders(config)))
  if (config.server === undefined) return [...found, good('no server is configured: calls go through telephone providers alone'), ...(await lookAtPhones(config, await runningNow(file)))]
  const network = await lookAtNetwork(config.server, config.identity.anchors.flatMap((a) => certificatesIn(besideConfig(file, a))))
  found.push(...network.findings)
  const client = network.reached ? await lookAtClient(config, file) : undefined
  return [...found, ...(client?.findings ?? []), ...(await lookAtPhones(config, client?.running ?? await runningNow(file)))]
}

function certificatesIn(file: string): Der[] {
  const some = readCertificates(file)
  return some.ok ? some.value : []
}
