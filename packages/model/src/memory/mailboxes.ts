/** Mailboxes by name: made, renamed, deleted, subscribed. */
import { flagsOf } from '../flags.ts'
import { type AccountId, mailboxId, modSeq, uid, uidValidity } from '../ids.ts'
import type { Mailbox, MailStore, SpecialUse } from '../ports/mail-store.ts'
import { useByName } from '../rules/account-mailboxes.ts'
import { mailboxName, superiors } from '../rules/mailbox-name.ts'
import { isAmongOthers } from '../rules/others-mailboxes.ts'
import { annotationsToCopy } from './annotations.ts'
import { renderedSize } from './content.ts'
import { addFiling, isDeleted, removeFilings } from './filing.ts'
import type { AccountRow, MailboxRow, State } from './state.ts'
import { accountRow, type Changes, commit, compareText, mailboxRows, nextId, refuse } from './state.ts'
import { isSeen, viewed } from './viewers.ts'

type Mailboxes = Pick<
  MailStore,
  | 'mailboxes'
  | 'mailbox'
  | 'mailboxByName'
  | 'createMailbox'
  | 'renameMailbox'
  | 'setSpecialUse'
  | 'deleteMailbox'
  | 'subscriptions'
  | 'subscribe'
>

export function createMailboxes(state: State): Mailboxes {
  return {
    mailboxes: async (account) => commit(state, () => mailboxRows(state, account).map((row) => describeMailbox(row))),
    mailboxByName: async (account, name, viewer) =>
      commit(state, () => {
        const row = mailboxRows(state, account).find((each) => each.name === name)
        return row && describeMailbox(row, viewer)
      }),
    async mailbox(id, viewer) {
      return commit(state, () => {
        const row = state.mailboxes.get(id)
        return row && describeMailbox(row, viewer)
      })
    },
    async createMailbox(account, name, specialUse) {
      return commit(state, (changes) => {
        const owner = accountRow(state, account)
        const allowed = newName(state, account, name)
        requirePlace(state, owner)
        if (specialUse) requireUnused(mailboxRows(state, account), specialUse)
        return describeMailbox(addMailbox(state, owner, allowed, specialUse, changes))
      })
    },
    async renameMailbox(account, from, to) {
      commit(state, (changes) => renameMailbox(state, account, from, to, changes))
    },
    async setSpecialUse(account, name, specialUse) {
      commit(state, (changes) => {
        const row = namedMailbox(state, account, name)
        if (row.name === 'INBOX') refuse('mailbox-not-allowed', 'INBOX has no special use.')
        const others = mailboxRows(state, account).filter((other) => other !== row)
        if (specialUse) requireUnused(others, specialUse)
        row.specialUse = specialUse
        changes.accounts.add(row.owner)
      })
    },
    async deleteMailbox(account, name) {
      commit(state, (changes) => {
        const row = namedMailbox(state, account, name)
        if (row.name === 'INBOX') refuse('mailbox-not-allowed', 'INBOX can not be deleted.')
        dropMailbox(state, row)
        changes.accounts.add(row.owner)
      })
    },
    async subscriptions(account) {
      return commit(state, () => [...(state.accounts.get(account)?.subscriptions ?? [])].sort(compareText))
    },
    async subscribe(account, name, subscribed) {
      commit(state, () => {
        const { subscriptions } = accountRow(state, account)
        const { subscriptionsPerAccount: most } = state.limits
        if (subscribed) {
          const allowed = allowedName(name)
          if (!subscriptions.has(allowed) && subscriptions.size >= most)
            refuse('limit', `At most ${most} subscriptions.`)
          subscriptions.add(allowed)
        } else subscriptions.delete(mailboxName(name) ?? name)
      })
    },
  }
}

/** The counters are counted here: this engine is the measure of those that keep them. */
export function describeMailbox(row: MailboxRow, viewer?: AccountId): Mailbox {
  const { id, name, specialUse, uidValidity, uidNext, highestModSeq, recentUid } = row
  const filings = [...row.filings.values()]
  return {
    id,
    account: row.owner.account.id,
    name,
    specialUse,
    uidValidity,
    uidNext,
    highestModSeq,
    recentUid,
    messages: filings.length,
    unseen: filings.filter((filing) => !isSeen(viewed(row, filing, viewer))).length,
    deleted: filings.filter(isDeleted).length,
    size: filings.reduce((sum, filing) => sum + renderedSize(filing.delivery, filing.message), 0),
    keywords: [...row.keywords],
  }
}

/** Rejects with `limit` when the account has as many mailboxes as it may. */
function requirePlace(state: State, owner: AccountRow): void {
  const { mailboxesPerAccount: most } = state.limits
  if (mailboxRows(state, owner.account.id).length >= most) refuse('limit', `An account can have ${most} mailboxes.`)
}

/** Adds a mailbox for which everything has been checked. */
export function addMailbox(
  state: State,
  owner: AccountRow,
  name: string,
  specialUse: SpecialUse | undefined,
  changes: Changes,
): MailboxRow {
  const own = mailboxRows(state, owner.account.id)
  const byName = useByName(name)
  const free = own.some((row) => row.specialUse === byName) ? undefined : byName
  const row: MailboxRow = {
    id: mailboxId(nextId(state)),
    owner,
    name,
    specialUse: specialUse ?? free ?? null,
    uidValidity: uidValidity(++owner.uidValidity),
    uidNext: uid(1),
    recentUid: uid(1),
    highestModSeq: modSeq(0),
    keywords: [],
    filings: new Map(),
    expunged: [],
    expungeFloor: 0,
    seen: new Map(),
    annotations: [],
    acl: nearestSuperior(own, name)?.acl ?? [],
  }
  state.mailboxes.set(row.id, row)
  changes.raise(row)
  changes.accounts.add(owner)
  return row
}

function requireUnused(rows: readonly MailboxRow[], specialUse: SpecialUse): void {
  if (rows.some((row) => row.specialUse === specialUse)) refuse('exists', `Another mailbox is ${specialUse} already.`)
}

/** The nearest of the names above that is a mailbox. */
function nearestSuperior(own: readonly MailboxRow[], name: string): MailboxRow | undefined {
  return superiors(name)
    .map((superior) => own.find((row) => row.name === superior))
    .findLast((row) => row !== undefined)
}

/** Drops it with all that is in it; nothing of it is readable any more, not even what a pin keeps. */
export function dropMailbox(state: State, row: MailboxRow): void {
  removeFilings(
    state,
    row,
    [...row.filings.values()].map((filing) => filing.uid),
    row.highestModSeq,
  )
  state.mailboxes.delete(row.id)
}

function renameMailbox(state: State, account: AccountId, from: string, to: string, changes: Changes): void {
  const old = mailboxName(from) ?? ''
  const rows = mailboxRows(state, account)
  const row = rows.find((each) => each.name === old)
  const inferiors = rows.filter((each) => each.name.startsWith(`${old}/`))
  const [{ owner } = refuse('no-such-mailbox', `There is no mailbox ${from}.`)] = row ? [row] : inferiors
  const name = newName(state, account, to)
  changes.accounts.add(owner)
  if (row?.name === 'INBOX') {
    requirePlace(state, row.owner)
    const annotations = annotationsToCopy(state, row)
    const target = addMailbox(state, row.owner, name, undefined, changes)
    target.annotations = annotations.map((copy) => ({ ...copy, modSeq: target.highestModSeq }))
    emptyInto(state, row, target, changes)
    return
  }
  if (name.startsWith(`${old}/`)) refuse('mailbox-not-allowed', 'A mailbox can not move below itself.')
  const names = inferiors.map((inferior) => newName(state, account, name + inferior.name.slice(old.length)))
  if (row) row.name = name
  for (const [index, inferior] of inferiors.entries()) inferior.name = names[index] as string
}

/** RFC 9051 §6.3.6: what RENAME of INBOX does. */
function emptyInto(state: State, inbox: MailboxRow, target: MailboxRow, changes: Changes): void {
  const filings = [...inbox.filings.values()]
  const savedAt = state.clock.now()
  for (const { uidl: _, ...filing } of filings) {
    addFiling(target, { ...filing, savedAt, flags: flagsOf(filing.flags, inbox.keywords) }, changes.raise(target))
  }
  if (filings.length > 0) {
    const uids = filings.map((filing) => filing.uid)
    removeFilings(state, inbox, uids, changes.raise(inbox))
  }
}

function allowedName(name: string): string {
  return mailboxName(name) ?? refuse('mailbox-not-allowed', 'The mailbox name is not allowed.')
}

function newName(state: State, account: AccountId, name: string): string {
  const allowed = allowedName(name)
  if (isAmongOthers(allowed)) refuse('mailbox-not-allowed', 'Mailboxes of others are called so.')
  if (mailboxRows(state, account).some((row) => row.name === allowed)) {
    refuse('mailbox-exists', 'A mailbox of this name exists.')
  }
  return allowed
}

function namedMailbox(state: State, account: AccountId, name: string): MailboxRow {
  const allowed = mailboxName(name)
  return (
    mailboxRows(state, account).find((row) => row.name === allowed) ??
    refuse('no-such-mailbox', 'There is no mailbox of this name.')
  )
}
