/** The jobs behind IMAP APPEND, REPLACE and imports. */
import { type AccountId, type Acting, divideFlags, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { arrived, defaultUidl } from './accept.ts'
import { expunge, filingRows } from './expunge.ts'
import { flagBits } from './keywords.ts'
import { addUsage, checkQuota, loadMailbox, saveMailbox } from './mailbox-rows.ts'
import { insertFiling, insertMessage, type PackedMessage } from './message-rows.ts'
import { addSeen } from './viewers.ts'

export interface PackedAppend {
  message: PackedMessage
  flags: readonly string[]
  internalAt: number
  internalOffset: number
  uidl: string | null
}

const noDelivery = new Uint8Array(0)

interface Appending {
  mailbox: number
  now: number
  messages: readonly PackedAppend[]
  acting?: Acting | undefined
}

/** IMAP APPEND and import: all messages or none, UIDs consecutive (RFC 3502 §6.3.11). `freed`: octets that the account gets back. */
export function append(context: WriterContext, args: Appending, freed = 0): { uidValidity: number; firstUid: number } {
  const mailbox = loadMailbox(context, args.mailbox)
  const sizes = args.messages.map(({ message }) => message.headerSize + message.bodySize)
  const octets = sizes.reduce((sum, size) => sum + size, 0)
  checkQuota(context, mailbox.account, octets - freed)
  const firstUid = mailbox.uidNext
  if (args.messages.length === 0) return { uidValidity: mailbox.uidValidity, firstUid }
  const modSeq = context.modSeq(mailbox.account)
  for (const [index, { message, flags, internalAt, internalOffset, uidl }] of args.messages.entries()) {
    const size = sizes[index] as number
    const shared = divideFlags(mailbox.account as AccountId, flags, args.acting)
    const bits = flagBits(context, mailbox, shared.flags)
    const uid = mailbox.uidNext
    insertFiling(context, {
      mailbox: mailbox.id,
      uid,
      message: insertMessage(context, message, 1),
      size,
      internalAt,
      internalOffset,
      savedAt: args.now,
      uidl: uidl ?? defaultUidl(mailbox, uid),
      journey: null,
      delivery: noDelivery,
      flags: bits,
      modSeq,
    })
    arrived(mailbox, modSeq, size, bits)
    if (shared.seenBy !== undefined) addSeen(context, mailbox, shared.seenBy, [uid], modSeq)
  }
  saveMailbox(context, mailbox)
  addUsage(context, mailbox.account, octets, args.messages.length)
  return { uidValidity: mailbox.uidValidity, firstUid }
}

/** IMAP REPLACE: one message comes as by `append`, and one goes. */
export function replace(
  context: WriterContext,
  args: Appending & { from: number; gone: number; pinned: boolean },
): { uidValidity: number; firstUid: number; modSeq: number } {
  const { from, gone, pinned } = args
  const isOneAccount = loadMailbox(context, from).account === loadMailbox(context, args.mailbox).account
  const bounds = [gone, gone]
  const [row] = filingRows(context, from, bounds, 'all', 1).rows
  if (!row) throw new StoreError('no-such-message', 'the message is gone')
  const appended = append(context, args, isOneAccount ? row.size : 0)
  const { modSeq } = expunge(context, { mailbox: from, bounds, only: 'all', pinned, limit: 1 })
  return { ...appended, modSeq }
}
