/**
 * Run by `../lan.test.ts` inside a network namespace: a client at 10.9.0.2 comes out of its NAT as 203.0.113.77 with other ports, and its provider at
 * 10.8.0.1 is reached as 198.51.100.1. Nothing comes in but what answers.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { endpoint, startAsterisk } from '../../kit/asterisk.ts'
import { behindProvider } from '../../kit/behind-provider.ts'
import { hears } from '../../kit/hears.ts'
import type { Phone } from '../../kit/phones/phone.ts'
import { until } from '../../kit/processes.ts'

const [inside, provider, outside] = ['10.9.0.2', '10.8.0.1', '198.51.100.1']
/** Seconds after which this NAT forgets a way over which nothing passes, by `../lan.test.ts`; the client says something every 25. */
const FORGETS = 40

const iptables = (...args: readonly string[]): string => execFileSync('iptables', args, { encoding: 'utf8' })
/** What a rule has counted. */
const counted = (table: string, chain: string, rule: RegExp): number => Number(new RegExp(`^ *(\\d+) .*${rule.source}`, 'm').exec(iptables('-t', table, '-L', chain, '-v', '-n', '-x'))?.[1] ?? 0)

test('a client behind a NAT: registered, called both ways and heard; the way stays open while nothing is said', { timeout: 600_000 }, async (t) => {
  const asterisk = await startAsterisk({
    address: provider,
    config: () => ({ 'pjsip.conf': ['anna', 'carl'].map((n) => endpoint(n, { more: `rewrite_contact=yes\nforce_rport=yes\nmedia_address=${provider}\nbind_rtp_to_media_address=yes` })).join('\n'), 'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)\n` }),
  })
  t.after(() => asterisk.stop())
  // A datagram of two line ends, IP and UDP headers and all.
  iptables('-A', 'INPUT', '-p', 'udp', '-d', provider, '--dport', `${asterisk.sip}`, '-m', 'length', '--length', '32', '-j', 'ACCEPT')
  const w = behindProvider(t, { address: outside, sip: asterisk.sip })
  const a = await w.client('anna', { sealedCalls: { policy: 'off' }, upstream: { providers: [{ host: outside, port: asterisk.sip, listen: { address: inside } }] } })
  const anna = await w.phone('anna', 700, a.sip, { registrar: { ...a.sip, password: 'secret-anna', expires: 3600 } })
  const carl = await w.phone('carl', 1100, { address: provider, port: asterisk.sip }, { address: provider })
  const contacts = await asterisk.cli('database show registrar')
  assert.match(contacts, /registrar\/contact\/anna;@[0-9a-f]+ *: .*"uri":"sip:stc[0-9a-f]{24}@203\.0\.113\.77:3\d{4}/, 'the provider knows where the NAT is')

  const talk = async (caller: Phone, dialled: string, callee: Phone): Promise<void> => {
    for (const p of [caller, callee]) p.events.skip()
    caller.dial(dialled)
    await Promise.all([caller.events.next('established'), callee.events.next('established')])
    await Promise.all([hears(anna, 1100), hears(carl, 700)])
    carl.hangup()
    await Promise.all([caller.events.next('closed'), callee.events.next('closed')])
  }
  await talk(anna, `sip:carl@${a.sip.address}:${a.sip.port}`, carl)
  assert.ok(counted('nat', 'POSTROUTING', /SNAT +(?:17|udp)/) > 0, 'there was a NAT')
  await until(30_000, 'something that keeps the way open', () => counted('filter', 'INPUT', /length 32/) > 0 || undefined, undefined, 200)
  await talk(carl, asterisk.uri('anna'), anna)
  if (process.env['STC_LONG'] !== '1') return t.diagnostic('not waited for longer than the NAT remembers: STC_LONG=1 does')
  const silentAt = performance.now()
  await until(FORGETS * 1000, 'a silence that the NAT would not survive', () => performance.now() - silentAt > 1.5 * FORGETS * 1000 || undefined, undefined, 500)
  await talk(carl, asterisk.uri('anna'), anna)
})
