/** Reports about our domains that have arrived as mail: who sends as us, and how TLS to us goes. */
import { allParts, decodeTransfer } from '@pennypost/message'
import { type Account, type FetchedMessage, type MailboxId, nextTurn, UidSet } from '@pennypost/model'
import { z } from 'zod'
import { findAccount } from '../accounts.ts'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, domainName } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { type Report, readReport } from '../reports/read-report.ts'
import { unpack } from '../reports/unpack.ts'
import { accountAt } from './alias.ts'

/** Messages of one mailbox that are looked at, the newest. */
const messagesMax = 5000
const attachmentMax = 2 * 1024 * 1024
/** Attachments of one message that are looked into: a report has one. */
const attachmentsMax = 3

export const reports = operation({
  name: 'reports',
  kind: 'read',
  input: z.strictObject({
    /** Whose mail it is in; absent: of whom postmaster@ leads to. */
    login: address.optional(),
    domain: domainName.optional(),
    kind: z.enum(['dmarc', 'tls']).optional(),
    sinceMs: z
      .number()
      .nonnegative()
      .default(30 * 86_400_000),
  }),
  async run(context, { login, domain, kind, sinceMs }, { signal }) {
    const { mail } = context.store
    const account = login === undefined ? await postmaster(context) : await findAccount(context, login)
    const since = context.clock.now() - sinceMs
    const found: Report[] = []
    for (const { id } of await mail.mailboxes(account.id)) {
      for await (const report of reportsIn(context, id, since, signal)) {
        if ((domain ?? report.domain) === report.domain && (kind ?? report.kind) === report.kind) found.push(report)
      }
    }
    return { login: account.login, reports: found.sort((a, b) => b.beginsAt - a.beginsAt) }
  },
})

async function postmaster(context: AdminContext): Promise<Account> {
  const { administrator } = context.installation
  const named = administrator === '' ? undefined : await accountAt(context, administrator)
  const found = named ?? (await context.store.directory.firstAdministrator())
  if (found) return found
  throw new AdminError('not-found', 'There is no account.', '`pennypost account add` makes the first.')
}

async function* reportsIn(
  { store: { mail } }: AdminContext,
  mailbox: MailboxId,
  since: number,
  signal: AbortSignal,
): AsyncGenerator<Report> {
  using _pin = mail.pin(mailbox)
  const { uids } = await mail.snapshot(mailbox)
  const newest = UidSet.ofSorted(uids.slice(-messagesMax))
  for await (const page of mail.fetch(mailbox, newest, { index: ['parts'] }, signal)) {
    for (const row of page) {
      if (row.internalDate.at < since) continue
      signal.throwIfAborted()
      const report = await reportOf(mail, row)
      if (report) yield report
    }
  }
}

const reportTypes =
  /^(?:application\/(?:tlsrpt(?:\+gzip|\+json)?|json|gzip|x-gzip|zip|x-zip-compressed|xml|octet-stream)|text\/xml)$/

async function reportOf(mail: AdminContext['store']['mail'], row: FetchedMessage): Promise<Report | undefined> {
  const attachments = allParts(row.index?.parts ?? '').filter(
    ({ type, subtype, body }) => reportTypes.test(`${type}/${subtype}`) && body.end - body.start <= attachmentMax,
  )
  for (const { encoding, body } of attachments.slice(0, attachmentsMax)) {
    // Strangers write them.
    await nextTurn()
    const pieces: Buffer[] = []
    for await (const piece of mail.readBody(row.message, body.start, body.end)) pieces.push(piece)
    const document = await unpack(decodeTransfer(Buffer.concat(pieces), encoding) ?? Buffer.alloc(0))
    const report = document && readReport(document)
    if (report) return report
  }
  return undefined
}
