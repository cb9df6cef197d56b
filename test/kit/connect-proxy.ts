/** A proxy as networks have that let nothing else out: HTTP CONNECT, with names that only it can resolve. */
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface TestProxy {
  readonly port: number
  /** What was asked for, in order. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** `names`: host of a CONNECT → where it is in truth; others are refused with 403. `password`: `Basic` wanted. */
export async function startProxy(names: Readonly<Record<string, number>>, password?: string): Promise<TestProxy> {
  const asked: string[] = []
  const open = new Set<Socket>()
  const server = createServer((_, response) => void response.writeHead(405).end())
  server.on('connect', (request, socket: Socket, head) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    asked.push(request.url ?? '')
    if (password !== undefined && request.headers['proxy-authorization'] !== `Basic ${Buffer.from(password).toString('base64')}`) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
    const port = names[request.url ?? '']
    if (port === undefined) return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    const far = connect(port, '127.0.0.1')
    far.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('close', () => far.destroy())
    far.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n')
      if (head.length > 0) far.write(head)
      far.pipe(socket).pipe(far)
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port, asked,
    close: () => new Promise((resolve) => {
      for (const s of open) s.destroy()
      server.close(() => resolve())
    }),
  }
}
