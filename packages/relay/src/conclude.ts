/**
 * The end of an attempt: outcomes, next attempt, DSNs and journey in ONE settlement.
 *
 * Never broken: what an attempt found out is settled together with everything that follows from it; a lost lease settles
 * nothing, because somebody else has the entry. Trouble of ours is no attempt and gives up nothing.
 * Who calls it: the runner, after each attempt; remote attempts, for who has the message already.
 */
import type { DsnRecipient } from '@pennypost/message'
import {
  type Acceptance,
  type Clock,
  type Flow,
  type FlowEvent,
  type FlowFact,
  type JourneyId,
  type LeasedEntry,
  type Log,
  type MailStore,
  nextTurn,
  type Queue,
  type QueueRecipient,
  type Random,
  type Settlement,
  StoreError,
} from '@pennypost/model'
import { describeReply } from '@pennypost/smtp'
import type { AttemptResult, Concluded, Work } from './attempt-result.ts'
import { createDsn, type DsnMade, type DsnOptions, type DsnSubject } from './dsn.ts'
import {
  awaitsDelayNotice,
  failedUnheard,
  type Notice,
  noticesFor,
  originalRecipient,
  type Told,
} from './dsn-recipients.ts'
import { isExpired, isNoticeDue, nextAttemptAt, type Schedule } from './schedule.ts'
import { statusOf, type Verdict } from './verdict.ts'

export interface ConcludeOptions {
  queue: Pick<Queue, 'settle' | 'get'>
  mail: Pick<MailStore, 'message' | 'readBody'>
  flow: Pick<Flow, 'record'>
  dsn: DsnOptions
  schedule: Schedule
  clock: Clock
  /** Of the clock (`steady-clock.ts`). */
  isSteady(): boolean
  random: Random
  log: Log
}

export async function conclude(
  entry: LeasedEntry,
  result: AttemptResult,
  options: ConcludeOptions,
): Promise<Concluded> {
  const { log } = options
  const which = { journey: entry.journey, entry: entry.id }
  let conclusion = decide(entry, result, options)
  let lease: string
  for (let attempt = 1; ; attempt++) {
    const { lease: before } = entry
    try {
      lease = await settle(entry, result, conclusion, options)
      break
    } catch (error) {
      const isLost = error instanceof StoreError && error.reason === 'lease-lost'
      // With an entry that was taken out goes the message that a DSN would return.
      if (isLost || !(await options.queue.get(entry.id))) {
        // A clock that jumped ahead had ended it, and a claim brings the runner another: they count under that.
        await nextTurn()
        if (entry.lease !== before) continue
        log.warn(which, 'the lease was lost, its outcomes do not count')
        await recordTaken(entry, result, conclusion, options)
        return { isOver: false }
      }
      // Whoever was to get a DSN may have been removed since it was addressed: once more, from the start.
      if (attempt === 1) continue
      if (conclusion.notices.length === 0) throw error
      log.warn({ ...which, err: error }, 'no DSN can be made: who failed is tried again, and told then')
      conclusion = withoutNotices(entry, conclusion)
    }
  }
  report(entry, conclusion, log)
  const { told } = conclusion
  const isOver = told.length === entry.recipients.length && told.every(({ verdict }) => verdict.outcome !== 'deferred')
  return { isOver, lease }
}

/**
 * Who has the message while it is still sent to others: if the process ends now, they must not get it again. Takes them out
 * of the entry and of the result. Where it cannot be settled, it is with the rest.
 */
export async function settleDelivered(work: Work, result: AttemptResult, options: ConcludeOptions): Promise<void> {
  const { entry } = work
  const delivered = new Map([...result.verdicts].filter(([, { outcome }]) => outcome === 'delivered'))
  // Each time all who are left are written anew: of ten thousand who are reached one by one, not for each.
  if (100 * delivered.size < entry.recipients.length) return
  const part = { verdicts: delivered, flow: result.flow }
  const conclusion: Conclusion = { ...decide(entry, part, options), goesOn: true }
  try {
    await settle(entry, part, conclusion, options)
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'lease-lost') work.lost = true
    return
  }
  report(entry, conclusion, options.log)
  entry.recipients = entry.recipients.filter(({ index }) => !delivered.has(index))
  for (const index of delivered.keys()) result.verdicts.delete(index)
  result.flow = []
}

/** Nothing follows from what was found out; but what a host has taken it has, though the entry was taken out meanwhile. */
async function recordTaken(
  { journey }: LeasedEntry,
  result: AttemptResult,
  { told, nextAt }: Conclusion,
  { flow, clock }: ConcludeOptions,
): Promise<void> {
  const taken = told.filter(({ verdict }) => verdict.outcome === 'delivered' && verdict.host !== null)
  await flow.record([...result.flow, ...taken.flatMap((each) => eventsOf(journey, each, nextAt, clock.now()))])
}

/** Gives the lease under which it was done. */
async function settle(
  entry: LeasedEntry,
  result: AttemptResult,
  conclusion: Conclusion,
  options: ConcludeOptions,
): Promise<string> {
  const filed = result.accept ? [await result.accept()] : []
  const made = await createNotices(entry, conclusion, options).catch(async (error: unknown) => {
    for (const { message } of filed) await message.content.discard()
    throw error
  })
  const settlement = settlementOf(entry, result, conclusion, { made, filed, now: options.clock.now() })
  await options.queue.settle(settlement)
  return settlement.lease
}

/**
 * On a full disk there is no room for a bounce. Who got the message must not get it again for that, and nobody fails in
 * silence. What an operator fails stays as it was.
 */
function withoutNotices(entry: LeasedEntry, conclusion: Conclusion): Conclusion {
  const notices = conclusion.notices.filter(({ action }) => action === 'failed')
  const failed = new Set(notices.flatMap(({ recipients }) => recipients.map(({ recipient }) => recipient.index)))
  const told = conclusion.told.flatMap((each): Told[] => {
    if (!failed.has(each.recipient.index)) return [each]
    const { reply, host, byOperator } = each.verdict
    return byOperator ? [] : [{ ...each, verdict: { outcome: 'deferred', reply, host } }]
  })
  const asItWas = told.length > 0 ? {} : { nextAt: entry.dueAt, attempted: false }
  return { ...conclusion, told, notices: [], delayNotified: [], ...asItWas }
}

interface Conclusion {
  told: readonly Told[]
  notices: readonly Notice[]
  delayNotified: readonly number[]
  nextAt: number
  attempted: boolean
  goesOn?: boolean
  expiresAt: number
}

function decide(entry: LeasedEntry, { verdicts }: AttemptResult, options: ConcludeOptions): Conclusion {
  const { schedule, clock, random } = options
  const now = clock.now()
  const expired = isExpired(schedule, entry, now, options.isSteady())
  const told = entry.recipients.flatMap((recipient): Told[] => {
    const verdict = verdicts.get(recipient.index)
    return verdict ? [{ recipient, verdict: expired ? givenUp(verdict) : verdict }] : []
  })
  const waiting = told.filter(({ verdict }) => verdict.outcome === 'deferred')
  const listening = waiting.filter(({ recipient }) => awaitsDelayNotice(entry.envelope, recipient))
  const delayed = isNoticeDue(schedule, entry, now) ? listening.filter(({ verdict }) => !verdict.own) : []
  const attempted = told.some(({ verdict }) => !verdict.own)
  return {
    told,
    notices: noticesFor(told, delayed),
    delayNotified: delayed.map(({ recipient }) => recipient.index),
    nextAt:
      notBefore(waiting) ??
      nextTime(entry, told, nextAttemptAt(schedule, entry, now, listening.length > delayed.length, random), now),
    attempted,
    expiresAt: entry.acceptedAt + schedule.expireMs,
  }
}

/** The destination is left alone until then, for everybody who waits. */
function notBefore(waiting: readonly Told[]): number | undefined {
  const times = waiting.map(({ verdict }) => verdict.notBefore)
  return times.length > 0 && times.every((time) => time !== undefined) ? Math.max(...times) : undefined
}

/** Recipients that were left over, because this attempt did what it could at once, have their turn at once. */
function nextTime(entry: LeasedEntry, told: readonly Told[], next: number, now: number): number {
  if (told.length === 0) return entry.dueAt
  return told.length < entry.recipients.length ? now : next
}

/** The last attempt failed: RFC 3463 §3.5 4.4.7 says why it is not tried any more; the words are the last ones heard. */
function givenUp(verdict: Verdict): Verdict {
  return verdict.outcome !== 'deferred' || verdict.own ? verdict : { ...verdict, outcome: 'failed', expired: true }
}

async function createNotices(
  entry: LeasedEntry,
  { notices, expiresAt }: Conclusion,
  { mail, dsn, clock }: ConcludeOptions,
): Promise<DsnMade[]> {
  if (notices.length === 0) return []
  const stored = await mail.message(entry.message)
  const { envelope, journey, acceptedAt } = entry
  const isUnreadable = notices.some(({ recipients }) => recipients.some(({ verdict }) => verdict.unreadable))
  const subject: DsnSubject = {
    journey,
    acceptedAt,
    reversePath: envelope.reversePath,
    envid: envelope.envid,
    // RFC 8689 §5: what had to travel under TLS does not come back by a way that may be open.
    ret: envelope.requireTls || isUnreadable ? 'HDRS' : envelope.ret,
    header: stored?.header ?? Buffer.alloc(0),
    size: (stored?.header.length ?? 0) + (stored?.bodySize ?? 0),
    eightBitBody: stored?.index.eightBitBody ?? false,
    requireTls: envelope.requireTls,
    body: () => mail.readBody(entry.message),
  }
  const made: DsnMade[] = []
  try {
    for (const { action, recipients } of notices) {
      const rows = recipients.map(
        (told): DsnRecipient => ({ action, ...describeRecipient(told, clock.now(), expiresAt) }),
      )
      made.push(await createDsn(subject, action, rows, dsn))
    }
  } catch (error) {
    for (const { acceptance } of made) await acceptance?.message.content.discard()
    throw error
  }
  return made
}

function describeRecipient(
  { recipient, verdict }: Told,
  lastAttemptAt: number,
  willRetryUntil: number,
): Omit<DsnRecipient, 'action'> {
  const original = originalRecipient(recipient.orcpt)
  return {
    finalRecipient: recipient.forwardPath,
    status: verdict.expired ? '4.4.7' : statusOf(verdict),
    ...(original ? { originalRecipient: original } : {}),
    // A Unix socket has no name in DNS, and where ours are is nobody's business.
    ...(verdict.host === null || verdict.host.startsWith('/') ? {} : { remoteMta: verdict.host }),
    diagnostic: describeReply(verdict.reply),
    lastAttemptAt,
    ...(verdict.outcome === 'deferred' ? { willRetryUntil } : {}),
  }
}

function settlementOf(
  entry: LeasedEntry,
  result: AttemptResult,
  { told, delayNotified, nextAt, attempted, goesOn = false }: Conclusion,
  { made, filed, now }: { made: readonly DsnMade[]; filed: readonly Acceptance[]; now: number },
): Settlement {
  const { journey } = entry
  const isUnheard = failedUnheard(told).length > 0
  return {
    entry: entry.id,
    lease: entry.lease,
    dueAt: entry.dueAt,
    outcomes: told.map(({ recipient, verdict }) => ({
      index: recipient.index,
      outcome: verdict.outcome,
      reply: describeReply(verdict.reply),
    })),
    nextAttemptAt: nextAt,
    attempted,
    goesOn,
    hold: told.some(({ verdict }) => verdict.heldBy !== undefined),
    delayNotified,
    accept: [...filed, ...made.flatMap(({ acceptance }) => acceptance ?? [])],
    flow: [
      ...result.flow,
      ...told.flatMap((each) => eventsOf(journey, each, nextAt, now)),
      ...made.map(({ event }) => event),
      ...(isUnheard ? [{ journey, at: now, kind: 'dsn' as const, action: 'failed' as const, to: '', dsn: '' }] : []),
    ],
  }
}

function eventsOf(journey: JourneyId, { recipient, verdict }: Told, nextAttemptAt: number, at: number): FlowEvent[] {
  const fact = factOf(recipient, verdict, nextAttemptAt)
  return fact ? [{ journey, at, ...fact }] : []
}

/** What was filed here is told by the engine, which knows mailbox and UID. */
function factOf({ forwardPath }: QueueRecipient, verdict: Verdict, nextAttemptAt: number): FlowFact | undefined {
  if (verdict.heldBy !== undefined) return { kind: 'held', forwardPath, rule: verdict.heldBy }
  const reply = describeReply(verdict.reply)
  const whose = verdict.login === undefined ? {} : { login: verdict.login }
  switch (verdict.outcome) {
    case 'delivered':
      return verdict.host === null ? undefined : { kind: 'delivered', forwardPath, host: verdict.host, reply }
    case 'deferred':
      return { kind: 'deferred', forwardPath, ...whose, reply, nextAttemptAt }
    case 'failed':
      return { kind: 'failed', forwardPath, ...whose, reply: verdict.expired ? `${reply} (given up)` : reply }
  }
}

function report({ id, journey, destination, attempts }: LeasedEntry, { told, nextAt }: Conclusion, log: Log): void {
  for (const { recipient, verdict } of told) {
    const { forwardPath } = recipient
    const reply = describeReply(verdict.reply)
    const made = verdict.own ? attempts : attempts + 1
    const { login } = verdict
    const facts = { journey, entry: id, destination, forwardPath, ...(login && { login }), attempts: made, reply }
    const later = { ...facts, nextAttemptAt: new Date(nextAt).toISOString() }
    if (verdict.heldBy !== undefined) log.info(facts, 'held')
    // What is left alone comes by again and again, all of it; why has been told with the attempt that failed.
    else if (verdict.own && verdict.notBefore !== undefined) log.debug(later, 'not tried')
    else if (verdict.own) log.warn(later, 'not tried')
    else if (verdict.outcome === 'deferred') log.info(later, 'deferred')
    else log.info(facts, verdict.outcome)
  }
  const forwardPaths = failedUnheard(told).map(({ recipient }) => recipient.forwardPath)
  if (forwardPaths.length === 0) return
  log.info({ journey, entry: id, forwardPaths }, 'nobody is told of the failure: no notice was asked for')
}
