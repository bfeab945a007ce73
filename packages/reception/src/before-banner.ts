import type { Deadline, Timer } from '@pennypost/model'
import type { Connection } from '@pennypost/transport'
import type { Client } from './session.ts'
import { readProxyHeader } from './wire/proxy-header.ts'

/**
 * What happens on a connection before the banner: a trusted proxy says for whom it speaks, and a stranger shows whether it
 * waits for us. Both leave the stream as the session expects it, with nothing of it lost.
 * Who calls it: `service.ts`, for each connection.
 */

/** How long a proxy may take to say who the client is. It is a machine next door and has nothing else to do first. */
const proxyHeaderMs = 5_000

/** Reads the PROXY header; `done` gets the client, or undefined when there was none and the connection has been dropped. */
export function readClient(
  connection: Connection,
  deadline: Deadline,
  done: (client: Client | undefined) => void,
): void {
  const { stream } = connection
  let octets: Buffer = Buffer.alloc(0)
  const finish = (client: Client | undefined): void => {
    timer[Symbol.dispose]()
    stream.removeListener('readable', read)
    stream.removeListener('end', gone)
    stream.removeListener('close', gone)
    if (!client) connection.destroy()
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
        finish(header.client ?? connection.remote)
      }
      if (header.kind !== 'more') return
    }
  }
  const timer: Timer = deadline.after(proxyHeaderMs, gone)
  stream.on('readable', read)
  stream.on('end', gone)
  stream.on('close', gone)
}

/**
 * Lets `waitMs` pass before the banner. Programs that send mail to anybody do not wait for it; mail servers do
 * (RFC 5321 §3.1). `early` when the client spoke, `gone` when it left or we drain; only of `patient` a session is made.
 */
export function awaitPatience(
  connection: Connection,
  { deadline, waitMs }: { deadline: Deadline; waitMs: number },
  done: (outcome: 'patient' | 'early' | 'gone') => void,
): void {
  const { stream } = connection
  let waiting = true
  const finish = (outcome: 'patient' | 'early' | 'gone'): void => {
    if (!waiting) return
    waiting = false
    timer[Symbol.dispose]()
    stream.removeListener('data', early)
    stream.removeListener('end', gone)
    stream.removeListener('close', gone)
    done(outcome)
  }
  const early = (): void => finish('early')
  const gone = (): void => finish('gone')
  const timer = deadline.after(waitMs, () => finish('patient'))
  stream.on('data', early)
  stream.on('end', gone)
  stream.on('close', gone)
  connection.onDrain(gone)
}
