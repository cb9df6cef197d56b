/** `stc attestation`: what is needed to judge the enclaves of others. */
import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { toHex } from '../base/bytes.ts'
import { makeFault } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { type CollateralRequest, fetchCollateral, INTEL_ROOT_LIST, INTEL_SERVICE } from '../pki/collateral.ts'
import { encodeCollateral, readTcbInfo } from '../protocol/sgx/collateral.ts'
import { parseQuote } from '../protocol/sgx/quote.ts'
import { platformOfQuote } from '../protocol/sgx/pck.ts'
import { verifyCollateral } from '../protocol/sgx/statements.ts'
import { formatTime } from '../protocol/x509/time.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { currentTime } from './options.ts'
import { fail, say } from './output.ts'

const FAMILY_DIGITS = 12

export function registerAttestation(program: Command): void {
  const attestation = program.command('attestation').description('what is needed to judge the enclaves of others')
  attestation
    .command('fetch')
    .description('get what Intel publishes about a kind of processor, for "attestation.collateral" of a server or "enclaves.collateral" of a client')
    .requiredOption('--family <digits>', 'FMSPC of the processors: 12 hexadecimal digits, as "stc attestation quote" and refused enclaves name it', family)
    .requiredOption('-o, --out <file>', 'where to write it')
    .option('--service <address>', 'Intel\'s service, or a cache of it (PCCS)', INTEL_SERVICE)
    .option('--root-list <address>', 'the revocation list of Intel\'s root', INTEL_ROOT_LIST)
    .addOption(new Option('--issuer <which>', 'who certified the processors').choices(['platform', 'processor']).default('platform'))
    .addOption(new Option('--tee <which>', 'SGX enclaves or TDX domains').choices(['sgx', 'tdx']).default('sgx'))
    .action(run)
  attestation
    .command('quote')
    .description('print what a quote says of itself; nothing of it is verified')
    .argument('<file>', 'the quote')
    .action(showQuote)
}

function family(text: string): string {
  if (!new RegExp(`^[0-9a-fA-F]{${FAMILY_DIGITS}}$`).test(text)) throw new InvalidArgumentError(`must be ${FAMILY_DIGITS} hexadecimal digits`)
  return text
}

async function run(o: CollateralRequest & { readonly out: string }): Promise<void> {
  const got = await fetchCollateral(o)
  if (!got.ok) return fail(got.fault)
  const about = verifyCollateral(createNodeCrypto(), got.value, currentTime())
  if (!about.ok) return fail(about.fault)
  const info = readTcbInfo(got.value.tcbInfo)
  const written = replaceFile(o.out, encodeCollateral(got.value))
  if (!written.ok) return fail(written.fault)
  say(`${o.out}: ${info.ok ? info.value.levels.length : 0} levels of ${about.value.tee.toUpperCase()} on ${about.value.family.slice(0, FAMILY_DIGITS)}, signed by Intel, good until ${formatTime(about.value.validUntil)}. Fetch it again before.`)
}

function showQuote(file: string): void {
  let octets: Uint8Array
  try {
    octets = new Uint8Array(readFileSync(file))
  } catch (e) {
    return fail(makeFault('IDENTITY_FILE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`))
  }
  const quote = parseQuote(octets)
  if (!quote.ok) return fail(quote.fault)
  const platform = platformOfQuote(octets)
  if (!platform.ok) return fail(platform.fault)
  const { body, version } = quote.value
  say(`version      ${version}, ${body.tee.toUpperCase()}`)
  say(`measurement  ${toHex(body.tee === 'sgx' ? body.mrEnclave : body.mrTd)}`)
  if (body.tee === 'sgx') say(`signer       ${toHex(body.mrSigner)}, product ${body.isvProdId}, version ${body.isvSvn}${(body.attributes[0]! & 2) === 0 ? '' : ', DEBUG'}`)
  say(`made for     ${toHex(body.reportData)}`)
  say(`processor    ${platform.value.family.slice(0, FAMILY_DIGITS)}`)
}
