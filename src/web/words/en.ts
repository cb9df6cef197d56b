/** Every word of the page, in English. The other languages have the same keys. */
import type { Cause } from '../state/trouble.ts'

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const count = (n: number): string => NUMBERS[n] ?? String(n)

export const en = {
  language: 'English',
  title: 'stc',
  skip: 'Skip to the call',
  privacy: {
    sealed: (n: number) => (n === 1 ? 'Only you are here: nobody can hear this' : `Only these ${count(n)} people can hear this`),
    bridged: 'Our server can hear this',
    open: 'Anyone on the line can hear this',
    none: 'Nobody hears you yet',
    joining: 'Joining: nobody hears you yet',
    healing: 'Reconnecting: nobody hears you now',
    left: 'You have left',
    waiting: 'Waiting to be let in: nobody hears you yet',
    waitingHow: 'A host has to admit you.',
    locked: 'The room is locked: nobody else comes in.',
    gateway: 'Telephone callers hear this too, through a gateway.',
    plainLeg: 'A phone in this call speaks unprotected on its own local network.',
    sealedHow: 'Sealed end to end: not even the server can listen.',
    bridgedHow: 'Protected on the way, open at the server.',
    openHow: 'Not protected beyond this point.',
    noneHow: 'You will be heard once you are in.',
    healingHow: 'You will be heard again once the connection is back.',
    unknown: 'Nobody knows who can hear this',
    unknownHow: 'The client does not answer. What is below is what it said last.',
  },
  calls: {
    heading: 'Your calls', asks: 'Needs your answer',
    weaker: (name: string, sentence: string) => `In your call ${name}: ${sentence}`,
    weakerHow: (sentence: string) => `You are in more than one call, and your phone decides which of them hears you. Of this call alone: ${sentence}.`,
  },
  nav: { call: 'Call', rooms: 'Rooms', phone: 'Phone and sound', settings: 'Settings' },
  server: {
    up: (name: string) => `Connected to ${name}`, down: (name: string) => `Not connected to ${name}`, connecting: (name: string) => `Connecting to ${name}…`,
    roundTrip: (ms: number) => `${Math.round(ms)} ms to the server and back`,
  },
  members: {
    heading: (n: number) => (n === 0 ? 'Nobody yet' : n === 1 ? 'One person' : `${n} people`), you: 'you', joining: 'coming in', gateway: 'gateway to telephones', muted: 'muted', speaking: 'speaking',
    sameName: (i: number, n: number) => `${i} of ${n} with this name`, since: (t: string) => `since ${t}`, unheard: 'You cannot hear this person', unopened: 'what comes does not open with the keys of this room, and is not played', callers: 'Not verified', callersHow: 'No certificate names them: plain phones, or callers from outside. The number is what the telephone network says.', withheld: 'number withheld', recorded: 'being recorded', host: 'host', more: (n: number) => `and ${n} more`, old: 'The list is old: the server has lost the telephone system.',
    quality: { none: 'no sound yet', good: 'clear', fair: 'some loss', poor: 'poor connection' },
    details: (name: string) => `Details of ${name}`, empty: 'Nobody is here yet.',
    phoneLeg: { local: 'phone on the same computer', encrypted: 'phone leg: encrypted', 'plain-lan': 'phone leg: plain on the local network' },
    volume: (name: string) => `Volume of ${name}`, volumeShort: 'Volume',
    remove: 'Remove…', removeAsk: (name: string) => `Remove ${name} from the call?`, removeHow: 'The group gets new keys that this person does not have. Everybody sees who did it.', removeBan: 'Do not let this person in again', removeDo: 'Remove',
  },
  roles: { owner: 'owner', 'co-owner': 'owner', host: 'host' },
  acquaintance: {
    changed: 'another key than before', changedHow: 'The name is known to you, with another key. Ask, on another way, whether there is a new certificate; compare the security code.',
    'first-contact': 'new to you', reissued: 'new certificate, same key', known: 'known to you', compared: 'compared', comparedOn: (d: string) => `compared on ${d}`,
  },
  ring: {
    calls: (n: string) => `${n} calls you`, answer: 'Answer', refuse: 'Decline', checked: 'The name is from a certificate that was checked on your computer; the server cannot make one up.', ends: 'Answering ends the call that you are in.',
    more: (n: number) => (n === 1 ? 'One more person calls.' : `${n} more people call.`), withheld: 'Your browser gives no ringing sound before you have clicked or pressed a key in this page.', calling: (n: string) => `Calling ${n} …`, rings: (n: string) => `It rings at ${n}`,
  },
  people: {
    heading: 'People you met', askIn: 'Ask someone in', mail: 'Mail address in their certificate', ring: 'Ring', ringWho: (n: string) => `Ring ${n}`, callWho: (n: string) => `Call ${n}`, seen: (d: string) => `last seen on ${d}`, all: (n: number) => `Show all ${n}`, fewer: 'Show fewer', blocked: 'blocked',
    block: 'Block…', blockAsk: (n: string) => `Block ${n}?`, blockHow: 'This person can no longer ring you, and you no longer hear them. In calls that you own they are taken out and kept out, and everybody is told.', keep: 'Cancel', unblock: 'Unblock', unblockWho: (n: string) => `Unblock ${n}`,
  },
  pairwise: {
    not: (n: string) => `You have not compared keys with ${n}.`, done: 'Keys compared: this is who you know.', doneOn: (d: string) => `Keys compared on ${d}: this is who you know.`, show: 'Compare keys', hide: 'Hide the code', same: 'It was the same',
    how: (n: string) => `${n} sees the same six groups under your name. Read them to each other, by a voice or on a way that you trust. It holds for every later call, until one of you gets another key.`,
  },
  sealedCall: {
    sentences: { early: 'Ringing: anyone on the line can hear this', seeking: 'Anyone on the line can hear this', agreeing: 'Agreeing on keys: nobody hears anything', doubt: 'Nobody hears anything: it is not clear who this is', sealed: 'Only you and the other side can hear this', lost: 'Nobody hears anything: what comes is not from the other side', asking: 'Not sealed: nobody hears you', open: 'Anyone on the line can hear this' },
    how: { early: 'Announcements and ringing are never sealed.', seeking: 'Looking for stc at the other side.', agreeing: 'This takes a second or two.', doubt: 'The key is another one than before under this number.', sealed: 'Sealed inside the codec: not even the provider can listen.', lost: 'Music, an announcement, or somebody else is on the line.', asking: 'The other side has no stc, or something in between changes the sound.', open: 'Not protected beyond this point.' },
    compare: 'Say these words to each other. If they are the same, nobody stands between.', asks: 'You may talk all the same. Then anyone on the way can listen.', accept: 'Talk unprotected', acceptDoubt: 'Talk with them all the same',
    same: 'The words are the same', newKey: 'This number comes with a key that you do not know. Once the words were the same, say so: the key is remembered, and whoever has another one is noticed.', remembered: 'The key of this number is remembered: whoever has another one is noticed.',
    chained: 'Encrypted, but nobody knows with whom', chainedHow: 'The legacy profile authenticates nobody: whoever is on the way can listen with some effort, and change what is heard.',
    held: 'The other side holds the call.', muted: 'The other side is muted.',
  },
  lobby: { heading: (n: number) => (n === 1 ? 'One person asks to come in' : `${n} people ask to come in`), admit: 'Let in', how: 'This is whom the certificate names, checked on your computer.', notHost: 'A host can let them in.', as: (n: string) => `Let in: ${n}` },
  flag: { raise: 'Red flag', title: 'Raise a red flag', how: 'Everybody sees at once that you raised it, and what you write.', text: 'What is wrong?', preset: 'Please stop: something is wrong here.', send: 'Raise it', seen: 'Understood' },
  lock: { lock: 'Lock', unlock: 'Unlock' },
  certificate: {
    heading: 'Certificate', name: 'Name', organisation: 'Organisation', mail: 'Mail', issuer: 'Issued by', serial: 'Serial number', valid: 'Valid', key: 'Key', fingerprint: 'Fingerprint',
    checked: 'Checked on your computer, not by the server.', protection: 'Where the keys are', protections: { 'in-process': 'in the client program', process: 'in a program of their own (says the client)', enclave: 'in an SGX enclave', unknown: 'not stated' },
    enclave: (tee: 'sgx' | 'tdx', measurement: string, status: string): string => `${tee === 'sgx' ? 'in an SGX enclave' : 'in a TDX domain'}, verified here: measurement ${measurement}; platform ${status}`,
    enclaveRefused: (code: string): string => `It says that they are in an enclave; that is not proven (${code}).`,
  },
  code: {
    heading: 'Security code', none: 'There is a code once you are in.', compare: 'Compare', compared: 'Compared: it was the same', changed: 'The code has changed since you compared it, because somebody came or left.',
    title: 'Compare the security code', group: (i: number) => `Group ${i}`,
    how: ['Ask somebody in the call, in whose voice you trust, to read the first two groups to you.', 'Read the next two to them, and let them read the rest.', 'All six the same: you are in one group with one set of keys, and nobody stands between.'],
    limit: 'The code shows that nobody has split the group. Who the people are, their certificates say.', same: 'All the same', different: 'Something differs', later: 'Later',
    alarm: 'Then do not speak about anything confidential.', alarmHow: 'Check first that you both read the newest code: it changes whenever somebody comes or goes. If it still differs, somebody has split the call in two: leave it, and tell whoever runs the server.', leave: 'Leave the call', back: 'Compare again',
  },
  history: {
    heading: 'What happened', empty: 'Nothing yet.', joined: (n: string) => `${n} came in`, left: (n: string) => `${n} is gone`, unheard: (n: string) => `${n} cannot be heard`, heard: (n: string) => `${n} can be heard again`, flag: (n: string, t: string) => `${n} raises a red flag: ${t}`, knock: (n: string) => `${n} asks to come in`, changed: (n: string) => `${n} has another key than before`,
    phase: { joining: 'Joining the room', member: 'You are in', healing: 'Connection lost, coming back', left: 'You have left' } as Readonly<Record<string, string>>,
  },
  controls: {
    heading: 'Controls', mute: 'Mute', unmute: 'Unmute', talk: 'Hold to talk', talkOn: 'Push to talk', leave: 'Leave', keypad: 'Keypad', hide: 'Close', mutedNow: 'You are muted', unmutedNow: 'You can be heard', takeOver: 'Use the sound here', elsewhere: 'Another window has the sound.', nowhere: 'Nobody hears you, and you hear nobody: the window that had the sound is closed.',
    onPhone: (line: string) => `You speak on your phone “${line}”`, level: 'Your microphone', withheld: 'Hold the button, or the space bar, while you talk.',
  },
  line: {
    hold: 'Hold', resume: 'Resume', hangUp: 'Hang up', placeholder: '0301234, room-name, or anna@example.org', how: (prefix: string) => `Numbers are called by telephone. A name, or ${prefix} in front, is a sealed room.`,
    state: { calling: (n: string) => `Calling ${n} …`, ringing: (n: string) => `It rings at ${n}`, early: (n: string) => `Not answered yet: ${n}`, up: (n: string) => `Connected with ${n}`, held: (n: string) => `You hold the call with ${n}: neither hears the other` },
    unverified: 'Not verified: this is what the telephone network says. Anybody can make it up.', withheld: 'a withheld number',
    pass: 'Pass on…', passTo: 'Pass this call on to', passHow: 'They talk without you then.', passDo: 'Pass on',
    registered: (n: string) => `This browser is telephone ${n}: it can call and be called.`, not: (n: string) => `Telephone ${n} is not registered yet.`,
  },
  rooms: {
    heading: 'Call a room or somebody', number: 'Room or number', placeholder: '100, or anna@example.org', clear: 'Clear', clearAsk: 'Forget all calls so far? It cannot be undone.', missed: 'nobody answered', direction: { in: 'they called', out: 'you called', missed: 'missed' }, call: 'Call', known: 'Rooms', recent: 'Calls so far', again: (room: string) => `Call ${room} again`, none: 'No calls yet.', alone: 'nobody else', lasted: (d: string) => `${d} long`,
    echo: 'Echo room', echoHow: 'Hear what our server hears of you, and what the others hear.', echoGo: 'Try it', people: (n: number) => (n === 1 ? '1 other person' : `${n} other people`), failed: 'did not work', inCall: 'You are in a call already.',
  },
  phone: {
    browser: 'Talk with this browser', browserHow: 'Headset recommended. Your browser asks once whether it may use the microphone.', microphone: 'Microphone', speaker: 'Speaker', standard: 'Standard', test: 'Test', testTone: 'Play a test tone', testLevel: 'Say something: the bar should move.', start: 'Test the microphone',
    levelGood: 'We hear you.', levelNone: 'Nothing heard yet. Is the right microphone chosen, and not muted?', refused: 'The browser does not let us use the microphone. Allow it beside the address bar, then try again.', missing: 'There is no microphone. Plug one in, then try again.', broken: 'The browser cannot start its sound. Check that there is a speaker, then try again or reload the page.', withheld: 'The browser gives no sound before you press a key or click on this page. Do so, then try again.', retry: 'Try again',
    unusable: 'This device could not be opened. The one before it is still used.', notify: 'Show calls while another window is in front', notifying: 'Calls are shown while another window is in front.',
    soft: 'Talk with a SIP phone', softHow: 'Any softphone or desk phone works. Enter this in its account settings:', none: 'This client serves no SIP phone. Add one under “phones” in its configuration.', field: { user: 'User name', domain: 'Domain / registrar', proxy: 'Outbound proxy', transport: 'Transport', password: 'Password', dial: 'Then dial' },
    password: 'as in the client’s configuration', noPassword: 'none needed', registered: 'Your phone is registered', waiting: 'Waiting for your phone to register…', qr: 'Scan with a phone', other: 'Other phone', copy: 'Copy', copied: 'Copied', qrHow: 'Address for phones that read it',
    where: { linphone: 'Assistant → Use SIP account', zoiper: 'Settings → Accounts → Add', microsip: 'Menu → Add account', groundwire: 'Settings → Accounts → Generic SIP', baresip: 'in ~/.baresip/accounts', other: 'SIP account settings' },
  },
  echo: {
    heading: 'Echo room', how: 'You are alone in a sealed room. Say a few words: you get them back twice.', speak: (s: number) => `Speak now: ${s} s`, ready: 'Record again', joining: 'Opening the room…',
    server: 'What our server could hear of you', serverHow: 'These are the very octets that left for the server, played as sound. It is noise: without the keys, which never leave the members, there is nothing in it.', members: 'What the members hear', membersHow: 'The same frames, opened with the key of the room.', play: 'Play', stop: 'Stop', octets: 'The first octets as they go out', done: 'That works. You are ready for your first call.', finish: 'Go to the rooms', quiet: 'We heard next to nothing of you. Check the microphone and record again.', playing: 'Playing', wave: 'Loudness over time',
  },
  diagnostics: {
    heading: 'Connection', open: 'Show numbers', close: 'Hide numbers', member: 'Person', loss: 'Loss', jitter: 'Jitter', buffer: 'Buffer', concealed: 'Filled in', delay: 'Delay', epoch: 'Epoch', refused: 'Refused frames', late: 'Late ticks', path: 'Way of the voice',
    paths: { none: 'none yet', udp: 'direct (UDP)', tls: 'detour (TLS)' }, delayHow: 'Half the way to the server and back, on this side only, and the buffer.', lastMinute: 'the last minute',
  },
  settings: { heading: 'Settings', language: 'Language', theme: 'Appearance', themes: { system: 'as the system', light: 'light', dark: 'dark' }, about: 'About', version: (v: string) => `stc ${v}`, identity: 'This is you', close: 'Close',
    keys: 'Your keys', keysIn: { 'in-process': 'In the client program itself: other programs of your user could read them.', process: 'In an isolated process: other programs of your user cannot read them.', enclave: 'In an SGX enclave.' }, program: 'Program', locks: 'What locks it in', missing: 'could not be had' },
  setup: {
    heading: 'Set up', step: (i: number, n: number) => `Step ${i} of ${n}`, serverTitle: 'Where is your server?', serverField: 'Server address or invitation link', serverHint: 'For example talk.example.org. Whoever runs it tells you.', next: 'Continue', checking: 'Trying…',
    invitedTitle: 'Read this code to whoever invited you', invitedHow: 'By voice, if you can: they compare it with what they see. So both know that nobody is in between.', invitedWait: 'Waiting until they confirm…', anotherLink: 'Use another link or address',
    certificateTitle: 'Who are you?', certificateHow: 'Choose the files that you were given: your certificate, its key, and the certificate of the authority. PEM, PKCS#12 (.p12, .pfx) or others; one file or several, in any order.', choose: 'Choose files', drop: 'or drop them here', passphrase: 'Passphrase of the key', passphraseHint: 'The files are locked with it. The key stays locked on this computer.', lockedTitle: 'Your key is locked', lockedHow: 'What you typed when you set this client up. It is asked for at every start and kept in no file.', unlock: 'Open', opening: 'Opening…', files: (n: number) => (n === 1 ? '1 file' : `${n} files`),
    starting: 'Starting…', phoneTitle: 'What will you talk with?', phoneBrowser: 'This browser', phoneBrowserHow: 'Microphone and speaker of this computer.', phoneSip: 'A SIP phone', phoneSipHow: 'A softphone or a desk phone.', private: 'The key stays on this computer. It goes into the client’s own folder, readable by you alone.', back: 'Back', goOn: 'Go on to the rooms',
  },
  trouble: {
    'client-gone': { what: 'The client on this computer does not answer', todo: 'Start stc again. This page comes back by itself.' },
    locked: { what: 'This window is not signed in', todo: 'Open the address that stc printed when it started.' },
    'server-gone': { what: 'The server cannot be reached', todo: 'Check your network. We keep trying; nothing has to be done here.' },
    'server-silent': { what: 'No answer from the server for 2 seconds', todo: 'The network may be slow, or gone. If it answers again, everything goes on; if not, we connect anew. Nothing has to be done here.' },
    'certificate-revoked': { what: 'Your certificate has been revoked', todo: 'Ask whoever issues certificates for a new one.' },
    'certificate-expired': { what: 'A certificate has expired', todo: 'Ask whoever issues certificates for a new one.' },
    'certificate-not-yet': { what: 'A certificate is not valid yet', todo: 'Check the clock of this computer; else wait.' },
    clock: { what: 'The clock of this computer is wrong', todo: 'Set it to the right time: certificates and keys are bound to it.' },
    'not-trusted': { what: 'Server and client do not trust each other’s certificates', todo: 'Ask whoever runs the server which authority it trusts.' },
    refused: { what: 'The server refused the connection', todo: 'What it said stands below; ask whoever runs it.' },
    'udp-blocked': { what: 'This network blocks the direct way for voice (UDP)', todo: 'Voice takes a detour and may lag. Another network, or its administrator, can help.' },
    'no-voice': { what: 'Voice does not reach the server', todo: 'Check firewall and network.' },
  } as Readonly<Record<Cause, { readonly what: string; readonly todo: string }>>,
  clockOff: (s: number) => `It is ${s < 0 ? 'ahead' : 'behind'} by ${amount(Math.abs(s), 'second', 'minute', 'hour', 'day')}.`,
  /** Faults whose words are others here than in the registry (base/faults). */
  faults: { CLIENT_NOT_ARRIVING: 'nothing arrives from there' } as Readonly<Record<string, string>>,
  notes: {} as Readonly<Record<string, string>>,
  duration: (s: number) => amount(s, 'second', 'minute', 'hour', 'day'),
  announce: { joined: (n: string) => `${n} came in.`, left: (n: string) => `${n} left.` },
  dismiss: 'Close', cancel: 'Cancel', code_: 'Code',
}

function amount(s: number, ...units: readonly string[]): string {
  const [n, unit] = s < 90 ? [s, units[0]] : s < 5400 ? [s / 60, units[1]] : s < 129_600 ? [s / 3600, units[2]] : [s / 86_400, units[3]]
  const whole = Math.round(n)
  return `${whole} ${unit}${whole === 1 ? '' : 's'}`
}

export type Words = typeof en
