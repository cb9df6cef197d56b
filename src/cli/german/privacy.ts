/** The sentence about who can hear a call (model/privacy), in German: as the page says it. */
import { type Sentences, translator } from './translate.ts'

export const PRIVACY: Sentences = [
  ['You have left.', 'Sie sind gegangen.'],
  ['Nobody hears you yet.', 'Noch hört Sie niemand.'],
  ['Anyone on the line can hear this.', 'Jeder in der Leitung kann das hören.'],
  ['Our server can hear this.', 'Unser Server kann das hören.'],
  ['So can anyone on the line of an unverified caller.', 'Auch jeder in der Leitung eines ungeprüften Anrufers.'],
  ['So can anyone on the line of {1} unverified callers.', 'Auch jeder in der Leitung von {1} ungeprüften Anrufern.'],
  ['It is being recorded.', 'Es wird aufgezeichnet.'],
  ['The list of members is old: the server has lost the telephone system.', 'Die Liste der Mitglieder ist alt: Der Server hat die Telefonanlage verloren.'],
  ['Only you are here: nobody can hear this.', 'Nur Sie sind hier: Niemand kann das hören.'],
  ['Only these {1} people can hear this.', 'Nur diese {1} Personen können das hören.'],
  ['Telephone callers can hear this through a gateway.', 'Anrufer aus dem Telefonnetz hören durch ein Gateway mit.'],
  ['Phone leg: plain on LAN.', 'Strecke zum Telefon: offen im LAN.'],
  ['Ringing: anyone on the line can hear this.', 'Es klingelt: Jeder in der Leitung kann das hören.'],
  ['Anyone on the line can hear this; looking for the other side.', 'Jeder in der Leitung kann das hören; die andere Seite wird gesucht.'],
  ['Agreeing on keys: nobody hears anything.', 'Schlüssel werden vereinbart: Niemand hört etwas.'],
  ['Nobody hears anything: it is not clear who this is.', 'Niemand hört etwas: Es ist nicht klar, wer das ist.'],
  ['Only you and the other side can hear this.', 'Nur Sie und die andere Seite können das hören.'],
  ['Nobody hears anything: what comes is not from the other side.', 'Niemand hört etwas: Was kommt, ist nicht von der anderen Seite.'],
  ['Not sealed: nobody hears you.', 'Nicht versiegelt: Niemand hört Sie.'],
  ['Anyone on the line can hear the other side.', 'Jeder in der Leitung kann die andere Seite hören.'],
  ['The other side holds the call.', 'Die andere Seite hält das Gespräch.'],
  ['Encrypted by the legacy profile, not authenticated: whoever is on the way can listen with some effort, and change what is heard.', 'Nach dem alten Verfahren verschlüsselt, nicht beglaubigt: Wer auf dem Weg ist, kann mit etwas Mühe mithören und ändern, was zu hören ist.'],
]

const one = translator(PRIVACY)

/** Sentence by sentence; what is not known stays. */
export const privacyGerman = (text: string): string => text.split(/(?<=\.) (?=\S)/).map((s) => one(s) ?? s).join(' ')
