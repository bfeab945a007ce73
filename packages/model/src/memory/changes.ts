/** What sessions see of an open mailbox: a snapshot, then changes since a cursor, woken by `watch`. */
import { type AccountId, uid } from '../ids.ts'
import type { MailStore } from '../ports/mail-store.ts'
import { UidSet } from '../uid-set.ts'
import { describeMailbox } from './mailboxes.ts'
import { rightsOn } from './sharing.ts'
import { commit, type MailboxRow, mailboxRow, requireOpen, type State, watchIn } from './state.ts'
import { type Viewed, viewed } from './viewers.ts'

type MailChanges = Pick<MailStore, 'snapshot' | 'changesSince' | 'claimRecent' | 'watch'>

export function createChanges(state: State): MailChanges {
  return {
    async snapshot(id, viewer) {
      return commit(state, () => {
        const row = mailboxRow(state, id)
        const filings = [...row.filings.values()].map((filing) => viewed(row, filing, viewer))
        return { mailbox: describeMailbox(row, viewer), ...columns(filings) }
      })
    },
    async changesSince(id, since, viewer) {
      return commit(state, () => {
        const row = state.mailboxes.get(id)
        if (!row || !mayRead(row, viewer)) {
          const gone = { modSeq: since, uidNext: uid(1), keywords: [], vanished: UidSet.empty, deleted: true }
          return { ...gone, ...columns([]) }
        }
        const { highestModSeq: modSeq, uidNext, keywords } = row
        const all = [...row.filings.values()].map((filing) => viewed(row, filing, viewer))
        const changed = all.filter((filing) => filing.modSeq > since)
        const cursor = { modSeq, uidNext, keywords: [...keywords], deleted: false }
        return { ...cursor, ...columns(changed), vanished: vanishedSince(row, since) }
      })
    },
    async claimRecent(id) {
      return commit(state, () => {
        const row = mailboxRow(state, id)
        const first = row.recentUid
        row.recentUid = row.uidNext
        return first
      })
    },
    watch(account, onWake) {
      requireOpen(state)
      return watchIn(state.mailWatchers, { account, onWake })
    },
  }
}

function mayRead(row: MailboxRow, viewer: AccountId | undefined): boolean {
  return viewer === undefined || rightsOn(row, viewer).includes('r')
}

function columns(filings: readonly Viewed[]) {
  return {
    uids: Uint32Array.from(filings, (filing) => filing.uid),
    flags: Float64Array.from(filings, (filing) => filing.flags),
    modSeqs: Float64Array.from(filings, (filing) => filing.modSeq),
  }
}

function vanishedSince(row: MailboxRow, since: number): UidSet {
  if (since >= row.expungeFloor) {
    const later = row.expunged.filter((expunge) => expunge.modSeq > since)
    return UidSet.from(later.map((expunge) => expunge.uid))
  }
  const absent: number[] = []
  for (let number = 1; number < row.uidNext; number++) if (!row.filings.has(number)) absent.push(number)
  return UidSet.ofSorted(absent)
}
