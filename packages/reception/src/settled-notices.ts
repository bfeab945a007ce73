import { type SettledRecipient, senderStanding } from '@pennypost/mda'
import type { Acceptance } from '@pennypost/model'
import { describeReply } from '@pennypost/smtp'
import type { Session } from './session.ts'
import type { Recipient, Transaction } from './transaction.ts'

/**
 * What a sender is told by DSNs that ride in the acceptance: filed for those who asked to be told (RFC 3461 §5.2.3), and
 * loops that got no reply of their own. The relay makes them.
 *
 * Never broken: nobody whose address a stranger has written down gets mail of ours that the stranger has ordered.
 * Who calls it: the conclusion of a transaction.
 */
export async function settledNotices(
  session: Session,
  { journey, reversePath, parameters, recipients, looping }: Transaction,
  header: Buffer,
  { acceptedAt, flow }: Acceptance,
): Promise<Acceptance[]> {
  const filed = recipients.filter(asksForSuccess)
  // In LMTP each has had its reply.
  const refused = session.isLmtp ? [] : [...looping].filter(([recipient]) => hearsOfFailure(recipient))
  if (reversePath === '' || filed.length + refused.length === 0) return []
  const standing = senderStanding(flow, reversePath)
  const settled: SettledRecipient[] = []
  if (standing === 'unchecked' || standing === 'known') settled.push(...filed.map(settledRecipient))
  if (standing !== 'forged') {
    for (const [recipient, said] of refused) {
      const refusal = { status: said.enhanced ?? '5.4.6', diagnostic: describeReply(said) }
      settled.push({ ...settledRecipient(recipient), refusal })
    }
  }
  if (settled.length === 0) return []
  return session.options.settledNotices({
    journey,
    acceptedAt,
    reversePath,
    envid: parameters.envid ?? undefined,
    requireTls: parameters.requireTls,
    header,
    recipients: settled,
  })
}

function asksForSuccess({ parameters: { notify }, expansion }: Recipient): boolean {
  return notify?.includes('SUCCESS') === true && expansion.deliveries.some(({ kind }) => kind === 'file')
}

function hearsOfFailure({ parameters: { notify } }: Recipient): boolean {
  return notify?.includes('FAILURE') ?? true
}

function settledRecipient({ path, parameters: { orcpt } }: Recipient): SettledRecipient {
  return { forwardPath: path.text, orcpt: orcpt ? `${orcpt.type};${orcpt.address}` : undefined }
}
