/** `stc block`: takes a key that is in wrong hands out of running rooms, and keeps it out. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { unixTime } from '../base/brand.ts'
import { concat } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { BlockNotice } from '../model/block-notice.ts'
import { loadCa } from '../pki/ca-directory.ts'
import { signNotice } from '../protocol/policy/index.ts'
import { replaceFile } from '../store/atomic-file.ts'
import { keyArgument } from './key-argument.ts'
import { coded, complain, fail, say } from './output.ts'
import { type AtHand, atServer, withVault } from './with-vault.ts'

interface BlockOptions {
  readonly config: string
  readonly reason: string
  readonly ca?: string
  readonly lift?: boolean
  readonly out?: string
  readonly in?: string
}

export function registerBlock(program: Command): void {
  program.command('block')
    .description('sign a notice that a key is in wrong hands: its holder is taken out of your rooms, running ones too')
    .argument('[key]', 'the key as rosters show it in full, or its certificate\'s file')
    .requiredOption('-c, --config <file>', 'the client\'s configuration: whose identity signs, and which server hands it on')
    .option('--reason <text>', 'one line that everybody reads', '')
    .option('--ca <dir>', 'signed by the authority in this folder instead: counts in every room')
    .option('--lift', 'the key is good again')
    .option('--out <file>', 'write the notice to a file too, to carry it by hand')
    .option('--in <file>', 'take in a notice that came by hand')
    .action(async (key: string | undefined, o: BlockOptions) => {
      const done = await withVault(o.config, (at) => block(at, key, o))
      if (!done.ok) fail(done.fault)
    })
}

async function block(at: AtHand, key: string | undefined, o: BlockOptions): Promise<Result<undefined>> {
  const notice = o.in === undefined ? await sign(at, key, o) : await carried(at, o.in)
  if (!notice.ok) return notice
  const learnt = await at.vault.call('notice.learn', { notice: notice.value.bytes })
  if (!learnt.ok) return learnt
  const saved = await at.memory.save(at.vault)
  if (!saved.ok) return saved
  if (o.out !== undefined) {
    const written = replaceFile(o.out, notice.value.bytes)
    if (!written.ok) return written
    say(`Wrote ${o.out}.`)
  }
  const { kind, target, by } = notice.value
  say(`${target} is ${kind === 'block' ? 'blocked' : 'no longer blocked'}, signed by ${by}.`)
  const told = await atServer(at, [{ k: 'notice', notice: notice.value.bytes }, { k: 'room-open', room: 'notice' }], (m) => m.k === 'room-info')
  if (!told.ok) complain(`stc: the server has not handed it on: ${coded(told.fault)}. Clients of this configuration know it from their next start; give others the file (--out).`)
  return ok(undefined)
}

async function sign(at: AtHand, key: string | undefined, o: BlockOptions): Promise<Result<BlockNotice>> {
  if (key === undefined) return err('MLS_BLOCK_NOTICE', 'name the key, or give a notice with --in')
  const target = keyArgument(key)
  if (!target.ok) return target
  const kind = o.lift === true ? 'lift' as const : 'block' as const
  if (o.ca !== undefined) {
    const opened = loadCa(createNodeCrypto(), o.ca)
    if (!opened.ok) return opened
    using authority = opened.value
    return signNotice(createNodeCrypto(), { kind, realm: at.config.realm, target: target.value, issued: unixTime(Math.floor(Date.now() / 1000)), reason: o.reason }, authority.signer)
  }
  const signed = await at.vault.call('notice.sign', { kind, target: target.value, reason: o.reason })
  return signed.ok ? ok(signed.value.notice) : signed
}

async function carried(at: AtHand, file: string): Promise<Result<BlockNotice>> {
  try {
    const learnt = await at.vault.call('notice.learn', { notice: concat(readFileSync(file)) })
    return learnt.ok ? ok(learnt.value.notice) : learnt
  } catch (e) {
    return err('STORE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}
