/**
 * One attempt at an entry that is filed here: accounts that were full or too many at arrival, and DSNs for those.
 *
 * Never broken: filings ride in the settlement of the entry, so a message is filed when its entry ends, once; what the
 * judge said at arrival still decides the mailbox.
 * Who calls it: the runner, for entries of route `local`, and for mail whose domain has moved here while it waited.
 */

import { type Delivery, filingsAtOnce, type Mda, planFilings, wantOfRoom } from '@pennypost/mda'
import {
  type Acceptance,
  type Directory,
  type LeasedEntry,
  type MailStore,
  type NewFiling,
  type NewQueueEntry,
  type QueueRecipient,
  turnTaking,
} from '@pennypost/model'
import { reply } from '@pennypost/smtp'
import type { Arrivals } from './arrivals.ts'
import type { AttemptResult, Work } from './attempt-result.ts'
import { pathOf, queueFor } from './dsn-address.ts'
import type { Routes } from './routes.ts'
import { deferred, failed, type Verdict } from './verdict.ts'

export interface LocalOptions {
  mail: Pick<MailStore, 'message' | 'readBody' | 'stage'>
  directory: Pick<Directory, 'account' | 'usage'>
  arrivals: Arrivals
  mda: Pick<Mda, 'expand'>
  routes: Pick<Routes, 'destination'>
  /** Verdicts on recipients for whom nothing is filed. */
  dead?: ReadonlyMap<number, Verdict> | undefined
}

/** Verdicts on as many recipients as are filed at once; the rest is tried in the next attempt. Rejects as the store does. */
export async function attemptLocal({ entry }: Work, options: LocalOptions): Promise<AttemptResult> {
  const verdicts = new Map(options.dead)
  const reached: { recipient: QueueRecipient; deliveries: readonly Delivery[] }[] = []
  const othersTurn = turnTaking(filingsAtOnce)
  for (const recipient of entry.recipients) {
    // The rest have their turn in the next attempt, and are looked at then.
    if (reached.length >= filingsAtOnce) break
    if (verdicts.has(recipient.index)) continue
    await othersTurn()
    const deliveries = await deliveriesFor(recipient, entry, options)
    if ('outcome' in deliveries) verdicts.set(recipient.index, deliveries)
    else reached.push({ recipient, deliveries })
  }
  const { reversePath } = entry.envelope
  const recipients = reached.map(({ recipient: { forwardPath }, deliveries }) => ({ forwardPath, deliveries }))
  const { isQuarantined } = await options.arrivals.of(entry.journey)
  const verdict = isQuarantined ? 'quarantine' : 'accept'
  const { filings, relays, later, withheld } = planFilings({ reversePath, recipients, verdict })
  // An account waits in this entry; those behind a path that leads to several wait apart from who gets it now.
  const waitsHere = (each: (typeof later)[number]): boolean => reached[each.recipient]?.recipient.account !== undefined
  const apart = later.filter((each) => !waitsHere(each))
  const postponed = new Set(later.filter(waitsHere).map(({ recipient }) => recipient))
  for (const [at, { recipient }] of reached.entries()) {
    if (withheld.includes(at)) verdicts.set(recipient.index, notForwarded(recipient))
    else if (!postponed.has(at)) verdicts.set(recipient.index, filed)
  }
  const forwardPaths = recipients.map(({ forwardPath }) => forwardPath)
  const queue = queueFor({ relays, later: apart }, entry.envelope, forwardPaths, options.routes)
  if (filings.length + queue.length === 0) return { verdicts, flow: [] }
  return { verdicts, flow: [], accept: () => acceptanceOf(entry, { filings, queue }, options) }
}

/** What would be a loop is for us: the domain, which was elsewhere when the mail was accepted, has its accounts here now. */
export async function hasMovedHere(
  { destination }: LeasedEntry,
  { verdicts }: AttemptResult,
  { directory, dead }: { directory: Pick<Directory, 'domain'>; dead: LocalOptions['dead'] },
): Promise<boolean> {
  const isLoop = ({ host, reply }: Verdict): boolean => host === null && reply.enhanced === '5.4.6'
  const tried = [...verdicts].filter(([index]) => !dead?.has(index))
  if (tried.length === 0 || !tried.every(([, verdict]) => isLoop(verdict))) return false
  const kind = (await directory.domain(destination))?.kind
  return kind === 'local' || kind === 'alias'
}

/** As at arrival: what was taken is never dropped. */
function notForwarded({ forwardPath }: QueueRecipient): Verdict {
  return failed(550, '5.7.1', `<${forwardPath}>: the message looks doubtful and would have to be forwarded`)
}

const filed: Verdict = { outcome: 'delivered', reply: reply(250, '2.1.5', 'Filed'), host: null }

async function deliveriesFor(
  recipient: QueueRecipient,
  entry: LeasedEntry,
  { directory, mda }: LocalOptions,
): Promise<readonly Delivery[] | Verdict> {
  const { account: id, forwardPath, trace } = recipient
  if (id === undefined) {
    const { reversePath } = entry.envelope
    const expansion = await mda.expand(pathOf(forwardPath), { reversePath, size: entry.size, mayRelay: true })
    if (expansion.kind === 'accepted') return expansion.deliveries
    const { reply } = expansion
    return { outcome: reply.code >= 500 ? 'failed' : 'deferred', reply, host: null }
  }
  const account = await directory.account(id)
  if (!account) return failed(550, '5.1.1', `<${forwardPath}>: no such mailbox here any more`)
  const { login } = account
  if (account.removedAt !== null) return { ...failed(550, '5.1.6', `<${forwardPath}>: the account was removed`), login }
  const want = await wantOfRoom(directory, account, entry.size)
  if (want === 'too-large') {
    return { ...failed(552, '5.2.3', `<${forwardPath}>: the message is larger than the mailbox takes`), login }
  }
  if (want === 'full') return { ...deferred('4.2.2', `<${forwardPath}>: the mailbox is full`), login }
  const deliveredTo = /^Delivered-To: (.*?)\r?$/m.exec(trace ?? '')?.[1] ?? forwardPath
  return [{ kind: 'file', account: id, deliveredTo }]
}

/** The message again, under its own journey and with its own date. */
async function acceptanceOf(
  { journey, acceptedAt, envelope: { reversePath }, message: id }: LeasedEntry,
  { filings, queue }: { filings: readonly NewFiling[]; queue: readonly NewQueueEntry[] },
  { mail }: LocalOptions,
): Promise<Acceptance> {
  const stored = await mail.message(id)
  if (!stored) throw new Error('the message cannot be read')
  const stage = mail.stage()
  try {
    await stage.write(Buffer.from(stored.header))
    for await (const piece of mail.readBody(id)) await stage.write(Buffer.from(piece))
    const { header, index } = stored
    const message = { content: await stage.finish(), bodyStart: header.length, header, index }
    return { journey, acceptedAt, reversePath, message, filings, queue, memory: [], flow: [] }
  } catch (error) {
    await stage.discard()
    throw error
  }
}
