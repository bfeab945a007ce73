import { flagsOf, UidSet } from '@pennypost/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** Whatever happens while a client is away, QRESYNC brings what it remembers to what there is. */
type Act = { act: 'deliver' } | { act: 'expunge' | 'flag'; nth: number }

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constant({ act: 'deliver' as const }),
  fc.record({ act: fc.constantFrom('expunge' as const, 'flag' as const), nth: fc.nat(9) }),
)

const visit = fc.record({
  acts: fc.array(act, { maxLength: 6 }),
  knownUids: fc.boolean(),
  match: fc.boolean(),
  withheld: fc.option(act, { nil: undefined }),
})

/** What the client keeps between its visits. */
interface Memory {
  uidValidity: string
  modSeq: string
  flags: Map<number, string>
}

describe('resynchronization', () => {
  test('after any number of absences the client knows the mailbox as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 4 }), async (visits) => {
        const server = await TestServer.start()
        try {
          for (let i = 0; i < 4; i++) await server.deliver('INBOX', sampleMessage('simple'))
          let memory: Memory | undefined
          for (const { acts, knownUids, match, withheld } of visits) {
            for (const act of acts) await perform(server, act)
            const client = await server.alice('ENABLE QRESYNC')
            memory = await resynchronized(client, memory, knownUids, match)
            if (withheld) {
              // What happens meanwhile must not be lost when the connection ends before it was told.
              await perform(server, withheld)
              follow(memory, await client.say('FETCH 1 UID'))
              client.end()
            } else {
              client.end()
              expect(memory.flags).toEqual(await truth(server))
            }
          }
        } finally {
          await server.stop()
        }
      }),
      { seed: 11, numRuns: 60 },
    )
  })
})

test('very many messages that vanished are told in several responses', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  await server.deliver('INBOX', sampleMessage('simple'))
  const { mailbox } = await snapshot(server)
  const vanished = UidSet.ofSorted(Array.from({ length: 12_000 }, (_, index) => 2 * index + 3))
  server.options.mail = {
    ...mail,
    changesSince: async (...asked) => ({ ...(await mail.changesSince(...asked)), vanished }),
  }
  const client = await server.alice('ENABLE QRESYNC')
  const responses = await client.say(`SELECT INBOX (QRESYNC (${mailbox.uidValidity} 1 1:30000))`)
  const memory = { uidValidity: '', modSeq: '', flags: new Map<number, string>([...vanished].map((uid) => [uid, ''])) }
  memory.flags.set(1, '')
  follow(memory, responses)
  expect(responses.filter((response) => response.startsWith('* VANISHED (EARLIER) '))).toHaveLength(3)
  expect([...memory.flags.keys()]).toEqual([1])
  await server.stop()
})

async function perform(server: TestServer, act: Act): Promise<void> {
  if (act.act === 'deliver') return server.deliver('INBOX', sampleMessage('simple'))
  const { mail } = server.store
  const { mailbox, uids } = await snapshot(server)
  const uid = uids[act.nth % Math.max(1, uids.length)]
  if (uid === undefined) return
  if (act.act === 'expunge') await mail.expunge(mailbox.id, UidSet.of(uid), 'all')
  else await mail.updateFlags(mailbox.id, { uids: UidSet.of(uid), mode: 'add', flags: [`k${act.nth}`] })
}

async function snapshot(server: TestServer) {
  return server.store.mail.snapshot((await server.mailbox('INBOX')).id)
}

async function truth(server: TestServer): Promise<Map<number, string>> {
  const { mailbox, uids, flags } = await snapshot(server)
  return new Map([...uids].map((uid, index) => [uid, flagsOf(flags[index] as number, mailbox.keywords).join(' ')]))
}

async function resynchronized(
  client: DialogueClient,
  before: Memory | undefined,
  knownUids: boolean,
  match: boolean,
): Promise<Memory> {
  const responses = await client.say(`SELECT INBOX${before ? parameter(before, knownUids, match) : ''}`)
  const code = (name: string): string => new RegExp(`\\[${name} (\\d+)`).exec(responses.join('\n'))?.[1] ?? ''
  const memory = before ?? { uidValidity: '', modSeq: '', flags: new Map() }
  memory.uidValidity = code('UIDVALIDITY')
  memory.modSeq = code('HIGHESTMODSEQ')
  follow(memory, responses)
  // Messages that are new to it; with known UIDs given they are not told of.
  const next = Math.max(0, ...memory.flags.keys()) + 1
  if (!before || knownUids) {
    const told = await client.say(`UID FETCH ${next}:* FLAGS`)
    follow(memory, told)
  }
  return memory
}

function parameter({ uidValidity, modSeq, flags }: Memory, knownUids: boolean, match: boolean): string {
  const uids = [...flags.keys()].sort((a, b) => a - b)
  const known = knownUids && uids.length > 0 ? ` ${UidSet.ofSorted(uids)}` : ''
  const pairs = match && uids.length > 0 ? ` (1:${uids.length} ${UidSet.ofSorted(uids)})` : ''
  return ` (QRESYNC (${uidValidity} ${modSeq}${known}${pairs}))`
}

/** Takes in what untagged responses tell by UID. */
function follow({ flags }: Memory, responses: readonly string[]): void {
  for (const response of responses) {
    const vanished = /^\* VANISHED (?:\(EARLIER\) )?(\S+)$/.exec(response)?.[1]
    for (const range of vanished?.split(',') ?? []) {
      const [first, last = first] = range.split(':').map(Number)
      for (let uid = first as number; uid <= (last as number); uid++) flags.delete(uid)
    }
    const fetched = /^\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)/.exec(response)
    if (fetched) flags.set(Number(fetched[1]), (fetched[2] as string).replace(/ ?\\Recent/, ''))
  }
}

test('a mailbox that was deleted while it was selected was told as it stands, without what had vanished', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  await server.createMailbox('Gone')
  for (let i = 0; i < 2; i++) await server.deliver('Gone', sampleMessage('simple'))
  const { id: gone, uidValidity, highestModSeq } = await server.mailbox('Gone')
  await mail.expunge(gone, UidSet.of(1), 'all')
  server.options.mail = {
    ...mail,
    async changesSince(...args) {
      await mail.deleteMailbox(id, 'Gone')
      return mail.changesSince(...args)
    },
  }
  const client = await server.alice('ENABLE QRESYNC')
  const said = await client.say(`SELECT Gone (QRESYNC (${uidValidity} ${highestModSeq}))`)
  expect(said.at(-1)).toMatch(/^x NO \[NONEXISTENT\] /)
  expect(await client.say('NOOP')).toEqual(['x OK NOOP completed'])
  await server.stop()
})
