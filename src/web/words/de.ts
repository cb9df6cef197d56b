/** Every word of the page, in German. */
import type { Words } from './en.ts'

const NUMBERS = ['keine', 'eine', 'zwei', 'drei', 'vier', 'fünf', 'sechs', 'sieben', 'acht', 'neun', 'zehn', 'elf', 'zwölf']
const count = (n: number): string => NUMBERS[n] ?? String(n)

export const de: Words = {
  language: 'Deutsch',
  title: 'stc',
  skip: 'Zum Gespräch springen',
  privacy: {
    sealed: (n) => (n === 1 ? 'Nur Sie sind hier: Niemand kann das hören' : `Nur diese ${count(n)} Personen können das hören`),
    bridged: 'Unser Server kann das hören',
    open: 'Jeder in der Leitung kann das hören',
    none: 'Noch hört Sie niemand',
    joining: 'Beitritt läuft: Noch hört Sie niemand',
    healing: 'Verbindung wird erneuert: Jetzt hört Sie niemand',
    left: 'Sie haben aufgelegt',
    waiting: 'Sie warten auf Einlass: Noch hört Sie niemand',
    waitingHow: 'Ein Gastgeber muss Sie hereinlassen.',
    locked: 'Der Raum ist zugesperrt: Niemand sonst kommt herein.',
    gateway: 'Auch Anrufer aus dem Telefonnetz hören das, über ein Gateway.',
    plainLeg: 'Ein Telefon in diesem Gespräch spricht in seinem eigenen lokalen Netz ungeschützt.',
    sealedHow: 'Ende zu Ende versiegelt: Nicht einmal der Server kann mithören.',
    bridgedHow: 'Unterwegs geschützt, am Server offen.',
    openHow: 'Ab hier nicht mehr geschützt.',
    noneHow: 'Man hört Sie, sobald Sie drin sind.',
    healingHow: 'Man hört Sie wieder, sobald die Verbindung zurück ist.',
    unknown: 'Niemand weiß, wer das hören kann',
    unknownHow: 'Der Client antwortet nicht. Unten steht, was er zuletzt gesagt hat.',
  },
  calls: {
    heading: 'Ihre Gespräche', asks: 'Braucht Ihre Antwort',
    weaker: (name, sentence) => `In Ihrem Gespräch ${name}: ${sentence}`,
    weakerHow: (sentence) => `Sie sind in mehreren Gesprächen, und Ihr Telefon entscheidet, welches Sie hört. Von diesem allein gilt: ${sentence}.`,
  },
  nav: { call: 'Gespräch', rooms: 'Räume', phone: 'Telefon und Ton', settings: 'Einstellungen' },
  server: {
    up: (name) => `Verbunden mit ${name}`, down: (name) => `Nicht verbunden mit ${name}`, connecting: (name) => `Verbinde mit ${name} …`,
    roundTrip: (ms) => `${Math.round(ms)} ms zum Server und zurück`,
  },
  members: {
    heading: (n) => (n === 0 ? 'Noch niemand' : n === 1 ? 'Eine Person' : `${n} Personen`), you: 'Sie', joining: 'kommt herein', gateway: 'Gateway ins Telefonnetz', muted: 'stumm', speaking: 'spricht',
    sameName: (i, n) => `${i} von ${n} mit diesem Namen`, since: (t) => `seit ${t}`, unheard: 'Diese Person können Sie nicht hören', unopened: 'was ankommt, lässt sich mit den Schlüsseln dieses Raums nicht öffnen und wird nicht abgespielt', callers: 'Nicht geprüft', callersHow: 'Kein Zertifikat nennt sie: einfache Telefone oder Anrufer von außen. Die Nummer ist, was das Telefonnetz sagt.', withheld: 'Nummer unterdrückt', recorded: 'wird aufgenommen', host: 'Gastgeber', more: (n) => `und ${n} weitere`, old: 'Die Liste ist alt: Der Server hat die Telefonanlage verloren.',
    quality: { none: 'noch kein Ton', good: 'klar', fair: 'leichte Verluste', poor: 'schlechte Verbindung' },
    details: (name) => `Einzelheiten zu ${name}`, empty: 'Noch ist niemand hier.',
    phoneLeg: { local: 'Telefon auf demselben Rechner', encrypted: 'Weg zum Telefon: verschlüsselt', 'plain-lan': 'Weg zum Telefon: ungeschützt im lokalen Netz' },
    volume: (name) => `Lautstärke von ${name}`, volumeShort: 'Lautstärke',
    remove: 'Entfernen …', removeAsk: (name) => `${name} aus dem Gespräch entfernen?`, removeHow: 'Die Gruppe bekommt neue Schlüssel, die diese Person nicht hat. Alle sehen, wer es war.', removeBan: 'Nicht wieder hereinlassen', removeDo: 'Entfernen',
  },
  roles: { owner: 'Eigentümer', 'co-owner': 'Eigentümer', host: 'Gastgeber' },
  acquaintance: {
    changed: 'anderer Schlüssel als bisher', changedHow: 'Sie kennen den Namen, aber mit einem anderen Schlüssel. Fragen Sie auf anderem Weg, ob es ein neues Zertifikat gibt, und vergleichen Sie den Sicherheitscode.',
    'first-contact': 'Ihnen neu', reissued: 'neues Zertifikat, gleicher Schlüssel', known: 'Ihnen bekannt', compared: 'verglichen', comparedOn: (d) => `verglichen am ${d}`,
  },
  ring: {
    calls: (n) => `${n} ruft Sie an`, answer: 'Annehmen', refuse: 'Ablehnen', checked: 'Der Name steht in einem Zertifikat, das auf Ihrem Rechner geprüft wurde; der Server kann keinen erfinden.', ends: 'Wenn Sie annehmen, endet Ihr jetziges Gespräch.',
    more: (n) => (n === 1 ? 'Noch eine Person ruft an.' : `Noch ${n} Personen rufen an.`), withheld: 'Ihr Browser klingelt erst, wenn Sie auf dieser Seite geklickt oder eine Taste gedrückt haben.', calling: (n) => `${n} wird angerufen …`, rings: (n) => `Es klingelt bei ${n}`,
  },
  people: {
    heading: 'Bekannte', askIn: 'Jemanden dazuholen', mail: 'E-Mail-Adresse im Zertifikat', ring: 'Anklingeln', ringWho: (n) => `${n} anklingeln`, callWho: (n) => `${n} anrufen`, seen: (d) => `zuletzt gesehen am ${d}`, all: (n) => `Alle ${n} zeigen`, fewer: 'Weniger zeigen', blocked: 'gesperrt',
    block: 'Sperren …', blockAsk: (n) => `${n} sperren?`, blockHow: 'Diese Person kann bei Ihnen nicht mehr klingeln, und Sie hören sie nicht mehr. Aus Gesprächen, die Ihnen gehören, wird sie entfernt und kommt nicht wieder herein; alle erfahren davon.', keep: 'Abbrechen', unblock: 'Entsperren', unblockWho: (n) => `${n} entsperren`,
  },
  pairwise: {
    not: (n) => `Sie haben mit ${n} noch keine Schlüssel verglichen.`, done: 'Schlüssel verglichen: Das ist, wen Sie kennen.', doneOn: (d) => `Schlüssel verglichen am ${d}: Das ist, wen Sie kennen.`, show: 'Schlüssel vergleichen', hide: 'Code verbergen', same: 'Er war gleich',
    how: (n) => `${n} sieht unter Ihrem Namen dieselben sechs Gruppen. Lesen Sie sie einander vor, mit vertrauter Stimme oder auf einem Weg, dem Sie trauen. Das gilt für alle späteren Gespräche, bis jemand von Ihnen einen anderen Schlüssel bekommt.`,
  },
  sealedCall: {
    sentences: { early: 'Es klingelt: Jeder in der Leitung kann das hören', seeking: 'Jeder in der Leitung kann das hören', agreeing: 'Schlüssel werden vereinbart: Niemand hört etwas', doubt: 'Niemand hört etwas: Es ist unklar, wer das ist', sealed: 'Nur Sie und die Gegenseite können das hören', lost: 'Niemand hört etwas: Was kommt, ist nicht von der Gegenseite', asking: 'Nicht versiegelt: Niemand hört Sie', open: 'Jeder in der Leitung kann das hören' },
    how: { early: 'Ansagen und Klingeln sind nie versiegelt.', seeking: 'Bei der Gegenseite wird nach stc gesucht.', agreeing: 'Das dauert ein, zwei Sekunden.', doubt: 'Der Schlüssel ist ein anderer als bisher unter dieser Nummer.', sealed: 'Im Codec versiegelt: Nicht einmal der Anbieter kann mithören.', lost: 'Musik, eine Ansage oder jemand anders ist in der Leitung.', asking: 'Die Gegenseite hat kein stc, oder etwas dazwischen verändert den Ton.', open: 'Ab hier nicht mehr geschützt.' },
    compare: 'Sagen Sie einander diese Wörter. Sind sie gleich, steht niemand dazwischen.', asks: 'Sie können trotzdem sprechen. Dann kann jeder unterwegs mithören.', accept: 'Ungeschützt sprechen', acceptDoubt: 'Trotzdem mit ihnen sprechen',
    same: 'Die Wörter sind gleich', newKey: 'Diese Nummer kommt mit einem Schlüssel, den Sie nicht kennen. Waren die Wörter gleich, sagen Sie es: Der Schlüssel wird gemerkt, und wer einen anderen hat, fällt auf.', remembered: 'Der Schlüssel dieser Nummer ist gemerkt: Wer einen anderen hat, fällt auf.',
    chained: 'Verschlüsselt, aber niemand weiß, mit wem', chainedHow: 'Das alte Verfahren weist niemanden aus: Wer dazwischen ist, kann mit etwas Aufwand mithören und ändern, was zu hören ist.',
    held: 'Die Gegenseite hält das Gespräch.', muted: 'Die Gegenseite ist stumm geschaltet.',
  },
  lobby: { heading: (n) => (n === 1 ? 'Eine Person möchte herein' : `${n} Personen möchten herein`), admit: 'Hereinlassen', how: 'Das ist, wen das Zertifikat nennt, auf Ihrem Rechner geprüft.', notHost: 'Ein Gastgeber kann sie hereinlassen.', as: (n) => `Hereinlassen: ${n}` },
  flag: { raise: 'Rote Flagge', title: 'Rote Flagge heben', how: 'Alle sehen sofort, dass Sie sie gehoben haben und was Sie schreiben.', text: 'Was stimmt nicht?', preset: 'Bitte aufhören: Hier stimmt etwas nicht.', send: 'Heben', seen: 'Verstanden' },
  lock: { lock: 'Zusperren', unlock: 'Aufsperren' },
  certificate: {
    heading: 'Zertifikat', name: 'Name', organisation: 'Organisation', mail: 'E-Mail', issuer: 'Ausgestellt von', serial: 'Seriennummer', valid: 'Gültig', key: 'Schlüssel', fingerprint: 'Fingerabdruck',
    checked: 'Auf Ihrem Rechner geprüft, nicht vom Server.', protection: 'Wo die Schlüssel liegen', protections: { 'in-process': 'im Programm des Clients', process: 'in einem eigenen Programm (sagt der Client)', enclave: 'in einer SGX-Enklave', unknown: 'nicht angegeben' },
    enclave: (tee, measurement, status) => `in einer ${tee === 'sgx' ? 'SGX-Enklave' : 'TDX-Domäne'}, hier geprüft: Messwert ${measurement}; Plattform ${status}`,
    enclaveRefused: (code) => `Angeblich liegen sie in einer Enklave; das ist nicht bewiesen (${code}).`,
  },
  code: {
    heading: 'Sicherheitscode', none: 'Den Code gibt es, sobald Sie drin sind.', compare: 'Vergleichen', compared: 'Verglichen: Er war gleich', changed: 'Der Code hat sich seit dem Vergleich geändert, weil jemand kam oder ging.',
    title: 'Sicherheitscode vergleichen', group: (i) => `Gruppe ${i}`,
    how: ['Bitten Sie jemanden im Gespräch, dessen Stimme Sie kennen, Ihnen die ersten zwei Gruppen vorzulesen.', 'Lesen Sie die nächsten zwei vor, und lassen Sie sich den Rest vorlesen.', 'Alle sechs gleich: Sie sind in einer Gruppe mit denselben Schlüsseln, und niemand steht dazwischen.'],
    limit: 'Der Code zeigt, dass niemand die Gruppe geteilt hat. Wer die Leute sind, sagen ihre Zertifikate.', same: 'Alles gleich', different: 'Etwas weicht ab', later: 'Später',
    alarm: 'Dann sprechen Sie über nichts Vertrauliches.', alarmHow: 'Prüfen Sie zuerst, ob beide den neuesten Code vorlesen: Er ändert sich, sobald jemand kommt oder geht. Weicht er weiter ab, hat jemand das Gespräch in zwei Hälften geteilt: Legen Sie auf und sagen Sie es dem Betreiber des Servers.', leave: 'Auflegen', back: 'Noch einmal vergleichen',
  },
  history: {
    heading: 'Was geschah', empty: 'Noch nichts.', joined: (n) => `${n} kam herein`, left: (n) => `${n} ist weg`, unheard: (n) => `${n} ist nicht zu hören`, heard: (n) => `${n} ist wieder zu hören`, flag: (n, t) => `${n} hebt die rote Flagge: ${t}`, knock: (n) => `${n} möchte herein`, changed: (n) => `${n} hat einen anderen Schlüssel als bisher`,
    phase: { joining: 'Beitritt zum Raum', member: 'Sie sind drin', healing: 'Verbindung verloren, wird erneuert', left: 'Sie haben aufgelegt' },
  },
  controls: {
    heading: 'Bedienung', mute: 'Stumm', unmute: 'Stumm aus', talk: 'Zum Sprechen halten', talkOn: 'Sprechtaste', leave: 'Auflegen', keypad: 'Tasten', hide: 'Schließen', mutedNow: 'Sie sind stumm', unmutedNow: 'Man kann Sie hören', takeOver: 'Ton hierher holen', elsewhere: 'Ein anderes Fenster hat den Ton.', nowhere: 'Niemand hört Sie, und Sie hören niemanden: Das Fenster, das den Ton hatte, ist zu.',
    onPhone: (line) => `Sie sprechen am Telefon „${line}“`, level: 'Ihr Mikrofon', withheld: 'Halten Sie den Knopf oder die Leertaste, während Sie sprechen.',
  },
  line: {
    hold: 'Halten', resume: 'Weitersprechen', hangUp: 'Auflegen', placeholder: '0301234, Raumname oder anna@example.org', how: (prefix) => `Nummern werden als Telefonnummern gewählt. Ein Name, oder ${prefix} davor, ist ein versiegelter Raum.`,
    state: { calling: (n) => `${n} wird angerufen …`, ringing: (n) => `Es klingelt bei ${n}`, early: (n) => `Noch nicht angenommen: ${n}`, up: (n) => `Verbunden mit ${n}`, held: (n) => `Sie halten das Gespräch mit ${n}: Keiner hört den anderen` },
    unverified: 'Nicht geprüft: Das sagt das Telefonnetz. Jeder kann es fälschen.', withheld: 'Eine unterdrückte Nummer',
    pass: 'Weitergeben …', passTo: 'Dieses Gespräch weitergeben an', passHow: 'Dann sprechen die beiden ohne Sie.', passDo: 'Weitergeben',
    registered: (n) => `Dieser Browser ist Telefon ${n}: Er kann anrufen und angerufen werden.`, not: (n) => `Telefon ${n} ist noch nicht angemeldet.`,
  },
  rooms: {
    heading: 'Einen Raum oder jemanden anrufen', number: 'Raum oder Nummer', placeholder: '100 oder anna@example.org', clear: 'Leeren', clearAsk: 'Alle bisherigen Gespräche vergessen? Das lässt sich nicht rückgängig machen.', missed: 'niemand ging dran', direction: { in: 'angerufen worden', out: 'angerufen', missed: 'verpasst' }, call: 'Anrufen', known: 'Räume', recent: 'Bisherige Gespräche', again: (room) => `${room} noch einmal anrufen`, none: 'Noch keine Gespräche.', alone: 'sonst niemand', lasted: (d) => `${d} lang`,
    echo: 'Echoraum', echoHow: 'Hören Sie, was unser Server von Ihnen hört, und was die anderen hören.', echoGo: 'Ausprobieren', people: (n) => (n === 1 ? '1 andere Person' : `${n} andere Personen`), failed: 'hat nicht geklappt', inCall: 'Sie sind schon in einem Gespräch.',
  },
  phone: {
    browser: 'Mit diesem Browser sprechen', browserHow: 'Am besten mit Headset. Der Browser fragt einmal, ob er das Mikrofon benutzen darf.', microphone: 'Mikrofon', speaker: 'Lautsprecher', standard: 'Standard', test: 'Test', testTone: 'Testton abspielen', testLevel: 'Sagen Sie etwas: Der Balken sollte sich bewegen.', start: 'Mikrofon testen',
    levelGood: 'Wir hören Sie.', levelNone: 'Noch nichts zu hören. Ist das richtige Mikrofon gewählt und nicht stumm?', refused: 'Der Browser gibt das Mikrofon nicht frei. Erlauben Sie es neben der Adresszeile und versuchen Sie es noch einmal.', missing: 'Es gibt kein Mikrofon. Schließen Sie eines an und versuchen Sie es noch einmal.', broken: 'Der Browser kann seinen Ton nicht starten. Prüfen Sie, ob es einen Lautsprecher gibt, und versuchen Sie es noch einmal oder laden Sie die Seite neu.', withheld: 'Der Browser gibt keinen Ton, bevor Sie auf dieser Seite eine Taste drücken oder klicken. Tun Sie das und versuchen Sie es noch einmal.', retry: 'Noch einmal',
    unusable: 'Dieses Gerät lässt sich nicht öffnen. Das vorige wird weiter benutzt.', notify: 'Anrufe auch zeigen, wenn ein anderes Fenster vorn ist', notifying: 'Anrufe werden auch gezeigt, wenn ein anderes Fenster vorn ist.',
    soft: 'Mit einem SIP-Telefon sprechen', softHow: 'Jedes Softphone oder Tischtelefon geht. Tragen Sie das in seine Konto-Einstellungen ein:', none: 'Dieser Client bedient kein SIP-Telefon. Tragen Sie eines unter „phones“ in seine Konfiguration ein.', field: { user: 'Benutzername', domain: 'Domain / Registrar', proxy: 'Ausgehender Proxy', transport: 'Transport', password: 'Passwort', dial: 'Dann wählen' },
    password: 'wie in der Konfiguration des Clients', noPassword: 'keines nötig', registered: 'Ihr Telefon ist angemeldet', waiting: 'Warte auf die Anmeldung Ihres Telefons …', qr: 'Mit einem Telefon scannen', other: 'Anderes Telefon', copy: 'Kopieren', copied: 'Kopiert', qrHow: 'Adresse für Telefone, die sie lesen können',
    where: { linphone: 'Assistent → SIP-Konto verwenden', zoiper: 'Einstellungen → Konten → Hinzufügen', microsip: 'Menü → Konto hinzufügen', groundwire: 'Einstellungen → Konten → Generic SIP', baresip: 'in ~/.baresip/accounts', other: 'SIP-Konto-Einstellungen' },
  },
  echo: {
    heading: 'Echoraum', how: 'Sie sind allein in einem versiegelten Raum. Sagen Sie ein paar Worte: Sie bekommen sie zweimal zurück.', speak: (s) => `Jetzt sprechen: ${s} s`, ready: 'Noch einmal aufnehmen', joining: 'Der Raum wird geöffnet …',
    server: 'Was unser Server von Ihnen hören könnte', serverHow: 'Genau die Oktette, die zum Server gingen, als Ton abgespielt. Es ist Rauschen: Ohne die Schlüssel, die die Mitglieder nie verlassen, ist nichts darin.', members: 'Was die Mitglieder hören', membersHow: 'Dieselben Rahmen, mit dem Schlüssel des Raums geöffnet.', play: 'Abspielen', stop: 'Anhalten', octets: 'Die ersten Oktette, wie sie hinausgehen', done: 'Das klappt. Sie sind bereit für Ihr erstes Gespräch.', finish: 'Zu den Räumen', quiet: 'Von Ihnen war fast nichts zu hören. Prüfen Sie das Mikrofon und nehmen Sie noch einmal auf.', playing: 'Läuft', wave: 'Lautstärke im Verlauf',
  },
  diagnostics: {
    heading: 'Verbindung', open: 'Zahlen zeigen', close: 'Zahlen verbergen', member: 'Person', loss: 'Verlust', jitter: 'Jitter', buffer: 'Puffer', concealed: 'Ergänzt', delay: 'Verzögerung', epoch: 'Epoche', refused: 'Abgewiesene Rahmen', late: 'Verspätete Takte', path: 'Weg der Sprache',
    paths: { none: 'noch keiner', udp: 'direkt (UDP)', tls: 'Umweg (TLS)' }, delayHow: 'Der halbe Weg zum Server und zurück, nur auf dieser Seite, und der Puffer.', lastMinute: 'die letzte Minute',
  },
  settings: { heading: 'Einstellungen', language: 'Sprache', theme: 'Darstellung', themes: { system: 'wie das System', light: 'hell', dark: 'dunkel' }, about: 'Über', version: (v) => `stc ${v}`, identity: 'Das sind Sie', close: 'Schließen',
    keys: 'Ihre Schlüssel', keysIn: { 'in-process': 'Im Programm des Clients selbst: andere Programme Ihres Benutzers könnten sie lesen.', process: 'In einem abgeschotteten Prozess: andere Programme Ihres Benutzers können sie nicht lesen.', enclave: 'In einer SGX-Enklave.' }, program: 'Programm', locks: 'Was ihn abschottet', missing: 'nicht zu haben' },
  setup: {
    heading: 'Einrichten', step: (i, n) => `Schritt ${i} von ${n}`, serverTitle: 'Wo ist Ihr Server?', serverField: 'Adresse des Servers oder Einladungslink', serverHint: 'Zum Beispiel talk.example.org. Der Betreiber nennt sie Ihnen.', next: 'Weiter', checking: 'Wird geprüft …',
    invitedTitle: 'Lesen Sie diesen Code vor', invitedHow: 'Am besten am Telefon, demjenigen, der Sie eingeladen hat: Er vergleicht ihn mit seinem. So wissen beide, dass niemand dazwischen steht.', invitedWait: 'Warten auf die Bestätigung …', anotherLink: 'Anderer Link, andere Adresse',
    certificateTitle: 'Wer sind Sie?', certificateHow: 'Wählen Sie die Dateien, die Sie bekommen haben: Ihr Zertifikat, seinen Schlüssel und das Zertifikat der Ausgabestelle. PEM, PKCS#12 (.p12, .pfx) oder anderes; eine Datei oder mehrere, in beliebiger Reihenfolge.', choose: 'Dateien wählen', drop: 'oder hierher ziehen', passphrase: 'Passphrase des Schlüssels', passphraseHint: 'Die Dateien sind damit verschlossen. Auch auf diesem Rechner bleibt der Schlüssel verschlossen.', lockedTitle: 'Ihr Schlüssel ist verschlossen', lockedHow: 'Was Sie beim Einrichten eingegeben haben. Es wird bei jedem Start gefragt und steht in keiner Datei.', unlock: 'Öffnen', opening: 'Wird geöffnet …', files: (n) => (n === 1 ? '1 Datei' : `${n} Dateien`),
    starting: 'Startet …', phoneTitle: 'Womit möchten Sie sprechen?', phoneBrowser: 'Mit diesem Browser', phoneBrowserHow: 'Mikrofon und Lautsprecher dieses Rechners.', phoneSip: 'Mit einem SIP-Telefon', phoneSipHow: 'Softphone oder Tischtelefon.', private: 'Der Schlüssel bleibt auf diesem Rechner. Er kommt in den eigenen Ordner des Clients, den nur Sie lesen können.', back: 'Zurück', goOn: 'Weiter zu den Räumen',
  },
  trouble: {
    'client-gone': { what: 'Der Client auf diesem Rechner antwortet nicht', todo: 'Starten Sie stc neu. Diese Seite kommt von selbst wieder.' },
    locked: { what: 'Dieses Fenster ist nicht angemeldet', todo: 'Öffnen Sie die Adresse, die stc beim Start genannt hat.' },
    'server-gone': { what: 'Der Server ist nicht zu erreichen', todo: 'Prüfen Sie Ihr Netz. Wir versuchen es weiter; hier ist nichts zu tun.' },
    'server-silent': { what: 'Seit 2 Sekunden keine Antwort vom Server', todo: 'Das Netz ist vielleicht langsam, oder weg. Antwortet er wieder, geht alles weiter; sonst verbinden wir neu. Hier ist nichts zu tun.' },
    'certificate-revoked': { what: 'Ihr Zertifikat ist gesperrt worden', todo: 'Bitten Sie die Ausgabestelle um ein neues.' },
    'certificate-expired': { what: 'Ein Zertifikat ist abgelaufen', todo: 'Bitten Sie die Ausgabestelle um ein neues.' },
    'certificate-not-yet': { what: 'Ein Zertifikat gilt noch nicht', todo: 'Prüfen Sie die Uhr dieses Rechners; sonst warten Sie.' },
    clock: { what: 'Die Uhr dieses Rechners geht falsch', todo: 'Stellen Sie sie richtig: Zertifikate und Schlüssel hängen an ihr.' },
    'not-trusted': { what: 'Server und Client trauen den Zertifikaten des anderen nicht', todo: 'Fragen Sie den Betreiber des Servers, welcher Ausgabestelle er traut.' },
    refused: { what: 'Der Server hat die Verbindung abgewiesen', todo: 'Was er sagte, steht darunter; fragen Sie den Betreiber.' },
    'udp-blocked': { what: 'Dieses Netz sperrt den direkten Weg für Sprache (UDP)', todo: 'Die Sprache nimmt einen Umweg und kommt vielleicht später an. Ein anderes Netz oder sein Betreiber kann helfen.' },
    'no-voice': { what: 'Die Sprache erreicht den Server nicht', todo: 'Prüfen Sie Firewall und Netz.' },
  },
  clockOff: (s) => `Sie geht um ${amount(Math.abs(s))} ${s < 0 ? 'vor' : 'nach'}.`,
  faults: {
    CLIENT_NOT_ARRIVING: 'von dort kommt nichts an',
    PAGE_LOST: 'Der Client antwortet nicht.',
  },
  notes: {
    CLIENT_CHANNEL_LOST: 'Die Verbindung zum Server ist weg',
    CLIENT_DEAF: 'Nichts war mehr zu hören: Wir senden nicht und treten neu bei',
    CLIENT_SERVER_SILENT: 'Der Server antwortet nicht',
    CLIENT_RENEWING: 'Die Schlüssel werden erneuert',
  },
  duration: (s) => amount(s),
  announce: { joined: (n) => `${n} kam herein.`, left: (n) => `${n} ging.` },
  dismiss: 'Schließen', cancel: 'Abbrechen', code_: 'Code',
}

const UNITS = [['Sekunde', 'Sekunden'], ['Minute', 'Minuten'], ['Stunde', 'Stunden'], ['Tag', 'Tage']] as const
function amount(s: number): string {
  const [n, unit] = s < 90 ? [s, UNITS[0]] : s < 5400 ? [s / 60, UNITS[1]] : s < 129_600 ? [s / 3600, UNITS[2]] : [s / 86_400, UNITS[3]]
  const whole = Math.round(n)
  return `${whole} ${unit[whole === 1 ? 0 : 1]}`
}
