/** Success DSNs for what reception files itself (RFC 3461 §5.2.3), to ride in its acceptance. */
import type { Acceptance, JourneyId } from '@pennypost/model'
import { originalRecipient } from './attempt-remote.ts'
import { createDsn, type DsnOptions } from './dsn.ts'

/** Local deliveries whose sender asked to be told. */
export interface DeliveredFacts {
  journey: JourneyId
  acceptedAt: number
  reversePath: string
  envid: string | undefined
  /** As it is filed. */
  header: Buffer
  recipients: readonly { forwardPath: string; orcpt: string | undefined }[]
}

/** None when nobody can be told. The event of the subject's journey travels with the DSN. */
export async function deliveredNotices(facts: DeliveredFacts, options: DsnOptions): Promise<Acceptance[]> {
  const { journey, acceptedAt, reversePath, envid, header } = facts
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
      ...{ journey, acceptedAt, reversePath, envid, header },
      ...{ ret: 'HDRS', size: header.length, eightBitBody: false },
      async *body() {},
    },
    'delivered',
    recipients,
    options,
  )
  return acceptance ? [{ ...acceptance, flow: [...acceptance.flow, event] }] : []
}
