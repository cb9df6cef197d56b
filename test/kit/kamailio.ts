/**
 * A SIP provider that is not Asterisk: Kamailio as registrar and proxy, rtpengine as the media relay that hides both ends from each other, in
 * user space (no kernel module) and recording. Debian's packages; each run has folders and ports of its own.
 */
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePorts } from './free-ports.ts'
import { type Running, run, until } from './processes.ts'

const host = '127.0.0.1'
/** Four a call, and rtpengine keeps those of a call that was tried again for a while. */
const RTP_PORTS = 200

export interface Recorded {
  readonly payloadType: number
  readonly payloads: readonly Uint8Array[]
}

export interface Kamailio {
  readonly address: string
  readonly sip: number
  log(): string
  /** What rtpengine recorded, by flow and kind of payload, in order. */
  recorded(): ReadonlyMap<string, Recorded>
  stop(): Promise<void>
}

/** Takes `NAME` with password `secret-NAME`. Ask `needs(t, 'kamailio', 'rtpengine')` first. */
export async function startKamailio(): Promise<Kamailio> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-kam-'))
  const [sip, control, rtp] = [await freePorts(2), await freePorts(2), await freePorts(RTP_PORTS)]
  mkdirSync(path.join(folder, 'rec'))
  const file = path.join(folder, 'kamailio.cfg')
  writeFileSync(file, config(sip, control))
  // Debian's own configuration file has it listen at fixed ports too: two of them could not run beside each other.
  const relay = run('rtpengine', ['--config-file=none', '--foreground', '--log-stderr', '--log-level=6', '--table=-1', `--interface=${host}`, `--listen-ng=${host}:${control}`, `--port-min=${rtp}`, `--port-max=${rtp + RTP_PORTS - 1}`,
    '--num-threads=1', '--media-num-threads=0', '--recording-method=pcap', '--recording-format=raw', `--recording-dir=${path.join(folder, 'rec')}`, `--pidfile=${path.join(folder, 'rtpengine.pid')}`], { cwd: folder })
  await until(15_000, 'rtpengine', () => alive(relay) && (/Startup complete/.test(relay.output()) || undefined), relay.tail, 50)
  // Kamailio asks once at its start whether rtpengine is there.
  const proxy = run('/usr/sbin/kamailio', ['-f', file, '-DD', '-E', '-m', '32', '-M', '4', '-Y', folder, '-w', folder, '-P', path.join(folder, 'kamailio.pid')], { cwd: folder })
  const log = (): string => `${proxy.output()}\n${relay.tail()}`
  await until(15_000, 'Kamailio that talks to rtpengine', () => alive(proxy) && (/found, support for it enabled/.test(proxy.output()) || undefined), log, 50)
  return {
    address: host, sip, log,
    recorded: () => {
      const folders = path.join(folder, 'rec/pcaps')
      return flowsOf(readdirSync(folders).filter((f) => f.endsWith('.pcap')).map((f) => readFileSync(path.join(folders, f))))
    },
    async stop() {
      await Promise.all([proxy.stop(5000), relay.stop(5000)])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const alive = (p: Running): true => {
  if (p.ended) throw new Error(`ended at once:\n${p.tail()}`)
  return true
}

const modules = ['kex', 'corex', 'pv', 'tm', 'tmx', 'sl', 'rr', 'maxfwd', 'textops', 'siputils', 'xlog', 'sanity', 'usrloc', 'registrar', 'auth', 'nathelper', 'rtpengine']

const config = (sip: number, control: number): string => `#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
disable_sctp=yes
auto_aliases=no
listen=udp:${host}:${sip}
listen=tcp:${host}:${sip}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
${modules.map((m) => `loadmodule "${m}.so"\n`).join('')}
modparam("rr", "enable_full_lr", 1)
modparam("usrloc", "db_mode", 0)
modparam("rtpengine", "rtpengine_sock", "udp:${host}:${control}")
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check("17895", "7")) exit;
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) {
      if (is_method("BYE")) rtpengine_delete();
      else if (is_method("INVITE") && has_body("application/sdp")) { rtpengine_offer("replace-origin ICE=remove record-call=yes"); t_on_reply("MEDIA"); }
      t_relay();
    } else if (is_method("ACK")) { if (t_check_trans()) t_relay(); }
    else sl_send_reply("404", "Not here");
    exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("$td", "secret-$fU", "0")) { www_challenge("$td", "0"); exit; }
    xlog("L_NOTICE", "registers $fU at $ct\\n");
    save("location");
    exit;
  }
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("$fd", "secret-$fU", "0")) { proxy_challenge("$fd", "0"); exit; }
    consume_credentials();
    record_route();
    if (has_body("application/sdp")) rtpengine_offer("replace-origin ICE=remove record-call=yes");
    t_on_reply("MEDIA");
  }
  if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  if (is_method("INVITE")) xlog("L_NOTICE", "rings $tU\\n");
  t_relay();
}
onreply_route[MEDIA] {
  if (has_body("application/sdp")) rtpengine_answer("replace-origin ICE=remove record-call=yes");
}
`

/** pcap files of raw IP (link type 101), each packet IPv4, UDP, RTP. */
function flowsOf(files: readonly Buffer[]): ReadonlyMap<string, Recorded> {
  const flows = new Map<string, { readonly payloadType: number; readonly payloads: Uint8Array[] }>()
  for (const b of files) {
    for (let at = 24; at + 16 <= b.length; ) {
      const length = b.readUInt32LE(at + 8)
      const ip = b.subarray(at + 16, at + 16 + length)
      at += 16 + length
      const udp = ip.subarray((ip[0]! & 15) * 4)
      const rtp = udp.subarray(8)
      if (ip[9] !== 17 || rtp.length < 12 || rtp[0]! >> 6 !== 2) continue
      const payloadType = rtp[1]! & 127
      const name = `${udp.readUInt16BE(0)}>${udp.readUInt16BE(2)} ${payloadType}`
      const flow = flows.get(name) ?? { payloadType, payloads: [] }
      flow.payloads.push(Uint8Array.from(rtp.subarray(12 + 4 * (rtp[0]! & 15))))
      flows.set(name, flow)
    }
  }
  return flows
}
