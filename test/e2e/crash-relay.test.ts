/**
 * A server that is killed at random moments while it relays: whatever it accepted is delivered or comes back, once for
 * each recipient in its journey and in the bounces. The next hop gets a second copy only where the kill fell between its
 * 250 and our settlement. PENNYPOST_CRASH_ROUNDS says how often (3), PENNYPOST_CRASH_SEED repeats a run.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FlowEvent, journeyId, type Random, type Store, UidSet } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { type Answer, ScriptedServer, type ScriptedSession } from '@pennypost/smtp/scripted-server'
import { expect, it } from 'vitest'
import { startProcess } from '../interop/start-process.ts'
import { openDialogue } from './full-disk-dialogue.ts'
import { eventually, startInstance, throughHop } from './instance.ts'

const rounds = Number(process.env.PENNYPOST_CRASH_ROUNDS ?? 3)
const seed = Number(process.env.PENNYPOST_CRASH_SEED ?? 1)
const author = 'alice@one.test'

/** What the next hop says to an address is in its first word: the replies to RCPT, the last one for good, or to content. */
const atRcpt: Readonly<Record<string, readonly string[]>> = {
  ok: ['250 ok'],
  later: ['451 4.2.1 later', '450 4.2.1 later still', '250 ok'],
  never: ['550 5.1.1 nobody'],
  hesitant: ['451 4.2.1 later', '551 5.1.6 moved'],
}
const atContent: Readonly<Record<string, readonly string[]>> = {
  full: ['452 4.2.2 full', '250 ok'],
  spam: ['554 5.7.1 no'],
}
const fails = new Set(['never', 'hesitant', 'spam'])

const kindOf = (address: string): string => address.split('-', 1)[0] as string

/** A next hop that goes on over all processes; each has sessions of its own with it. */
class Hop {
  /** Addresses for which content was taken, process after process. */
  readonly taken: string[][] = []
  onContent = (): void => {}
  readonly #asked = new Map<string, number>()
  #server = new ScriptedServer()
  readonly #front = createServer((socket) => {
    const session = this.#server.connect()
    socket.on('error', () => {})
    socket.pipe(session).pipe(socket)
  })

  async listen(): Promise<number> {
    this.#front.listen(0, '127.0.0.1')
    await once(this.#front, 'listening')
    return (this.#front.address() as AddressInfo).port
  }

  /** What connects from now on is the next process. */
  nextProcess(): void {
    this.#server = new ScriptedServer({
      capabilities: ['PIPELINING', '8BITMIME', 'ENHANCEDSTATUSCODES'],
      script: {
        RCPT: (argument) => this.#inTurn(atRcpt, addressIn(argument)),
        CONTENT: (_, __, session) => this.#content(session),
      },
    })
    const { transactions } = this.#server
    this.taken.push([])
    const mine = this.taken.at(-1) as string[]
    transactions.push = (transaction) => mine.push(...transaction.recipients.map(addressIn))
  }

  async close(): Promise<void> {
    this.#front.close()
    await this.#server[Symbol.asyncDispose]()
  }

  #content({ commands }: ScriptedSession): Answer | undefined {
    this.onContent()
    const last = commands.findLastIndex((line) => line.startsWith('MAIL '))
    const asked = commands.slice(last).filter((line) => line.startsWith('RCPT '))
    const [decides] = asked.map(addressIn).filter((address) => kindOf(address) in atContent)
    return decides === undefined ? undefined : this.#inTurn(atContent, decides)
  }

  #inTurn(answers: typeof atRcpt, address: string): Answer | undefined {
    const replies = answers[kindOf(address)]
    const nth = this.#asked.get(address) ?? 0
    if (replies) this.#asked.set(address, nth + 1)
    return replies?.[Math.min(nth, replies.length - 1)]
  }
}

const addressIn = (line: string): string => /<(.*?)>/.exec(line)?.[1] ?? ''

/** Submits letter after letter, until the server is gone; writes down the recipients of what was acknowledged. */
async function submit(port: number, accepted: Map<string, readonly string[]>, random: Random): Promise<void> {
  using session = await openDialogue(port, 'EHLO client.test')
  const answer = await session.say(`AUTH PLAIN ${Buffer.from(`\0${author}\0secret`).toString('base64')}`)
  if (!answer.startsWith('235')) throw new Error(answer)
  for (;;) {
    const name = random.bytes(6).toString('hex')
    const one = <T>(of: readonly T[]): T => of[Math.floor(random.fraction() * of.length)] as T
    const kinds =
      random.fraction() < 0.3 ? [one(Object.keys(atContent))] : [1, 2, 3].map(() => one(Object.keys(atRcpt)))
    const recipients = kinds.map((kind, index) => `${kind}-${name}-${index}@far.test`)
    await session.say(`MAIL FROM:<${author}>`)
    for (const recipient of recipients) await session.say(`RCPT TO:<${recipient}>`)
    await session.say('DATA')
    const reply = await session.content(Buffer.from(`From: ${author}\r\nSubject: ${name}\r\n\r\ntext\r\n`))
    const id = /queued as (\S+)/.exec(reply)?.[1]
    if (id === undefined) throw new Error(reply)
    accepted.set(id, recipients)
  }
}

/** How often each recipient has come back, by the bounces in the author's INBOX. */
async function bounces({ mail, directory }: Store): Promise<Map<string, number>> {
  const account = await directory.accountByLogin(author)
  const inbox = (await mail.mailboxes(account!.id)).find(({ name }) => name === 'INBOX')!
  const counts = new Map<string, number>()
  const all = UidSet.ofSorted([...(await mail.snapshot(inbox.id)).uids])
  for await (const page of mail.fetch(inbox.id, all, {})) {
    for (const { message } of page) {
      const text = Buffer.concat(await Array.fromAsync(mail.readBody(message))).toString()
      for (const [, address] of text.matchAll(/^Final-Recipient: rfc822; ?(\S+)/gim)) {
        counts.set(address as string, (counts.get(address as string) ?? 0) + 1)
      }
    }
  }
  return counts
}

function outcomesFor(address: string, events: readonly FlowEvent[] = []): string[] {
  return events.flatMap((event) =>
    (event.kind === 'delivered' || event.kind === 'failed') && event.forwardPath === address ? [event.kind] : [],
  )
}

async function expectOutcomes(store: Store, accepted: ReadonlyMap<string, readonly string[]>, hop: Hop): Promise<void> {
  const returned = await bounces(store)
  const takenIn = Map.groupBy(
    hop.taken.flatMap((addresses, process) => addresses.map((address) => ({ address, process }))),
    ({ address }) => address,
  )
  const figures = { recipients: 0, delivered: 0, failed: 0, twice: 0 }
  for (const [id, recipients] of accepted) {
    const journey = await store.flow.journey(journeyId(id))
    for (const address of recipients) {
      const isFailure = fails.has(kindOf(address))
      expect(outcomesFor(address, journey?.events), address).toEqual([isFailure ? 'failed' : 'delivered'])
      expect(returned.get(address) ?? 0, `bounces of ${address}`).toBe(isFailure ? 1 : 0)
      const taken = takenIn.get(address) ?? []
      expect(taken.length > 0, `${address} was taken`).toBe(!isFailure)
      figures.recipients++
      figures[isFailure ? 'failed' : 'delivered']++
      figures.twice += Math.max(0, taken.length - 1)
    }
  }
  for (const [address, taken] of takenIn) {
    const processes = taken.map(({ process }) => process)
    expect(new Set(processes).size, `${address} taken twice from one process`).toBe(processes.length)
  }
  if (process.env.FIGURES) console.log(JSON.stringify({ letters: accepted.size, ...figures }))
  expect(figures.delivered).toBeGreaterThan(0)
  expect(figures.failed).toBeGreaterThan(0)
}

it('kill -9 amid relaying loses no letter, and none comes twice that was settled', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-crash-'))
  const random = seededRandom(seed)
  const accepted = new Map<string, readonly string[]>()
  const hop = new Hop()
  const toml = `${throughHop(await hop.listen())}retry = ["1s"]\n`
  try {
    for (let round = 0; round < rounds; round++) {
      hop.nextProcess()
      await using at = await startProcess(directory, toml)
      const exit = once(at.process, 'exit')
      let left = 20 + Math.floor(random.fraction() * 200)
      // Amid transactions with the next hop: some have its answer, this one has not.
      hop.onContent = () => --left === 0 && at.process.kill('SIGKILL')
      const lanes = [1, 2, 3].map(() => submit(at.port('submission'), accepted, random))
      await Promise.allSettled(lanes)
      await exit
    }
    hop.nextProcess()
    hop.onContent = () => {}
    const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory, toml })
    try {
      const { store } = at.server
      const isEmpty = async () => (await store.queue.counts(Date.now())).oldestAcceptedAt === null || undefined
      await eventually(isEmpty, 'an empty queue', 120_000)
      await expectOutcomes(store, accepted, hop)
      expect(await Array.fromAsync(store.check())).toEqual([])
    } finally {
      await at.stop()
    }
  } finally {
    await hop.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
