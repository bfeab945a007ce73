import type { Duplex } from 'node:stream'
import type { Deadline } from '@pennypost/model'
import type { EndpointAddress } from './connection.ts'
import { readProxyHeader } from './proxy-header.ts'

/**
 * Learns from a trusted proxy for whom it speaks. The stream is left as whoever reads on expects it, with nothing lost that
 * came behind the header.
 * Who calls it: `listener.ts`, before anything else, TLS included.
 */

/** How long a proxy may take to say who the client is. It is a machine next door and has nothing else to do first. */
const proxyHeaderMs = 5_000

/** `done` gets the client, or undefined when there was no header and the stream has been destroyed. */
export function readProxiedClient(
  stream: Duplex,
  proxy: EndpointAddress,
  deadline: Deadline,
  done: (client: EndpointAddress | undefined) => void,
): void {
  let octets: Buffer = Buffer.alloc(0)
  const finish = (client: EndpointAddress | undefined): void => {
    timer[Symbol.dispose]()
    stream.removeListener('readable', read)
    stream.removeListener('end', gone)
    stream.removeListener('close', gone)
    if (!client) stream.destroy()
    done(client)
  }
  const gone = (): void => finish(undefined)
  const read = (): void => {
    for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
      octets = Buffer.concat([octets, chunk])
      const header = readProxyHeader(octets)
      if (header.kind === 'bad') finish(undefined)
      else if (header.kind === 'read') {
        if (octets.length > header.length) stream.unshift(octets.subarray(header.length))
        finish(header.client ?? proxy)
      }
      if (header.kind !== 'more') return
    }
  }
  const timer = deadline.after(proxyHeaderMs, gone)
  stream.on('readable', read)
  stream.on('end', gone)
  stream.on('close', gone)
}
