import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'

/** A UDP socket on loopback that answers each datagram with whatever the test says, for what no honest server would do. */
export interface RawServer extends AsyncDisposable {
  readonly server: string
  readonly port: number
  /** The queries that came. */
  readonly queries: { octets: Buffer; from: RemoteInfo }[]
}

export async function createRawServer(answer: (query: Buffer) => readonly Buffer[]): Promise<RawServer> {
  const socket = createSocket('udp4')
  const queries: RawServer['queries'] = []
  socket.on('error', () => {})
  socket.on('message', (octets, from) => {
    queries.push({ octets, from })
    for (const datagram of answer(octets)) socket.send(datagram, from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  return {
    server: `127.0.0.1:${port}`,
    port,
    queries,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
