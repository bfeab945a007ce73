/** How the installation is: what is wrong with it and what to do, judged from facts that come with it. */
import type { Queue } from '@pennypost/model'
import { nothing } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { type Problem, problemsOf, type StatusFacts } from '../problems.ts'
import { nobodys } from './alias.ts'

export interface Status extends StatusFacts {
  problems: Problem[]
}

export const status = operation({
  name: 'status',
  kind: 'read',
  input: nothing,
  async run(context): Promise<Status> {
    const { store, running, clock, installation } = context
    const { hostname, administrator } = installation
    const now = clock.now()
    const [domains, accounts, counts, spool, server, queueByAge, unreachable, first] = await Promise.all([
      store.directory.domains(),
      store.directory.accounts(),
      store.queue.counts(now),
      context.spool(),
      running?.facts(),
      countByAge(context.store.queue, now),
      nobodys(context, administrator === '' ? [] : [administrator]),
      store.directory.firstAdministrator(),
    ])
    const facts: StatusFacts = {
      now,
      hostname,
      domains: domains.length,
      accounts: accounts.filter(({ removedAt }) => removedAt === null).length,
      queue: { ...counts, byAge: queueByAge },
      spool,
      ...(unreachable.length > 0 && first
        ? { unreachableAdministrator: { address: administrator, instead: first.login } }
        : {}),
      ...(server ? { server } : {}),
    }
    return { ...facts, problems: problemsOf(facts) }
  },
})

const hourMs = 3_600_000
const ages = [
  ['under an hour', hourMs],
  ['1 to 4 hours', 4 * hourMs],
  ['4 hours to a day', 24 * hourMs],
  ['over a day', Number.POSITIVE_INFINITY],
] as const

async function countByAge(queue: Queue, now: number): Promise<StatusFacts['queue']['byAge']> {
  const rows = ages.map(([age]) => ({ age, entries: 0 }))
  for await (const page of queue.list({})) {
    for (const { acceptedAt } of page) {
      const index = ages.findIndex(([, until]) => now - acceptedAt < until)
      const row = rows[index]
      if (row) row.entries++
    }
  }
  return rows
}
