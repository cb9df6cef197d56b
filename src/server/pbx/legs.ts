/** What the coupling asks of the SIP relay: whose client stands behind a leg of Asterisk. */

export interface ClientLeg {
  /** Of the client whose phone is at the other end; it ends with that client's connection. */
  readonly session: string
  /** SIP Call-ID at the client's phone: the client knows its call by it. */
  readonly call: string
}

export interface LegQuestion {
  /** Call-ID of Asterisk's dialog. */
  readonly callId: string
  /** User part of the Contact that Asterisk sends to: the relay's token, which nobody can guess. Empty: none. */
  readonly contactUser: string
  /** Host and port of that Contact. */
  readonly contactAt: string
  /** Where Asterisk's dialog goes to, `address:port`. */
  readonly remote: string
}

export interface ClientLegs {
  /** Undefined for every leg that the relay did not make itself: a plain phone, a trunk. */
  find(q: LegQuestion): ClientLeg | undefined
  /** It leads to the relay, which knows of no such call: left over from before the server ended without a word. `afterLogin`: the relay may have had another port. */
  isOrphan(q: LegQuestion, afterLogin: boolean): boolean
}
