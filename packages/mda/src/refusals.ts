/** Why mail is not taken, and the reply for it. The texts are for the sender's postmaster and say what to do. */
import type { ExpandContext, MdaReply } from './mda.ts'

/** From light to weighty: where several hold, the last one is told. */
const order = ['nobody', 'removed', 'bounce', 'relaying', 'full', 'loop', 'too-many'] as const
export type Refusal = (typeof order)[number]

/** The one of several that is told; without any nobody was found. */
export function weightiest(refusals: ReadonlySet<Refusal>): Refusal {
  return order.findLast((refusal) => refusals.has(refusal)) ?? 'nobody'
}

/** RFC 5321 §4.2.3 with the codes of RFC 3463 §3. */
export function replyFor(refusal: Refusal, address: string, context: ExpandContext): MdaReply {
  switch (refusal) {
    case 'nobody':
      return { code: 550, enhanced: '5.1.1', text: `<${address}>: no such mailbox here` }
    case 'removed':
      return { code: 550, enhanced: '5.1.6', text: `<${address}>: this mailbox has been removed` }
    case 'bounce':
      return { code: 550, enhanced: '5.7.1', text: `<${address}>: takes bounces of recently forwarded mail only` }
    case 'relaying':
      return { code: 550, enhanced: '5.7.1', text: `<${address}>: relaying is for authenticated users` }
    case 'full':
      // A stranger's server keeps it and tries again; a user of ours can be told at once.
      return context.account
        ? { code: 552, enhanced: '5.2.2', text: `<${address}>: mailbox is full` }
        : { code: 452, enhanced: '4.2.2', text: `<${address}>: mailbox is full, try again later` }
    case 'loop':
      return { code: 554, enhanced: '5.4.6', text: `<${address}>: its aliases lead back to themselves` }
    case 'too-many':
      return { code: 554, enhanced: '5.2.4', text: `<${address}>: expands to too many addresses` }
  }
}
