/** `stc server init`: a server's configuration from the certificate that an administrator has. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { PUBLIC_MODE, writeNew } from '../pki/files.ts'
import { makeAnchors, verifyChain } from '../protocol/x509/path.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { readCertificates, readIdentity } from '../store/identity-file.ts'
import { collect, currentTime } from './options.ts'
import { answer, complain, EXIT, fail } from './output.ts'

interface Options {
  readonly certificate: string
  readonly key: string
  readonly anchor: readonly string[]
  readonly out: string
  readonly port: string
  readonly realm: string
}

export function registerServerInit(server: Command): void {
  server.command('init')
    .description('write the configuration of a server, after checking its certificate')
    .requiredOption('--certificate <file>', 'the server\'s certificate and what is between it and the authority (PEM)')
    .requiredOption('--key <file>', 'its private key (PEM)')
    .option('--anchor <file>', 'certificate of the authority whose members may connect (can be repeated)', collect, [])
    .option('--port <port>', 'TCP and UDP', '7443')
    .option('--realm <realm>', 'must be the same at all clients', 'stc')
    .option('-o, --out <file>', 'configuration to write', 'server.yaml')
    .action((_: object, command: Command) => init(command.opts<Options>()))
}

function init(o: Options): void {
  const wrong = (text: string): void => {
    complain(`stc: ${text}`)
    process.exitCode = EXIT.usage
  }
  const port = Number(o.port)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return wrong(`"${o.port}" is no port: 1 to 65535.`)
  if (!/^[a-z0-9.-]{1,64}$/.test(o.realm)) return wrong(`"${o.realm}" is no realm: lower-case letters, digits, . -`)
  if (o.anchor.length === 0) return wrong('name the authority whose members may connect: --anchor FILE.')
  if (existsSync(o.out)) return wrong(`${o.out} exists already: nothing was overwritten. Name another file with --out.`)
  const crypto = createNodeCrypto()
  const own = readIdentity(crypto, { certificateFile: o.certificate, keyFile: o.key }, currentTime())
  if (!own.ok) return fail(own.fault)
  using identity = own.value
  const ders = o.anchor.map((f) => readCertificates(f))
  for (const d of ders) if (!d.ok) return fail(d.fault)
  const anchors = makeAnchors(ders.flatMap((d) => (d.ok ? d.value : [])))
  if (!anchors.ok) return fail(anchors.fault)
  const verified = verifyChain(crypto, identity.chain, anchors.value, [], currentTime(), 'server', 'given')
  if (!verified.ok) return fail(verified.fault)
  const beside = (file: string): string => path.relative(path.dirname(path.resolve(o.out)), path.resolve(file))
  const written = writeNew(o.out, stringify({ listen: { port }, realm: o.realm, identity: { certificate: beside(o.certificate), key: beside(o.key), anchors: o.anchor.map(beside) }, data: 'stc-server-data', admin: {} }), PUBLIC_MODE)
  if (!written.ok) return fail(written.fault)
  const { identity: shown, validUntil } = verified.value
  answer({ file: o.out, hosts: shown.hosts, validUntil }, [
    `Wrote ${o.out}. Clients connect to ${shown.hosts.join(' or ')}, port ${port}; the certificate is valid until ${formatTime(validUntil)}.`,
    'What is left to do:', `  1. let TCP and UDP port ${port} in`, `  2. stc server -c ${o.out}   (as a service: packaging/systemd)`, `  3. stc server status -c ${o.out}`, `  4. clients: server: { host: ${shown.hosts[0] ?? 'NAME'}${port === 7443 ? '' : `, port: ${port}`} }, realm: ${o.realm}`,
  ])
}
