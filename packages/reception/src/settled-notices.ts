import { type SettledNotices, type SettledRecipient, senderStanding } from '@pennypost/mda'
import { type Acceptance, lookupDomain } from '@pennypost/model'
import { describeReply, type Reply } from '@pennypost/smtp'
import type { Session } from './session.ts'
import type { Recipient, Transaction } from './transaction.ts'

/**
 * What is told by DSNs that ride in the acceptance: filed for those who asked to be told (RFC 3461 §5.2.3), and loops that
 * got no reply of their own. Of these a sender who may be anybody hears nothing: as of any other forward that fails, the
 * postmaster of the domain that forwards does. The relay makes them.
 *
 * Never broken: nobody whose address a stranger has written down gets mail of ours that the stranger has ordered.
 * Who calls it: the conclusion of a transaction.
 */
export async function settledNotices(
  session: Session,
  { journey, reversePath, parameters, recipients, excluded }: Transaction,
  header: Buffer,
  { acceptedAt, flow, filings }: Acceptance,
): Promise<SettledNotices> {
  const answered = new Set(filings.flatMap(({ forwardPaths }) => forwardPaths))
  const filed = recipients.filter((recipient) => asksForSuccess(recipient) && answered.has(recipient.path.text))
  // In LMTP each has had its reply.
  const refused = session.isLmtp ? [] : [...excluded].filter(([recipient]) => hearsOfFailure(recipient))
  if (reversePath === '' || filed.length + refused.length === 0) return { accept: [], flow: [] }
  const { hostname, settledNotices } = session.options
  const tell = (to: string, settled: readonly SettledRecipient[]): Promise<SettledNotices> =>
    settledNotices({
      journey,
      acceptedAt,
      reversePath: to,
      envid: parameters.envid ?? undefined,
      requireTls: parameters.requireTls,
      header,
      recipients: settled,
    })
  const standing = senderStanding(flow, reversePath)
  if (standing === 'unchecked' || standing === 'known') {
    return tell(reversePath, [
      ...filed.map((recipient) => settledRecipient(recipient)),
      ...refused.map(refusedRecipient),
    ])
  }
  const untold = { journey, at: acceptedAt, kind: 'dsn', action: 'delivered', to: '', dsn: '' } as const
  const notices: SettledNotices[] = filed.length === 0 ? [] : [{ accept: [], flow: [untold] }]
  try {
    for (const [domain, own] of Map.groupBy(refused, ([{ path }]) => lookupDomain(path.domain) ?? hostname)) {
      notices.push(await tell(`postmaster@${domain}`, own.map(refusedRecipient)))
    }
    return { accept: notices.flatMap(({ accept }) => accept), flow: notices.flatMap(({ flow }) => flow) }
  } catch (error) {
    for (const { message } of notices.flatMap(({ accept }) => accept)) await message.content.discard()
    throw error
  }
}

function asksForSuccess({ parameters: { notify } }: Recipient): boolean {
  return notify?.includes('SUCCESS') === true
}

function hearsOfFailure({ parameters: { notify } }: Recipient): boolean {
  return notify?.includes('FAILURE') ?? true
}

function settledRecipient({ path, parameters: { orcpt } }: Recipient): SettledRecipient {
  return { forwardPath: path.text, orcpt: orcpt ? `${orcpt.type};${orcpt.address}` : undefined }
}

function refusedRecipient([recipient, said]: [Recipient, Reply]): SettledRecipient {
  const refusal = { status: said.enhanced ?? '5.4.6', diagnostic: describeReply(said) }
  return { ...settledRecipient(recipient), refusal }
}
