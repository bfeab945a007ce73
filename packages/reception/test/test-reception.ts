/** Reception over the memory engine on in-memory connections, with time that stands still: for attacks and faults. */
import { type Deadline, type Log, type Store, silentLog } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { createConnectionLimiter } from '@pennypost/transport'
import { createDuplexPair, type DuplexEnd } from '@pennypost/transport/duplex-pair'
import { onTestFinished } from 'vitest'
import { defaultReceptionLimits, openReception, type ReceptionOptions, type Service } from '../src/index.ts'
import { plainOptions } from './plain-options.ts'

/** `changed` may be made of the deadline, whose time a test moves. */
export async function testReception(
  changed: Partial<ReceptionOptions> | ((deadline: Deadline) => Partial<ReceptionOptions>) = {},
  service: Service = 'smtp',
  connectionsPerAddress = 0,
) {
  const clock = virtualClock()
  const waits = virtualClock()
  const random = seededRandom(1)
  const deadline: Deadline = {
    after: (delayMs, expire) => waits.after(delayMs, expire),
    signal(delayMs, parent) {
      const own = new AbortController()
      waits.after(delayMs, () => own.abort(new Error(`not known after ${delayMs} ms`)))
      return parent ? AbortSignal.any([own.signal, parent]) : own.signal
    },
  }
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (_, text) => void errors.push(text), child: () => log }
  const store = createMemoryStore({ clock, random })
  const { directory } = store
  await directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const account = await directory.addAccount({ login: 'bob@one.test', name: '', quota: 0, admin: true }, clock.now())
  const options: ReceptionOptions = {
    ...plainOptions({ hostname: 'mail.one.test', store, clock, deadline, random, log }),
    limits: { ...defaultReceptionLimits, tarpitMs: 0 },
    ...(typeof changed === 'function' ? changed(deadline) : changed),
  }
  const limiter = createConnectionLimiter({ connections: 0, connectionsPerAddress })
  const endpoint = { address: '127.0.0.1', port: 0 }
  const listener = await openReception({ service, endpoint, limiter }, options)
  onTestFinished(async () => void (await listener.close({ drainMs: 0 })))
  return {
    store: store as Store,
    options,
    listener,
    limiter,
    account: account.id,
    clock,
    waits,
    /** What was logged as an error. */
    errors,
    /** Messages in the one INBOX. */
    async messages(): Promise<number> {
      return (await store.mail.mailboxes(account.id))[0]?.messages ?? -1
    },
    connect(address = '192.0.2.7'): TestClient {
      const { client, server } = createDuplexPair()
      listener.admit(server, { address, port: 4025 }, { address: '127.0.0.1', port: 25 })
      return new TestClient(client)
    },
  }
}

/** Lets everything that is under way come to rest. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export class TestClient {
  readonly stream: DuplexEnd
  text = ''
  closed = false

  constructor(stream: DuplexEnd, reads = true) {
    this.stream = stream
    stream.on('error', () => {})
    stream.on('end', () => {
      this.closed = true
    })
    stream.on('close', () => {
      this.closed = true
    })
    if (reads) stream.on('data', (chunk: Buffer) => void (this.text += chunk.toString('latin1')))
  }

  say(...pieces: (string | Buffer)[]): void {
    for (const piece of pieces) this.stream.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
  }

  /** Waits until what was received matches; gives the replies' last lines so far. */
  async until(pattern: RegExp): Promise<string[]> {
    // Workers need time, not turns.
    for (const patience = AbortSignal.timeout(20_000); !patience.aborted; ) {
      if (pattern.test(this.text)) return this.replies()
      await new Promise((resolve) => setImmediate(resolve))
    }
    throw new Error(`did not come: ${pattern}; but ${JSON.stringify(this.text.slice(-500))}`)
  }

  replies(): string[] {
    return this.text.split('\r\n').filter((line) => /^\d{3} /.test(line))
  }

  /** Up to 354. */
  async beginData(): Promise<void> {
    this.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
    await this.until(/^354 /m)
  }
}
