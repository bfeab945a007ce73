/** What sessions see of an open mailbox: a snapshot, then changes since a cursor, woken by `watch`. */
import { uid } from '../ids.ts'
import type { MailStore } from '../ports/mail-store.ts'
import { UidSet } from '../uid-set.ts'
import { describeMailbox } from './mailboxes.ts'
import { commit, type FilingRow, type MailboxRow, mailboxRow, requireOpen, type State, watchIn } from './state.ts'

type MailChanges = Pick<MailStore, 'snapshot' | 'changesSince' | 'claimRecent' | 'watch'>

export function createChanges(state: State): MailChanges {
  return {
    async snapshot(id) {
      return commit(state, () => {
        const row = mailboxRow(state, id)
        return { mailbox: describeMailbox(row), ...columns([...row.filings.values()]) }
      })
    },
    async changesSince(id, since) {
      return commit(state, () => {
        const row = state.mailboxes.get(id)
        if (!row) {
          const gone = { modSeq: since, uidNext: uid(1), keywords: [], vanished: UidSet.empty, deleted: true }
          return { ...gone, ...columns([]) }
        }
        const { highestModSeq: modSeq, uidNext, keywords } = row
        const changed = [...row.filings.values()].filter((filing) => filing.modSeq > since)
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

function columns(filings: readonly FilingRow[]) {
  return {
    uids: Uint32Array.from(filings, (filing) => filing.uid),
    flags: Float64Array.from(filings, (filing) => filing.flags),
    modSeqs: Float64Array.from(filings, (filing) => filing.modSeq),
  }
}

function vanishedSince(row: MailboxRow, since: number): UidSet {
  if (since >= row.expungeFloor) {
    const later = row.expunged.filter((expunge) => expunge.modSeq > since)
    return UidSet.ofSorted(later.map((expunge) => expunge.uid).sort((a, b) => a - b))
  }
  const absent: number[] = []
  for (let number = 1; number < row.uidNext; number++) if (!row.filings.has(number)) absent.push(number)
  return UidSet.ofSorted(absent)
}
