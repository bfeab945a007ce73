import { type DeliveryPlan, deliveryBlock } from '@pennypost/mda'
import { type HeaderSection, parseHeader, valuesOf } from '@pennypost/message'
import {
  type NewMessage,
  type NewQueueEntry,
  type NewQueueRecipient,
  type QueueEnvelope,
  turnTaking,
} from '@pennypost/model'
import type { SealedSet, Seals } from './seals.ts'
import type { Session } from './session.ts'
import type { Recipient, Transaction } from './transaction.ts'

/** Recipients of a letter to thousands that are looked at in one turn of the event loop. */
const recipientsPerTurn = 500

/**
 * What is not filed at once, as queue entries: one for each destination, reverse-path and seal, so that recipients of one
 * next hop share a transaction (RFC 5321 §4.5.4.1), and one of route `local` for what this machine files later.
 * Who calls it: the conclusion of a transaction, for its acceptance.
 */
export async function queueEntries(
  session: Session,
  transaction: Transaction,
  plan: DeliveryPlan,
  message: NewMessage,
  seals: Seals,
): Promise<NewQueueEntry[]> {
  if (plan.relays.length === 0 && plan.later.length === 0) return []
  const { parameters, reversePath } = transaction
  const section = parseHeader(message.header)
  const envelope: QueueEnvelope = {
    reversePath,
    ...(parameters.ret ? { ret: parameters.ret } : {}),
    ...(parameters.envid === null ? {} : { envid: parameters.envid }),
    smtpUtf8: parameters.smtpUtf8,
    requireTls: parameters.requireTls,
    autoSubmitted: isAutomatic(section),
    ...(waivesTls(section) ? { tlsOptional: true } : {}),
  }
  const entries = new Map<string, NewQueueEntry & { recipients: NewQueueRecipient[] }>()
  const add = (
    route: NewQueueEntry['route'],
    destination: string,
    from: string,
    recipient: NewQueueRecipient,
    sealed?: SealedSet,
  ): void => {
    const key = `${route} ${destination} ${from} ${sealed?.domain}`
    const entry = entries.get(key) ?? {
      route,
      destination,
      envelope: { ...envelope, reversePath: from, ...(sealed ? { seal: sealed.fields } : {}) },
      recipients: [],
    }
    entries.set(key, entry)
    entry.recipients.push(recipient)
  }
  const othersTurn = turnTaking(recipientsPerTurn)
  for (const { recipient, also, relay } of plan.relays) {
    await othersTurn()
    const domain = relay.forwardPath.slice(relay.forwardPath.lastIndexOf('@') + 1)
    const destination = session.options.destination(domain, relay.nextHop, relay.reversePath ?? reversePath)
    const trace = relay.trace === '' ? {} : { trace: relay.trace }
    const asked = joined([recipient, ...also].map((at) => dsnParameters(transaction.recipients[at])))
    const added = { forwardPath: relay.forwardPath, ...asked, ...trace }
    add('remote', destination, relay.reversePath ?? reversePath, added, seals.of(recipient))
  }
  const told = new Set(plan.filings.flatMap(({ forwardPaths }) => forwardPaths))
  for (const { recipient, filing } of plan.later) {
    await othersTurn()
    const { path } = transaction.recipients[recipient] as Recipient
    const trace = deliveryBlock(reversePath, filing.deliveredTo).toString()
    const wanted = dsnParameters(transaction.recipients[recipient])
    const asked = told.has(path.text) ? withoutSuccess(wanted) : wanted
    told.add(path.text)
    add('local', 'local', reversePath, { forwardPath: path.text, account: filing.account, ...asked, trace })
  }
  return [...entries.values()]
}

type DsnParameters = Pick<NewQueueRecipient, 'notify' | 'orcpt'>

/** What the client asked to be told about (RFC 3461 §4.1, §4.2). */
function dsnParameters(recipient: Recipient | undefined): DsnParameters {
  const { notify, orcpt } = recipient?.parameters ?? { notify: null, orcpt: null }
  return {
    ...(notify === null ? {} : { notify: notify.length === 0 ? ['NEVER'] : notify }),
    ...(orcpt === null ? {} : { orcpt: `${orcpt.type};${orcpt.address}` }),
  }
}

/**
 * Of recipients that lead to one address, each is told of under its own ORCPT; who has none is meant with the first. The next
 * hop is asked for everything that one of them asks for, under the first ORCPT. Those with NEVER ask for nothing.
 */
function joined(all: readonly DsnParameters[]): DsnParameters & Pick<NewQueueRecipient, 'also'> {
  if (all.length === 1) return all[0] ?? {}
  const asking = all.filter(({ notify }) => !notify?.includes('NEVER'))
  const first = asking.find(({ orcpt }) => orcpt !== undefined)?.orcpt
  const byOrcpt = [...Map.groupBy(asking, ({ orcpt }) => orcpt ?? first)]
  if (byOrcpt.length === 0) return all[0] ?? {}
  const also = byOrcpt.filter(([orcpt]) => orcpt !== first).map(([orcpt, same]) => withNotify(same, orcpt))
  return { ...withNotify(asking, first), ...(also.length === 0 ? {} : { also }) }
}

function withNotify(all: readonly DsnParameters[], orcpt: string | undefined): DsnParameters {
  const asked = orcpt === undefined ? {} : { orcpt }
  if (all.every(({ notify }) => notify === undefined)) return asked
  const any = all.flatMap(({ notify }) => notify ?? (['FAILURE', 'DELAY'] as const))
  return { notify: [...new Set(any)], ...asked }
}

/** The success is told with the first account that is filed, for all of the recipient: by the acceptance, or the queue. */
function withoutSuccess({ notify, ...asked }: DsnParameters): DsnParameters {
  if (!notify) return asked
  const rest = notify.filter((condition) => condition !== 'SUCCESS')
  return { ...asked, notify: rest.length === 0 ? ['NEVER'] : rest }
}

/** Mail from lists and programs: nobody waits for a word about its delay (RFC 3834 §2, RFC 2919). */
function isAutomatic(section: HeaderSection): boolean {
  const automatic = valuesOf(section, 'auto-submitted').some((value) => !/^no\b/i.test(value))
  const bulk = valuesOf(section, 'precedence').some((value) => /^(bulk|list|junk)\b/i.test(value))
  return automatic || bulk || section.fields.some((field) => field.name === 'list-id')
}

/** RFC 8689 §3. */
function waivesTls(section: HeaderSection): boolean {
  return valuesOf(section, 'tls-required').some((value) => /^\s*no\s*$/i.test(value))
}
