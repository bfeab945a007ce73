/** Verbs on messages: flags, copies, expunges, reading, search. */
import { isAscii } from 'node:buffer'
import { bitsOf, flagsAfter, flagsOf } from '../flags.ts'
import { highestUid, type MailboxId } from '../ids.ts'
import type {
  Acting,
  Copied,
  FetchedMessage,
  FetchNeed,
  FlagChange,
  FlagsUpdated,
  MailStore,
} from '../ports/mail-store.ts'
import { divideFlags, foreignTo, seenAfter, sharedBits } from '../rules/acting.ts'
import { matches, type SearchSubject } from '../rules/search-match.ts'
import { trashQuota } from '../rules/trash-quota.ts'
import { UidSet } from '../uid-set.ts'
import { chunks, release, renderedSize } from './content.ts'
import { addFiling, isDeleted, makePlaces, removeFilings, requirePlaces, requireQuota } from './filing.ts'
import type { State } from './state.ts'
import { type Changes, commit, type FilingRow, type MailboxRow, mailboxRow, refuse, requireOpen } from './state.ts'
import { isSeen, setSeen, viewed } from './viewers.ts'

type Messages = Pick<
  MailStore,
  'updateFlags' | 'copy' | 'move' | 'expunge' | 'fetch' | 'readBody' | 'message' | 'search' | 'pin'
>

/** Bodies up to here come with their row; larger ones are read by `readBody`, as in engines that keep files. */
const inlineOctets = 64 * 1024
const rowsPerPage = 250

export function createMessages(state: State): Messages {
  return {
    async updateFlags(id, change, acting) {
      return commit(state, (changes) => updateFlags(mailboxRow(state, id), change, acting, changes))
    },
    async copy(from, uids, to, acting, count = 0) {
      return commit(state, (changes) => {
        const source = mailboxRow(state, from)
        const target = mailboxRow(state, to)
        const filings = present(source, uids)
        if (filings.length < count) refuse('no-such-message', 'Some of the messages are gone.')
        const { quota } = target.owner.account
        const isDeletion = source.owner === target.owner && target.specialUse === '\\Trash'
        requireQuota(state, target.owner, totalSize(filings), isDeletion ? trashQuota(quota) : quota)
        return copy(state, filings, source, target, acting, changes)
      })
    },
    async move(from, uids, to, acting) {
      return commit(state, (changes) => {
        return move(state, mailboxRow(state, from), uids, mailboxRow(state, to), acting, changes)
      })
    },
    async expunge(id, uids, only) {
      return commit(state, (changes) => {
        const mailbox = mailboxRow(state, id)
        const filings = present(mailbox, uids).filter((filing) => only === 'all' || isDeleted(filing))
        const gone = filings.map((filing) => filing.uid)
        if (gone.length > 0) removeFilings(state, mailbox, gone, changes.raise(mailbox))
        return { uids: UidSet.ofSorted(gone), modSeq: mailbox.highestModSeq }
      })
    },
    fetch: (id, uids, need, signal) => fetch(state, id, uids, need, signal),
    async *readBody(id, start = 0, end) {
      requireOpen(state)
      const message = state.messages.get(id) ?? refuse('no-such-message', `There is no message ${id}.`)
      for (const chunk of chunks(message.body.subarray(start, end))) yield Buffer.from(chunk)
    },
    async message(id) {
      requireOpen(state)
      const row = state.messages.get(id)
      return row && { message: row.id, header: row.header, bodySize: row.body.length, index: row.index }
    },
    async search(id, query, within, signal) {
      requireOpen(state)
      signal?.throwIfAborted()
      const filings = present(mailboxRow(state, id), within)
      const found = filings.filter((filing) => matches(query, searchSubject(state, filing)))
      return UidSet.ofSorted(found.map((filing) => filing.uid))
    },
    pin(id) {
      requireOpen(state)
      return pin(state, mailboxRow(state, id))
    },
  }
}

/** The messages of these UIDs that are there, in order of UID. */
function present(mailbox: MailboxRow, uids: UidSet): FilingRow[] {
  return [...mailbox.filings.values()].filter((filing) => uids.has(filing.uid))
}

function updateFlags(
  mailbox: MailboxRow,
  change: FlagChange,
  acting: Acting | undefined,
  changes: Changes,
): FlagsUpdated {
  const owner = mailbox.owner.account.id
  const viewer = foreignTo(owner, acting?.account)
  const by = viewer === undefined ? undefined : acting
  const filings = present(mailbox, change.uids)
  const since = by ? 0 : mailbox.highestModSeq
  const { mode, unchangedSince = Number.MAX_SAFE_INTEGER } = change
  const isOpen = (filing: FilingRow): boolean => viewed(mailbox, filing, viewer).modSeq <= unchangedSince
  const modified = filings.filter((filing) => !isOpen(filing))
  const open = filings.filter(isOpen)
  const { flags, seenBy } = divideFlags(owner, change.flags, by)
  if (open.length > 0 && mode !== 'remove') {
    requirePlaces(mailbox, flags)
    makePlaces(mailbox, flags)
  }
  const bits = bitsOf(flags, mailbox.keywords)
  for (const filing of open) {
    const seen = isSeen(viewed(mailbox, filing, viewer))
    const after = by ? sharedBits(filing.flags, mode, bits, by.may) : flagsAfter(filing.flags, mode, bits)
    if (after !== filing.flags) {
      filing.flags = after
      filing.modSeq = changes.raise(mailbox)
    }
    if (!by) continue
    const nowSeen = seenAfter(seen, mode, seenBy !== undefined, by.may)
    if (nowSeen !== seen) setSeen(mailbox, by.account, filing.uid, nowSeen, changes.raise(mailbox))
  }
  const modSeq = mailbox.highestModSeq
  const steps = [{ last: highestUid, modSeq }]
  return { modSeq, since, steps, modified: UidSet.ofSorted(modified.map((filing) => filing.uid)) }
}

function copy(
  state: State,
  filings: readonly FilingRow[],
  from: MailboxRow,
  to: MailboxRow,
  acting: Acting | undefined,
  changes: Changes,
): Copied {
  const savedAt = state.clock.now()
  const target = filings.map(({ uidl: _, ...filing }) => {
    const names = flagsOf(viewed(from, filing, acting?.account).flags, from.keywords)
    const { flags, seenBy } = divideFlags(to.owner.account.id, names, acting)
    const { uid } = addFiling(to, { ...filing, savedAt, flags }, changes.raise(to))
    if (seenBy !== undefined) setSeen(to, seenBy, uid, true, changes.raise(to))
    return uid
  })
  return { uidValidity: to.uidValidity, source: UidSet.ofSorted(filings.map((filing) => filing.uid)), target }
}

function move(
  state: State,
  from: MailboxRow,
  uids: UidSet,
  to: MailboxRow,
  acting: Acting | undefined,
  changes: Changes,
): Copied {
  const filings = present(from, uids)
  // Within one account a move takes no room, so it is allowed over quota too.
  if (from.owner !== to.owner) requireQuota(state, to.owner, totalSize(filings))
  const copied = copy(state, filings, from, to, acting, changes)
  if (filings.length > 0) removeFilings(state, from, copied.source, changes.raise(from))
  return copied
}

function totalSize(filings: readonly FilingRow[]): number {
  return filings.reduce((sum, filing) => sum + renderedSize(filing.delivery, filing.message), 0)
}

async function* fetch(
  state: State,
  id: MailboxId,
  uids: UidSet,
  need: FetchNeed,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly FetchedMessage[]> {
  requireOpen(state)
  const mailbox = mailboxRow(state, id)
  const kept = [...state.pins].flatMap((pin) => (pin.mailbox === mailbox ? [...pin.kept.values()] : []))
  const readable = new Map([...mailbox.filings.values(), ...kept].map((filing) => [filing.uid, filing]))
  const wanted = [...readable.values()].filter((filing) => uids.has(filing.uid)).sort((a, b) => a.uid - b.uid)
  for (let at = 0; at < wanted.length; at += rowsPerPage) {
    signal?.throwIfAborted()
    yield wanted.slice(at, at + rowsPerPage).map((filing) => fetchedRow(filing, need))
  }
}

function fetchedRow(filing: FilingRow, need: FetchNeed): FetchedMessage {
  const { uid, message, delivery, internalDate, savedAt, uidl, journey } = filing
  const { index } = message
  return {
    uid,
    message: message.id,
    internalDate,
    savedAt,
    size: renderedSize(delivery, message),
    ...(need.uidl ? { uidl } : {}),
    ...(need.journey ? { journey } : {}),
    ...(need.index ? { index: Object.fromEntries(need.index.map((field) => [field, index[field]])) } : {}),
    ...(need.header || need.headerText ? fetchedHeader(Buffer.concat([delivery, message.header]), need) : {}),
    ...(need.body ? { body: message.body.length <= inlineOctets ? Buffer.from(message.body) : null } : {}),
  }
}

function fetchedHeader(header: Buffer, need: FetchNeed): Pick<FetchedMessage, 'header' | 'headerText'> {
  const text = need.headerText && isAscii(header)
  return {
    ...(text ? { headerText: header.toString('latin1') } : {}),
    ...(need.header || !text ? { header } : {}),
  }
}

function searchSubject(state: State, filing: FilingRow): SearchSubject {
  const { message, delivery } = filing
  const { searchText } = state
  return {
    uid: filing.uid,
    flags: filing.flags,
    modSeq: filing.modSeq,
    row: { ...fetchedRow(filing, {}), sentDay: message.index.sentDay },
    headerText: () => searchText.headerText(delivery) + searchText.headerText(message.header),
    bodyTexts: () => Array.from(searchText.bodyTexts(message.index.parts, message.body), (text) => [...text].join('')),
  }
}

function pin(state: State, mailbox: MailboxRow): Disposable {
  const pin = { mailbox, kept: new Map<number, FilingRow>() }
  state.pins.add(pin)
  return {
    [Symbol.dispose]() {
      if (!state.pins.delete(pin)) return
      for (const filing of pin.kept.values()) release(state, filing.message)
    },
  }
}
