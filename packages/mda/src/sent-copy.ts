/**
 * The copy of a submitted message that reception files in Sent, for accounts that want one. Many programs append their
 * own copy a moment later; that one knows the blind recipients, and takes the place of ours.
 *
 * Called by reception when it has filed the copy, and by the program for each APPEND to a Sent mailbox.
 */
import {
  type Account,
  type AccountId,
  type MailboxId,
  type MemoryNote,
  mailboxId,
  memoryLimits,
  type NewFiling,
  type PolicyMemory,
  type Uid,
  uid,
} from '@pennypost/model'

/** So long after it was filed another copy takes its place. */
const replaceableMs = 3_600_000

/** The filing of the copy: read, and without the marks of a delivery, since nobody delivered it. */
export function sentCopy(account: Account): NewFiling {
  return { account: account.id, mailbox: '\\Sent', delivery: Buffer.alloc(0), flags: ['\\Seen'], forwardPaths: [] }
}

/** The note where the copy is; none for a message that has no Message-ID to be known by. */
export function sentCopyNotes(
  filed: { account: AccountId; mailbox: MailboxId; uid: Uid },
  messageId: string,
  nowMs: number,
): MemoryNote[] {
  const key = keyOf(filed.account, messageId)
  if (key === undefined) return []
  const value = `${filed.mailbox} ${filed.uid}`
  return [{ kind: 'duplicate', key, at: nowMs, expiresAt: nowMs + replaceableMs, value }]
}

/** The copy of ours whose place another one with this Message-ID ('' for none) takes; once. */
export async function takeSentCopy(
  memory: PolicyMemory,
  account: AccountId,
  messageId: string,
  nowMs: number,
): Promise<{ mailbox: MailboxId; uid: Uid } | undefined> {
  const key = keyOf(account, messageId)
  const noted = key === undefined ? undefined : await memory.recall('duplicate', key, nowMs)
  if (key === undefined || !noted) return undefined
  await memory.forget('duplicate', key)
  const [mailbox, copy] = noted.value.split(' ').map(Number)
  return mailbox && copy ? { mailbox: mailboxId(mailbox), uid: uid(copy) } : undefined
}

function keyOf(account: AccountId, messageId: string): string | undefined {
  return messageId === '' ? undefined : `sent ${account} ${messageId}`.slice(0, memoryLimits.key)
}
