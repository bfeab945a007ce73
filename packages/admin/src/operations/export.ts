/**
 * The messages of an account, as frames before the result: a head for each mailbox, then for each message a head, its
 * octets as its readers get them, and an end. Whoever runs the verb writes them to files, in whatever format.
 */
import { type FetchedMessage, flagsOf, type Mailbox, mailboxName, UidSet } from '@pennypost/model'
import { z } from 'zod'
import { findAccount } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address } from '../input-fields.ts'
import { type Call, operation } from '../operation.ts'

/** What the head of a mailbox says. */
export interface ExportedMailbox {
  mailbox: string
  uidValidity: number
  uidNext: number
}

/** What the head of a message says. */
export interface ExportedMessage {
  uid: number
  size: number
  flags: string[]
  internalDate: { at: number; offsetMinutes: number }
  uidl: string
}

export const mailExport = operation({
  name: 'export',
  kind: 'read',
  input: z.strictObject({
    login: address,
    /** Absent: all. */
    mailbox: z.string().optional(),
  }),
  async run(context, { login, mailbox: only }, call) {
    const account = await findAccount(context, login)
    const all = await context.store.mail.mailboxes(account.id)
    const wanted = only === undefined ? all : all.filter(({ name }) => name === mailboxName(only))
    if (wanted.length === 0) {
      const advice = `\`pennypost account show ${login}\` lists its mailboxes.`
      throw new AdminError('not-found', `${login} has no mailbox ${only}.`, advice)
    }
    const total = wanted.reduce((sum, { messages }) => sum + messages, 0)
    let done = 0
    const onMessage = () => call.progress({ done: ++done, total, unit: 'messages' })
    for (const mailbox of wanted) await exportMailbox(context, mailbox, call, onMessage)
    return { login, mailboxes: wanted.length, messages: done }
  },
})

async function exportMailbox(
  { store: { mail } }: AdminContext,
  { id }: Mailbox,
  { send, signal }: Call,
  onMessage: () => void,
): Promise<void> {
  // What is expunged while this runs is still written: the snapshot is what was asked for.
  using _pin = mail.pin(id)
  const { mailbox, uids, flags } = await mail.snapshot(id)
  const { name, uidValidity, uidNext, keywords } = mailbox
  await send({ head: { mailbox: name, uidValidity, uidNext } satisfies ExportedMailbox })
  let position = 0
  for await (const page of mail.fetch(id, UidSet.ofSorted(uids), { uidl: true, header: true, body: true }, signal)) {
    for (const row of page) {
      while ((uids[position] as number) < row.uid) position++
      const head = { flags: flagsOf(flags[position] ?? 0, keywords), ...headOf(row) } satisfies ExportedMessage
      await send({ head })
      for await (const octets of contentOf(mail, row)) await send({ octets })
      await send({ end: true })
      onMessage()
    }
  }
}

const headOf = ({ uid, size, internalDate, uidl = '' }: FetchedMessage) => ({ uid, size, internalDate, uidl })

async function* contentOf(mail: AdminContext['store']['mail'], row: FetchedMessage): AsyncGenerator<Buffer> {
  if (row.header) yield row.header
  if (row.body) yield row.body
  else yield* mail.readBody(row.message)
}
