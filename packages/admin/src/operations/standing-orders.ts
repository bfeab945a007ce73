/** What the relay is told for mail that is still to come: recipients that are dead, and mail that is to be held. */
import type { MemoryKind } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, addressDomainOrNone, addressOrDomain, countGiven, nothing } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { destinationOf } from '../queue-selection.ts'

/** An order stands until it is taken back. */
const foreverMs = 100 * 365 * 86_400_000
const listMax = 100_000

const reason = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'a reason holds no control characters')
  .default('')

export const suppressionList = operation({
  name: 'suppression.list',
  kind: 'read',
  input: nothing,
  run: async (context) =>
    (await list(context, 'suppressed')).map(({ key, value, lastAt }) => ({
      address: key,
      reason: value,
      since: lastAt,
    })),
})

export const suppressionAdd = operation({
  name: 'suppression.add',
  kind: 'change',
  input: z.strictObject({ address, reason }),
  async run(context, { address: to, reason: value }) {
    await note(context, 'suppressed', to, value)
    return { address: to }
  },
})

export const suppressionRemove = operation({
  name: 'suppression.remove',
  kind: 'change',
  input: z.strictObject({ address }),
  async run(context, { address: to }) {
    await forget(context, 'suppressed', to, `<${to}> is not on the suppression list.`)
    return { address: to }
  },
})

/** One condition: where to, from whom, or to whom. */
const rule = z
  .strictObject({
    destination: z.string().min(1).max(260).optional(),
    /** '' for bounces. */
    from: addressDomainOrNone.optional(),
    to: addressOrDomain.optional(),
  })
  .refine((given) => countGiven(given) === 1, 'a rule has one condition: destination, from, or to')
  .transform(({ destination, from, to }) => {
    if (destination !== undefined) return `destination ${destinationOf(destination)}`
    return from === undefined ? `to ${to}` : `from ${from === '' ? '<>' : from}`
  })

export const holdRuleList = operation({
  name: 'queue.rules',
  kind: 'read',
  input: nothing,
  run: async (context) => (await list(context, 'hold-rule')).map(({ key, lastAt }) => ({ rule: key, since: lastAt })),
})

export const holdRuleAdd = operation({
  name: 'queue.rule-add',
  kind: 'change',
  input: z.strictObject({ when: rule }),
  async run(context, { when }) {
    await note(context, 'hold-rule', when, '')
    return { rule: when }
  },
})

export const holdRuleRemove = operation({
  name: 'queue.rule-remove',
  kind: 'change',
  input: z.strictObject({ when: rule }),
  async run(context, { when }) {
    await forget(context, 'hold-rule', when, `There is no rule "${when}".`)
    return { rule: when }
  },
})

const list = ({ store, clock }: AdminContext, kind: MemoryKind) =>
  store.memory.list(kind, clock.now(), { limit: listMax })

async function note({ store, clock, running }: AdminContext, kind: MemoryKind, key: string, value: string) {
  const at = clock.now()
  await store.memory.note([{ kind, key, at, expiresAt: at + foreverMs, value }])
  running?.rereadOrders()
}

async function forget({ store, clock, running }: AdminContext, kind: MemoryKind, key: string, absent: string) {
  if (!(await store.memory.recall(kind, key, clock.now()))) {
    const list = kind === 'suppressed' ? 'suppression list' : 'queue rules'
    throw new AdminError('not-found', absent, `\`pennypost ${list}\` shows all.`)
  }
  await store.memory.forget(kind, key)
  running?.rereadOrders()
}
