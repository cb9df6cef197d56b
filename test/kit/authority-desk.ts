/** A small authority in a folder of its own, its desk asked without a network, and people who join. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type UnixTime, unixTime } from '../../src/base/brand.ts'
import { must, ok } from '../../src/base/result.ts'
import { initCa, readRoot } from '../../src/pki/ca-directory.ts'
import type { Ask } from '../../src/pki/enrolment/ask.ts'
import { Desk } from '../../src/pki/enrolment/desk.ts'
import { Invitations, type NewInvitation } from '../../src/pki/enrolment/invitations.ts'
import { type Invitation, newSecret } from '../../src/pki/enrolment/link.ts'
import { encodeReply } from '../../src/pki/enrolment/messages.ts'
import { renew } from '../../src/pki/enrolment/renewals.ts'
import type { DeskOptions } from '../../src/pki/enrolment/reply.ts'
import { crypto, NOW } from './certificates.ts'

export class AuthorityDesk {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'stc-desk-'))
  now: UnixTime = NOW
  readonly options: DeskOptions
  readonly invitations: Invitations
  readonly desk: Desk
  readonly notes: string[] = []

  constructor(name = 'Five friends') {
    const settings = { host: 'ca.example.org', port: 7444, server: 'stc.example.org', realm: 'friends' }
    const ca = must(initCa(crypto, path.join(this.dir, 'ca'), { name, now: NOW, settings }))
    this.options = { ca, root: must(readRoot(path.join(this.dir, 'ca'))), dir: path.join(this.dir, 'ca'), settings, now: () => this.now, note: (text) => this.notes.push(text) }
    this.invitations = new Invitations(this.options.dir)
    this.desk = new Desk(this.options)
  }
  invite(name: string, more: Partial<NewInvitation> = {}): Invitation & { readonly id: string } {
    const secret = newSecret(crypto)
    const { id } = must(this.invitations.make(crypto, secret, { name, validDays: 7, lifetimeDays: 90, ...more }, this.now))
    return { host: 'ca.example.org', port: 7444, secret, fingerprint: crypto.hash('sha256', this.options.root), id }
  }
  /** As its door would answer. */
  readonly ask: Ask = async ({ path: door, body }) => ok(encodeReply(door === '/renew' ? renew(this.options, body) : this.desk.enrol(body, '192.0.2.7')))
  wait(seconds: number): void {
    this.now = unixTime(this.now + seconds)
  }
  close(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}
