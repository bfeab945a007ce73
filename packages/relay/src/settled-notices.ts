/** DSNs about what reception settles itself, filed (RFC 3461 §5.2.3) or refused, to ride in its acceptance. */
import type { SettledFacts, SettledNotices, SettledRecipient } from '@pennypost/mda'
import type { DsnRecipient } from '@pennypost/message'
import type { Acceptance, FlowEvent } from '@pennypost/model'
import { createDsn, type DsnOptions } from './dsn.ts'
import { originalRecipient } from './dsn-recipients.ts'

/** One for each kind; none where nobody can be told, which is an event all the same. */
export async function settledNotices(facts: SettledFacts, options: DsnOptions): Promise<SettledNotices> {
  const recipients = facts.recipients.map(told)
  const accept: Acceptance[] = []
  const flow: FlowEvent[] = []
  try {
    for (const kind of ['delivered', 'failed'] as const) {
      const ofKind = recipients.filter(({ action }) => action === kind)
      if (ofKind.length === 0) continue
      const { acceptance, event } = await createDsn(subjectOf(facts), kind, ofKind, options)
      if (acceptance) accept.push(acceptance)
      flow.push(event)
    }
    return { accept, flow }
  } catch (error) {
    for (const { message } of accept) await message.content.discard()
    throw error
  }
}

function told({ forwardPath, orcpt, refusal }: SettledRecipient): DsnRecipient {
  const original = originalRecipient(orcpt)
  const who = { finalRecipient: forwardPath, ...(original ? { originalRecipient: original } : {}) }
  return refusal ? { ...who, action: 'failed', ...refusal } : { ...who, action: 'delivered', status: '2.1.5' }
}

/** Its header section is all that is returned of it. */
function subjectOf({ journey, acceptedAt, reversePath, envid, requireTls, header }: SettledFacts) {
  return {
    journey,
    acceptedAt,
    reversePath,
    envid,
    requireTls,
    header,
    ret: 'HDRS' as const,
    size: header.length,
    eightBitBody: false,
    async *body() {},
  }
}
