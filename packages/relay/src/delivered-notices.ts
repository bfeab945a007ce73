/** Success DSNs for what reception files itself (RFC 3461 §5.2.3), to ride in its acceptance. */
import type { DeliveredFacts } from '@pennypost/mda'
import type { Acceptance } from '@pennypost/model'
import { createDsn, type DsnOptions } from './dsn.ts'
import { originalRecipient } from './dsn-recipients.ts'

/** None when nobody can be told. The event of the subject's journey travels with the DSN. */
export async function deliveredNotices(facts: DeliveredFacts, options: DsnOptions): Promise<Acceptance[]> {
  const { journey, acceptedAt, reversePath, envid, requireTls, header } = facts
  const recipients = facts.recipients.map(({ forwardPath, orcpt }) => {
    const original = originalRecipient(orcpt)
    return {
      action: 'delivered' as const,
      finalRecipient: forwardPath,
      status: '2.1.5',
      ...(original ? { originalRecipient: original } : {}),
    }
  })
  const { acceptance, event } = await createDsn(
    {
      journey,
      acceptedAt,
      reversePath,
      envid,
      requireTls,
      header,
      ret: 'HDRS',
      size: header.length,
      eightBitBody: false,
      async *body() {},
    },
    'delivered',
    recipients,
    options,
  )
  return acceptance ? [{ ...acceptance, flow: [...acceptance.flow, event] }] : []
}
