/** Annotations of mailboxes and of the server. What is taken away leaves its name behind, for those who follow. */
import type { AccountId, MailboxId } from '../ids.ts'
import { type ModSeq, modSeq } from '../ids.ts'
import type { Annotated, AnnotationChange, Annotations } from '../ports/annotations.ts'
import { annotationLimits, isPrivateEntry } from '../rules/annotation-entry.ts'
import type { AnnotationRow, MailboxRow, State } from './state.ts'
import { accountRow, type Changes, commit, compareText, mailboxRow, refuse } from './state.ts'

export function createAnnotations(state: State): Annotations {
  return {
    async annotations(of, account) {
      return commit(state, () => {
        const rows = of === 'server' ? state.annotations : (state.mailboxes.get(of)?.annotations ?? [])
        return visible(rows, account).flatMap(({ entry, value }) => (value ? [{ entry, value }] : []))
      })
    },
    async annotate(of, account, annotated) {
      return commit(state, (changes) => annotate(state, of, account, annotated, changes))
    },
    async annotationsChanged(mailbox: MailboxId, account, since) {
      return commit(state, () => {
        const rows = visible(state.mailboxes.get(mailbox)?.annotations ?? [], account)
        return rows.filter((row) => row.modSeq > since).map(({ entry, modSeq }) => ({ entry, modSeq }))
      })
    },
  }
}

function visible(rows: readonly AnnotationRow[], account: AccountId): AnnotationRow[] {
  return rows
    .filter((row) => row.account === null || row.account === account)
    .sort((a, b) => compareText(a.entry, b.entry))
}

function annotate(
  state: State,
  of: Annotated,
  account: AccountId,
  annotated: readonly AnnotationChange[],
  changes: Changes,
): ModSeq {
  const mailbox = of === 'server' ? undefined : mailboxRow(state, of)
  accountRow(state, account)
  let rows: readonly AnnotationRow[] = mailbox ? mailbox.annotations : state.annotations
  const touched: AnnotationRow[] = []
  for (const { entry, value } of annotated) {
    const owner = isPrivateEntry(entry) ? account : null
    if (value && value.length > annotationLimits.octets) refuse('limit', 'The value is too large.')
    const before = rows.find((row) => row.entry === entry && row.account === owner)
    if (!value && !before?.value) continue
    const row = { entry, account: owner, value, modSeq: modSeq(0) }
    touched.push(row)
    rows = [...rows.filter((other) => other !== before), row]
  }
  requireRoom(state, mailbox, account, rows)
  if (!mailbox) {
    state.annotations = rows.filter((row) => row.value)
    return modSeq(0)
  }
  if (touched.length === 0) return mailbox.highestModSeq
  const raised = changes.raise(mailbox)
  for (const row of touched) row.modSeq = raised
  mailbox.annotations = withoutOldNames(rows, account, state.limits.annotationsPerMailbox)
  return raised
}

/** RFC 5464 §4.1: what a mailbox gets that INBOX is renamed to: what is shared, and what is its owner's. */
export function annotationsToCopy(state: State, inbox: MailboxRow): AnnotationRow[] {
  const owner = inbox.owner.account.id
  const copies = visible(inbox.annotations, owner).filter((row) => row.value)
  requireOctets(state, inbox, [...inbox.annotations, ...copies], owner)
  return copies.map((row) => ({ ...row }))
}

/** Of the names that were left behind, the newest `most` of those shared and of those of the account are kept. */
function withoutOldNames(rows: readonly AnnotationRow[], account: AccountId, most: number): AnnotationRow[] {
  const old = new Set<AnnotationRow>()
  for (const owner of [account, null]) {
    const left = rows.filter((row) => row.account === owner && !row.value)
    left.sort((a, b) => b.modSeq - a.modSeq || compareText(a.entry, b.entry))
    for (const row of left.slice(most)) old.add(row)
  }
  return rows.filter((row) => !old.has(row))
}

/** Whether what there is to be keeps within the limits. */
function requireRoom(
  state: State,
  mailbox: MailboxRow | undefined,
  account: AccountId,
  rows: readonly AnnotationRow[],
): void {
  const { annotationsPerMailbox: most } = state.limits
  for (const owner of [account, null]) {
    const own = rows.filter((row) => row.account === owner && row.value)
    if (own.length > most) refuse('limit', `There can be ${most} annotations.`)
  }
  const payers = new Set([account, ...(mailbox ? [mailbox.owner.account.id] : [])])
  for (const payer of payers) requireOctets(state, mailbox, rows, payer)
}

function requireOctets(
  state: State,
  changed: MailboxRow | undefined,
  rows: readonly AnnotationRow[],
  payer: AccountId,
): void {
  if (annotationOctets(state, changed, rows, payer) > state.limits.annotationOctetsPerAccount) {
    refuse('limit', 'The annotations are too large.')
  }
}

function annotationOctets(
  state: State,
  changed: MailboxRow | undefined,
  rows: readonly AnnotationRow[],
  payer: AccountId,
): number {
  let octets = 0
  const add = (some: readonly AnnotationRow[], owner: AccountId | undefined): void => {
    for (const row of some) {
      if ((row.account ?? owner) === payer && row.value) octets += row.entry.length + row.value.length
    }
  }
  add(changed ? state.annotations : rows, undefined)
  for (const mailbox of state.mailboxes.values()) {
    add(mailbox === changed ? rows : mailbox.annotations, mailbox.owner.account.id)
  }
  return octets
}
