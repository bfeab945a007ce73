import type { Clock, Deadline, Timer } from '@pennypost/model'
import { createSmtpClient, type SmtpClient } from '../src/client/client.ts'
import type { ClientOptions } from '../src/client/options.ts'
import type { RecipientOutcome, TransactionRequest, TransactionResult } from '../src/client/request.ts'
import type { TranscriptEvent } from '../src/client/transcript.ts'
import { ScriptedServer, type ScriptedServerOptions } from '../src/testing/scripted-server.ts'

/** What the client's tests share: a scripted peer, a client that has said hello, and a transaction to begin with. */
export interface Dialogue {
  server: ScriptedServer
  client: SmtpClient
  deadline: ManualDeadline
  events: TranscriptEvent[]
  transcript(): string
}

export const everything = ['PIPELINING', 'SIZE 100000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES']

export function open(script: ScriptedServerOptions = {}, options: Partial<ClientOptions> = {}): Dialogue {
  const server = new ScriptedServer({ capabilities: everything, ...script })
  const deadline = new ManualDeadline()
  const events: TranscriptEvent[] = []
  const client = createSmtpClient(server.connect(), {
    dialer: server.dialer,
    deadline,
    clock: frozen,
    hostname: 'mail.one.test',
    onTranscript: (event) => events.push(event),
    ...(script.protocol ? { protocol: script.protocol } : {}),
    ...options,
  })
  return { server, client, deadline, events, transcript: () => printTranscript(events) }
}

export async function greeted(script: ScriptedServerOptions = {}, options: Partial<ClientOptions> = {}) {
  const dialogue = open(script, options)
  const hello = await dialogue.client.hello()
  if (!hello.ok) throw new Error(hello.failure.text)
  return dialogue
}

export const content = 'Subject: hi\r\n\r\nhello\r\n.dot\r\n'

export function request(more: Partial<TransactionRequest> = {}, ...forwardPaths: string[]): TransactionRequest {
  const recipients = (forwardPaths.length > 0 ? forwardPaths : ['bob@two.test']).map((forwardPath) => ({ forwardPath }))
  return { reversePath: 'alice@one.test', recipients, body: Buffer.from(content), size: content.length, ...more }
}

/** The outcomes in short: `delivered`, `failed 550 5.1.1`, `deferred timeout`, `deferred 452 tooMany`. */
export function short({ outcomes }: TransactionResult): string[] {
  return outcomes.map(({ outcome, reply, failure, tooMany }: RecipientOutcome) => {
    if (outcome === 'delivered') return 'delivered'
    const why = reply
      ? `${reply.code}${reply.enhanced ? ` ${reply.enhanced}` : ''}`
      : `${failure?.kind} ${failure?.status}`
    return `${outcome} ${why}${tooMany ? ' tooMany' : ''}`
  })
}

/** The lines of a transcript as text, `C:` and `S:`. */
function printTranscript(events: readonly TranscriptEvent[]): string {
  const who = { sent: 'C', received: 'S', note: '*' }
  return events.map(({ direction, line }) => `${who[direction]}: ${line}\n`).join('')
}

const frozen: Pick<Clock, 'elapsed'> = { elapsed: () => 7 }

/** A deadline that passes when the test says so; nothing in a test waits for real time. */
export class ManualDeadline implements Deadline {
  readonly armed = new Map<object, { delayMs: number; expire: () => void }>()
  /** Times that any timer was started or refreshed. */
  starts = 0

  after(delayMs: number, expire: () => void): Timer {
    const timer: Timer = {
      refresh: () => {
        this.starts++
        this.armed.set(timer, { delayMs, expire })
      },
      [Symbol.dispose]: () => {
        this.armed.delete(timer)
      },
    }
    timer.refresh()
    return timer
  }

  signal(_delayMs: number, parent = new AbortController().signal): AbortSignal {
    return parent
  }

  /** The intervals that run now. */
  get delaysMs(): number[] {
    return [...this.armed.values()].map(({ delayMs }) => delayMs)
  }

  pass(): void {
    for (const { expire } of [...this.armed.values()]) expire()
  }
}

/** Lets everything that is in memory come to rest. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}
