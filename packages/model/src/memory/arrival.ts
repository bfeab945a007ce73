/**
 * How mail comes in: acceptances of SMTP and LMTP, and what clients append. `applyAcceptances` is also how DSNs and
 * late local filings ride in a settlement of the queue.
 */
import { type JourneyId, queueEntryId, type Uid } from '../ids.ts'
import type { Acceptance, Accepted, NewFiling } from '../ports/acceptance.ts'
import type { Acting, MailStore, NewAppend, Replaced } from '../ports/mail-store.ts'
import type { NewQueueEntry } from '../ports/queue.ts'
import { divideFlags } from '../rules/acting.ts'
import { mailboxName } from '../rules/mailbox-name.ts'
import { UidSet } from '../uid-set.ts'
import { createContentStage, renderedSize, retain, stagedOctets, storeMessage } from './content.ts'
import { addFiling, removeFilings, requireQuota } from './filing.ts'
import { recordEvents } from './flow.ts'
import { applyNotes, checkNotes } from './policy-memory.ts'
import type { Changes, MailboxRow, MessageRow, State } from './state.ts'
import { accountRow, commit, mailboxRow, nextId, refuse } from './state.ts'
import { setSeen } from './viewers.ts'

type Arrival = Pick<MailStore, 'reserve' | 'stage' | 'accept' | 'unconfirm' | 'append' | 'replace'>

export function createArrival(state: State): Arrival {
  return {
    stage: () => createContentStage(),
    reserve(octets) {
      let stored = state.promised
      for (const message of state.messages.values()) stored += message.header.length + message.body.length
      if (stored + octets > state.limits.octets) return undefined
      state.promised += octets
      let held = octets
      return {
        [Symbol.dispose]() {
          state.promised -= held
          held = 0
        },
      }
    },
    accept: (acceptances) =>
      consuming(acceptances, () =>
        commit(state, (changes) => {
          checkAcceptances(state, acceptances)
          return applyAcceptances(state, acceptances, changes)
        }),
      ),
    async unconfirm(journey, now) {
      commit(state, () => {
        const known = state.fingerprints.get(journey)
        if (known) known.unconfirmedUntil = now + state.limits.unconfirmedMs
      })
    },
    append: (mailbox, messages, acting) =>
      consuming(messages, () =>
        commit(state, (changes) => append(state, mailboxRow(state, mailbox), messages, acting, changes)),
      ),
    replace: (from, gone, to, message, acting) =>
      consuming([message], () =>
        commit(state, (changes) =>
          replace(state, { from: mailboxRow(state, from), gone, to: mailboxRow(state, to) }, message, acting, changes),
        ),
      ),
  }
}

/** Runs `work` and lets go of the staged contents, whatever became of it. */
export async function consuming<Result>(
  arriving: readonly (Acceptance | NewAppend)[],
  work: () => Result,
): Promise<Result> {
  try {
    return work()
  } finally {
    for (const { message } of arriving) await message.content.discard()
  }
}

export function checkAcceptances(state: State, acceptances: readonly Acceptance[]): void {
  for (const acceptance of acceptances) {
    stagedOctets(acceptance.message)
    checkNotes(acceptance.memory)
    for (const filing of acceptance.filings) accountRow(state, filing.account)
  }
  const isRepeated = (acceptance: Acceptance | undefined): boolean =>
    acceptance !== undefined && unconfirmedJourney(state, acceptance) !== undefined
  if (isRepeated(acceptances[0])) return
  for (const acceptance of acceptances) {
    if (isRepeated(acceptance)) continue
    for (const account of acceptance.unlessFull ?? []) requireQuota(state, accountRow(state, account), 1)
  }
}

export function applyAcceptances(state: State, acceptances: readonly Acceptance[], changes: Changes): Accepted[] {
  const accepted: Accepted[] = []
  for (const acceptance of acceptances) {
    // What rides with a message that is repeated was stored with it.
    const journey = accepted[0]?.repeated ? acceptance.journey : unconfirmedJourney(state, acceptance)
    if (journey === undefined) accepted.push(applyAcceptance(state, acceptance, changes))
    else accepted.push({ journey, repeated: true, filed: [], queued: [] })
  }
  return accepted
}

/** The latest one that is unconfirmed and has the same fingerprint. */
function unconfirmedJourney(state: State, { fingerprint, acceptedAt }: Acceptance): JourneyId | undefined {
  let found: JourneyId | undefined
  for (const [journey, known] of state.fingerprints) {
    if (known.fingerprint === fingerprint && acceptedAt < known.unconfirmedUntil) found = journey
  }
  return found
}

function applyAcceptance(state: State, acceptance: Acceptance, changes: Changes): Accepted {
  const { journey } = acceptance
  const message = storeMessage(state, acceptance.message)
  // Kept while the acceptance is worked on, so that one without filings and entries leaves nothing behind.
  retain(message)
  recordEvents(state, acceptance.flow)
  applyNotes(state, acceptance.memory)
  const filed = [...copies(state, acceptance.filings)].map(([mailbox, filings]) =>
    fileCopy(state, acceptance, { mailbox, filings, message }, changes),
  )
  const queued = acceptance.queue.map((entry) => enqueue(state, acceptance, entry, message))
  if (queued.length > 0) changes.queue = true
  if (--message.references === 0) state.messages.delete(message.id)
  const { fingerprint } = acceptance
  if (fingerprint !== undefined) state.fingerprints.set(journey, { fingerprint, unconfirmedUntil: 0 })
  return { journey, repeated: false, filed, queued }
}

/** The filings by the mailbox where they really go; those that meet in one make one copy. */
function copies(state: State, filings: readonly NewFiling[]): Map<MailboxRow, NewFiling[]> {
  return Map.groupBy(filings, (filing) => targetMailbox(state, filing))
}

function targetMailbox(state: State, { account, mailbox }: NewFiling): MailboxRow {
  const name = mailboxName(mailbox)
  const own = [...state.mailboxes.values()].filter((row) => row.owner.account.id === account)
  const named = own.find((row) => (mailbox.startsWith('\\') ? row.specialUse === mailbox : row.name === name))
  return named ?? (own.find((row) => row.name === 'INBOX') as MailboxRow)
}

interface Copy {
  mailbox: MailboxRow
  /** The first one's delivery block and flags are the copy's. */
  filings: readonly NewFiling[]
  message: MessageRow
}

function fileCopy(state: State, acceptance: Acceptance, { mailbox, filings, message }: Copy, changes: Changes) {
  const { journey, acceptedAt } = acceptance
  const { delivery, flags } = filings[0] as NewFiling
  const internalDate = { at: acceptedAt, offsetMinutes: 0 }
  const savedAt = state.clock.now()
  const { uid } = addFiling(
    mailbox,
    { message, delivery, internalDate, savedAt, journey, flags },
    changes.raise(mailbox),
  )
  const { id: account, login } = mailbox.owner.account
  const forwardPaths = filings.flatMap((filing) => filing.forwardPaths)
  recordEvents(state, [{ journey, at: savedAt, kind: 'filed', login, mailbox: mailbox.name, uid, forwardPaths }])
  return { account, mailbox: mailbox.id, uid }
}

function enqueue(state: State, acceptance: Acceptance, entry: NewQueueEntry, message: MessageRow) {
  const { journey, acceptedAt, reversePath } = acceptance
  const id = queueEntryId(nextId(state))
  const { destination, route, envelope } = entry
  retain(message)
  state.queue.set(id, {
    message,
    lease: null,
    entry: {
      id,
      journey,
      message: message.id,
      destination,
      route,
      envelope,
      acceptedAt,
      dueAt: acceptedAt,
      attempts: 0,
      held: false,
      size: renderedSize(Buffer.alloc(0), message),
      messageId: message.index.messageIdHeader,
      recipients: entry.recipients.map((recipient, index) => ({
        ...recipient,
        index,
        lastReply: '',
        delayNotified: false,
      })),
    },
  })
  const forwardPaths = entry.recipients.map((recipient) => recipient.forwardPath)
  const from = envelope.reversePath === reversePath ? {} : { reversePath: envelope.reversePath }
  const queued = { kind: 'queued' as const, entry: id, destination, forwardPaths, ...from }
  recordEvents(state, [{ journey, at: state.clock.now(), ...queued }])
  return id
}

function append(
  state: State,
  mailbox: MailboxRow,
  messages: readonly NewAppend[],
  acting: Acting | undefined,
  changes: Changes,
  freed = 0,
) {
  let octets = -freed
  for (const { message } of messages) octets += message.header.length + stagedOctets(message).length - message.bodyStart
  requireQuota(state, mailbox.owner, octets)
  const savedAt = state.clock.now()
  const delivery = Buffer.alloc(0)
  const uids = messages.map(({ message: added, flags, internalDate, uidl }) => {
    const message = storeMessage(state, added)
    const { flags: shared, seenBy } = divideFlags(mailbox.owner.account.id, flags, acting)
    const row = {
      message,
      delivery,
      internalDate,
      savedAt,
      journey: null,
      flags: shared,
      ...(uidl === undefined ? {} : { uidl }),
    }
    const { uid } = addFiling(mailbox, row, changes.raise(mailbox))
    if (seenBy !== undefined) setSeen(mailbox, seenBy, uid, true, changes.raise(mailbox))
    return uid
  })
  return { uidValidity: mailbox.uidValidity, uids: UidSet.ofSorted(uids) }
}

function replace(
  state: State,
  { from, gone, to }: { from: MailboxRow; gone: Uid; to: MailboxRow },
  message: NewAppend,
  acting: Acting | undefined,
  changes: Changes,
): Replaced {
  const filing = from.filings.get(gone) ?? refuse('no-such-message', `There is no message ${gone}.`)
  const freed = from.owner === to.owner ? renderedSize(filing.delivery, filing.message) : 0
  const appended = append(state, to, [message], acting, changes, freed)
  removeFilings(state, from, [gone], changes.raise(from))
  return { appended, expunged: { uids: UidSet.of(gone), modSeq: from.highestModSeq } }
}
