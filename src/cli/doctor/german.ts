/**
 * What the doctor says of a client, in German: each sentence as it is said in English, with {1}, {2}… for its particulars. Faults among the
 * findings have their words from the registry.
 */
import { inGerman } from '../../base/faults/german/translate.ts'

export const SENTENCES: readonly (readonly [english: string, german: string])[] = [
  // Configuration and dial plan
  ['configuration {1}', 'Konfiguration {1}'],
  ['no server is configured: calls go through telephone providers alone', 'es ist kein Server eingetragen: Gespräche gehen nur über Telefonanbieter'],
  ['{1} is an emergency number: the room {2} cannot be dialled by it', '{1} ist eine Notrufnummer: Der Raum {2} lässt sich damit nicht wählen'],
  ['give the room another number in dialPlan.names', 'geben Sie dem Raum in dialPlan.names eine andere Nummer'],
  ['{1} leads to the room {2}, not to the room {3}, although the room prefix is {4}', '{1} führt in den Raum {2}, nicht in den Raum {3}, obwohl die Raumkennung {4} ist'],
  ['another number in dialPlan.names would not surprise anybody', 'eine andere Nummer in dialPlan.names würde niemanden überraschen'],
  ['emergency numbers that begin with the room prefix ({1}) stay emergency numbers', 'Notrufnummern, die mit der Raumkennung anfangen ({1}), bleiben Notrufnummern'],
  ['numbers that begin with {1} are sealed rooms, all others go to the telephone system: its own numbers must not begin with {2}', 'Nummern, die mit {1} anfangen, sind versiegelte Räume, alle anderen gehen zur Telefonanlage: Deren eigene dürfen nicht mit {2} anfangen'],
  ['rooms are dialled with {1} in front; emergency numbers: {2}', 'Räume wählt man mit {1} davor; Notrufnummern: {2}'],
  // Phones
  ['no SIP phone is configured: the browser is the phone', 'es ist kein SIP-Telefon eingetragen: Der Browser ist das Telefon'],
  ['phone {1} at {2} can be reached from the network and has no password: only phones of this machine get in', 'das Telefon {1} an {2} ist vom Netz aus zu erreichen und hat kein Passwort: Nur Telefone dieses Rechners kommen herein'],
  ['add users: { NAME: PASSWORD } to it', 'fügen Sie ihm users: { NAME: PASSWORT } hinzu'],
  ['phone {1} is registered', 'das Telefon {1} ist angemeldet'],
  ['no phone is registered as {1}', 'als {1} ist kein Telefon angemeldet'],
  ['in the phone: user {1}, server and outbound proxy {2}; dialling works without registering too', 'im Telefon: Benutzer {1}, Server und ausgehender Proxy {2}; wählen geht auch ohne Anmeldung'],
  ['the address of phone {1} is free ({2})', 'die Adresse des Telefons {1} ist frei ({2})'],
  ['another program has the address of phone {1} ({2})', 'ein anderes Programm hat die Adresse des Telefons {1} ({2})'],
  ['end it, often a softphone that listens itself, or give another port: phones: [{ port: … }]', 'beenden Sie es, oft ist es ein Softphone, das selbst lauscht, oder geben Sie einen anderen Port an: phones: [{ port: … }]'],
  ['the address of phone {1} cannot be used ({2}: {3})', 'die Adresse des Telefons {1} ist nicht zu gebrauchen ({2}: {3})'],
  ['it must be an address of this machine, and a port above 1023', 'sie muss eine Adresse dieses Rechners sein, mit einem Port über 1023'],
  // Vault
  ["the keys are kept in the client's own process, and the roster says so", 'die Schlüssel liegen im Prozess des Clients selbst, und die Liste sagt es'],
  ['set vault: process, unless this machine cannot start one', 'setzen Sie vault: process, wenn dieser Rechner einen starten kann'],
  ['the keys are kept in an SGX enclave', 'die Schlüssel liegen in einer SGX-Enklave'],
  ['the keys are kept in a locked process of their own', 'die Schlüssel liegen in einem abgeschotteten eigenen Prozess'],
  ['the keys are kept in a process of their own', 'die Schlüssel liegen in einem eigenen Prozess'],
  ['the vault runs without "{1}"', 'der Tresor läuft ohne „{1}“'],
  ['the vault runs without "{1}": {2}', 'der Tresor läuft ohne „{1}“: {2}'],
  ['docs/protocol/vault.md says what that means', 'docs/protocol/vault.md sagt, was das bedeutet'],
  ['see docs/operations.md, the key on the disk', 'siehe docs/operations.md, der Schlüssel auf der Platte (the key on the disk)'],
  // Network
  ['the server is given as an address, {1}: no name has to be looked up', 'der Server ist als Adresse angegeben, {1}: Es muss kein Name nachgeschlagen werden'],
  ['{1} is {2} (IPv4 and IPv6)', '{1} ist {2} (IPv4 und IPv6)'],
  ['{1} is {2} (IPv4)', '{1} ist {2} (IPv4)'],
  ['{1} is {2} (IPv6)', '{1} ist {2} (IPv6)'],
  ['{1} has no address here ({2}): the proxy has to find it', '{1} hat hier keine Adresse ({2}): Der Proxy muss sie finden'],
  ['the name servers of this machine do not answer', 'die Nameserver dieses Rechners antworten nicht'],
  ['check that the network is up, and the name servers that this machine uses', 'prüfen Sie, ob das Netz da ist, und die Nameserver dieses Rechners'],
  ['{1} has no address ({2})', '{1} hat keine Adresse ({2})'],
  ['check how the name is written in server.host; inside a company the name may need its VPN', 'prüfen Sie, wie der Name in server.host geschrieben ist; ein Name einer Firma braucht vielleicht ihr VPN'],
  ['no proxy is set (HTTPS_PROXY), connections go out directly', 'es ist kein Proxy gesetzt (HTTPS_PROXY), Verbindungen gehen direkt hinaus'],
  ['connections go out without a proxy', 'Verbindungen gehen ohne Proxy hinaus'],
  ['connections go through the proxy {1} port {2} (HTTP CONNECT)', 'Verbindungen gehen über den Proxy {1} Port {2} (HTTP CONNECT)'],
  ['ask who runs the server whether it runs, and who runs the network whether it lets this port out; where only 443 is open, the server can listen there', 'fragen Sie den Betreiber des Servers, ob er läuft, und den des Netzes, ob es diesen Port hinauslässt; wo nur 443 offen ist, kann der Server dort lauschen'],
  ['ask who runs the network to allow CONNECT to this address; port 443 is allowed most often', 'bitten Sie den Betreiber des Netzes, CONNECT zu dieser Adresse zu erlauben; Port 443 ist am häufigsten erlaubt'],
  ['{1} accepts connections', '{1} nimmt Verbindungen an'],
  ['{1} accepts connections through the proxy', '{1} nimmt über den Proxy Verbindungen an'],
  ['no TLS comes about at {1} port {2}: {3}', 'an {1} Port {2} kommt kein TLS zustande: {3}'],
  ['check that the port is that of an stc server; a firewall that inspects connections can break it too', 'prüfen Sie, ob der Port der eines stc-Servers ist; auch eine Firewall, die in Verbindungen hineinsieht, kann es verhindern'],
  ['TLS 1.3', 'TLS 1.3'],
  ['the other side speaks {1} and not TLS 1.3', 'die andere Seite spricht {1} und nicht TLS 1.3'],
  ['that is no stc server: somebody may be in between', 'das ist kein stc-Server: Vielleicht steht jemand dazwischen'],
  ["the server's certificate is for {1}, not for {2}", 'das Zertifikat des Servers gilt für {1}, nicht für {2}'],
  ['check server.host; where the server is reached by another name, set server.name; otherwise somebody is in the way', 'prüfen Sie server.host; wird der Server unter einem anderen Namen erreicht, setzen Sie server.name; sonst steht jemand dazwischen'],
  ['the server shows its certificate ({1}, by {2}): nobody intercepts the connection', 'der Server zeigt sein Zertifikat ({1}, von {2}): Niemand bricht die Verbindung auf'],
  ["the server's certificate ends on {1}", 'das Zertifikat des Servers endet am {1}'],
  ['tell who runs the server', 'sagen Sie es dem Betreiber des Servers'],
  ["the server's certificate is not valid now: {1}", 'das Zertifikat des Servers gilt jetzt nicht: {1}'],
  ['check the date of this machine first, then tell who runs the server', 'prüfen Sie erst das Datum dieses Rechners, dann sagen Sie es dem Betreiber des Servers'],
  ['the certificate of the other side is refused: {1}', 'das Zertifikat der anderen Seite wird abgelehnt: {1}'],
  ["SOMEBODY ELSE answers in the server's place, or the server has another authority than yours. It was issued by \"{1}\".", 'JEMAND ANDERES antwortet an der Stelle des Servers, oder der Server hat eine andere Ausgabestelle als Sie. Ausgestellt hat es „{1}“.'],
  ["SOMEBODY ELSE answers in the server's place, or the server has another authority than yours.", 'JEMAND ANDERES antwortet an der Stelle des Servers, oder der Server hat eine andere Ausgabestelle als Sie.'],
  ["if that is a company, a proxy or a virus scanner: it opens encrypted connections; ask for an exception for this server, or use another network. If it is your server's new authority: get its certificate from who runs it, by another way, and add it to identity.anchors. Nothing was sent", 'ist das eine Firma, ein Proxy oder ein Virenscanner: Er bricht verschlüsselte Verbindungen auf; bitten Sie um eine Ausnahme für diesen Server, oder nehmen Sie ein anderes Netz. Ist es die neue Ausgabestelle Ihres Servers: Holen Sie sich ihr Zertifikat auf anderem Weg von ihrem Betreiber, und nehmen Sie es unter identity.anchors auf. Nichts wurde gesendet'],
  // The running client
  ['a client runs with this configuration (process {1})', 'mit dieser Konfiguration läuft ein Client (Prozess {1})'],
  ['the server does not answer', 'der Server antwortet nicht'],
  ['ask who runs the server whether it runs', 'fragen Sie den Betreiber des Servers, ob er läuft'],
  ['the server lets us in with our certificate', 'der Server lässt uns mit unserem Zertifikat herein'],
  ['the server did not say what time it is', 'der Server hat nicht gesagt, wie spät es ist'],
  ["the clock of this machine is {1} s behind the server's", 'die Uhr dieses Rechners geht gegenüber der des Servers {1} s nach'],
  ["the clock of this machine is {1} s ahead of the server's", 'die Uhr dieses Rechners geht gegenüber der des Servers {1} s vor'],
  ['set it right (automatic time): certificates and calls depend on it', 'stellen Sie sie richtig (automatische Zeit): Zertifikate und Gespräche hängen an ihr'],
  ['switch automatic time on', 'schalten Sie die automatische Zeit ein'],
  ["the clock is right ({1} s from the server's)", 'die Uhr geht richtig ({1} s von der des Servers)'],
  ['voice gets through directly (UDP)', 'Sprache kommt direkt durch (UDP)'],
  ['voice gets through directly (UDP, {1} ms there and back)', 'Sprache kommt direkt durch (UDP, {1} ms hin und zurück)'],
  ['UDP does not get through: voice takes the detour over TLS', 'UDP kommt nicht durch: Sprache nimmt den Umweg über TLS'],
  ['UDP does not get through: voice takes the detour over TLS, {1} ms there and back', 'UDP kommt nicht durch: Sprache nimmt den Umweg über TLS, {1} ms hin und zurück'],
  ["it works, but may come late on a bad network: ask who runs the network to let UDP out to the server's port", 'es geht, kann aber in einem schlechten Netz spät kommen: Bitten Sie den Betreiber des Netzes, UDP zum Port des Servers hinauszulassen'],
  ['no way for voice was found, neither UDP nor TLS', 'für Sprache fand sich kein Weg, weder UDP noch TLS'],
  ['check the firewall; server.mediaOverTls should be "auto"', 'prüfen Sie die Firewall; server.mediaOverTls sollte "auto" sein'],
  ['the server has a telephone system; this client does not use it', 'der Server hat eine Telefonanlage; dieser Client benutzt sie nicht'],
  ['no telephone system is used', 'es wird keine Telefonanlage benutzt'],
  ['the server has a telephone system behind it', 'hinter dem Server steht eine Telefonanlage'],
  ['phones should reach a telephone system (upstream: server), but the server has none', 'Telefone sollen eine Telefonanlage erreichen (upstream: server), aber der Server hat keine'],
  ['ask who runs the server to configure "sip", or set upstream: none', 'bitten Sie den Betreiber des Servers, "sip" einzutragen, oder setzen Sie upstream: none'],
  // Certificates
  ['{1}, by {2}; {3} step to the anchor', '{1}, von {2}; {3} Schritt bis zum Anker'],
  ['{1}, by {2}; {3} steps to the anchor', '{1}, von {2}; {3} Schritte bis zum Anker'],
  ['the path ends on {1}', 'die Kette endet am {1}'],
  ['renew the certificate: "stc identity renew", or ask your authority', 'erneuern Sie das Zertifikat: "stc identity renew", oder fragen Sie Ihre Ausgabestelle'],
  ['valid until {1}', 'gültig bis {1}'],
  ['{1} names no place for its revocation: nothing is asked for under the rule "named"', '{1} nennt keinen Ort für Sperrungen: Unter der Regel "named" wird nichts verlangt'],
  ['{1}: its revocation list has no address that can be fetched', '{1}: Die Adresse seiner Sperrliste lässt sich nicht abrufen'],
  ['{1}: its revocation list is in the directory alone ({2})', '{1}: Seine Sperrliste steht nur im Verzeichnis ({2})'],
  ['have the authority publish its list by http, or give the list as a file: revocation.lists', 'lassen Sie die Ausgabestelle ihre Liste über http veröffentlichen, oder geben Sie die Liste als Datei an: revocation.lists'],
  ['{1} (not asked)', '{1} (nicht gefragt)'],
  ['the server and clients need this address; check it from their machines, or give the list as a file: revocation.lists', 'Server und Clients brauchen diese Adresse; prüfen Sie sie von deren Rechnern aus, oder geben Sie die Liste als Datei an: revocation.lists'],
  ['{1}: list from {2}, {3} octets', '{1}: Liste von {2}, {3} Oktette'],
  ['the list is used instead', 'stattdessen dient die Liste'],
  ['without an answer nobody with this certificate comes in under the rule "named"', 'ohne Antwort kommt unter der Regel "named" niemand mit diesem Zertifikat herein'],
  ['{1}: answer from {2}', '{1}: Antwort von {2}'],
  ['accepted under the rule "{1}"', 'angenommen unter der Regel "{1}"'],
  ['code {1}; under the rule "{2}" others do not let this certificate in', 'Code {1}; unter der Regel "{2}" lassen andere dieses Zertifikat nicht herein'],
]

const patterns = SENTENCES.map(([english, german]) => {
  const parts = english.split(/\{\d\}/).map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return { pattern: new RegExp(`^${parts.join('([\\s\\S]+?)')}$`), german }
})

/** Undefined: nobody has put that into German. */
export function doctorGerman(sentence: string): string | undefined {
  const fault = /^([\s\S]*) \[([A-Z][A-Z0-9_]+)\]$/.exec(sentence)
  if (fault !== null) {
    const german = inGerman({ code: fault[2]!, message: fault[1]! })
    if (german !== fault[1]) return `${german} [${fault[2]}]`
  }
  for (const { pattern, german } of patterns) {
    const found = pattern.exec(sentence)
    if (found !== null) return german.replace(/\{(\d)\}/g, (_, n: string) => doctorGerman(found[Number(n)]!) ?? found[Number(n)]!)
  }
  return undefined
}
