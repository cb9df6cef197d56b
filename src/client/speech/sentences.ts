/** Every sentence that a phone is told, in every language; the recorded words beside it (words/en, words/de) say the same. */
export interface Sentences {
  readonly alone: string
  /** `names` of the others, `more` beyond those, `unverified` without a certificate. */
  readonly here: (people: number, names: readonly string[], more: number, unverified: number) => string
  readonly noCode: string
  /** Spelled out already. */
  readonly code: (digits: string) => string
  readonly open: string
  readonly bridged: string
  readonly gateway: string
  readonly plainLeg: string
  readonly locked: string
  readonly unlocked: string
  readonly notHost: string
  readonly asking: string
  readonly doubt: string
}

const en: Sentences = {
  alone: 'Only you are here.',
  here: (people, names, more, unverified) => `${people} people are here. You, ${names.join('; ')}${more > 0 ? `; and ${more} more` : ''}.${unverified === 0 ? '' : ` And ${unverified} without a certificate.`}`,
  noCode: 'There is no security code yet.',
  code: (digits) => `The security code is: ${digits}.`,
  open: 'Anyone on the line can hear this.',
  bridged: 'Our server can hear this.',
  gateway: 'Telephone callers can hear this, through a gateway.',
  plainLeg: 'A phone in this call is not protected in its local network.',
  locked: 'The room is locked.',
  unlocked: 'The room is open.',
  notHost: 'Only a host can do that.',
  asking: 'This call is not sealed, and nobody hears you. Press star to talk all the same.',
  doubt: 'It is not certain who this is, and nobody hears you. Press star to talk all the same, or hang up.',
}

const de: Sentences = {
  alone: 'Nur Sie sind hier.',
  here: (people, names, more, unverified) => `${people} Personen sind hier. Sie, ${names.join('; ')}${more > 0 ? `; und ${more} weitere` : ''}.${unverified === 0 ? '' : ` Und ${unverified} ohne Zertifikat.`}`,
  noCode: 'Es gibt noch keinen Sicherheitscode.',
  code: (digits) => `Der Sicherheitscode ist: ${digits}.`,
  open: 'Jeder in der Leitung kann das hören.',
  bridged: 'Unser Server kann das hören.',
  gateway: 'Anrufer aus dem Telefonnetz hören mit, über ein Gateway.',
  plainLeg: 'Ein Telefon in diesem Gespräch ist in seinem lokalen Netz nicht geschützt.',
  locked: 'Der Raum ist zugesperrt.',
  unlocked: 'Der Raum ist aufgesperrt.',
  notHost: 'Das kann nur ein Gastgeber.',
  asking: 'Dieser Anruf ist nicht versiegelt, und niemand hört Sie. Drücken Sie Stern, um trotzdem zu sprechen.',
  doubt: 'Es ist nicht sicher, wer das ist, und niemand hört Sie. Drücken Sie Stern, um trotzdem zu sprechen, oder legen Sie auf.',
}

export const SENTENCES = { en, de } as const
export type SpokenLanguage = keyof typeof SENTENCES
