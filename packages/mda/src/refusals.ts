/** Why mail is not taken, and the reply for it. The texts are for the sender's postmaster and say what to do. */
import type { ExpandContext, MdaReply } from './mda.ts'

/** From light to weighty: where several hold, the last one is told. */
const order = ['nobody', 'removed', 'bounce', 'relaying', 'no-domain', 'too-large', 'full', 'loop', 'too-many'] as const
export type Refusal = (typeof order)[number]

/** The one of several that is told; without any nobody was found. */
export function weightiest(refusals: ReadonlySet<Refusal>): Refusal {
  return order.findLast((refusal) => refusals.has(refusal)) ?? 'nobody'
}

/** RFC 5321 §4.2.3 with the codes of RFC 3463 §3. */
export function replyFor(refusal: Refusal, address: string, context: ExpandContext): MdaReply {
  const say = (code: number, enhanced: string, text: string): MdaReply => {
    return { code, enhanced, lines: [`<${address}>: ${text}`] }
  }
  switch (refusal) {
    case 'nobody':
      return say(550, '5.1.1', 'no such mailbox here')
    case 'removed':
      return say(550, '5.1.6', 'this mailbox has been removed')
    case 'bounce':
      return say(550, '5.7.1', 'takes bounces of recently forwarded mail only')
    case 'relaying':
      return say(550, '5.7.1', 'relaying is for authenticated users')
    case 'no-domain':
      // A new server, or one whose disk is missing: what it will know is not refused for good.
      return say(450, '4.3.5', 'this server has no domain yet, try again later')
    case 'too-large':
      return say(552, '5.2.3', 'the message is larger than this mailbox takes')
    case 'full':
      // A stranger's server keeps it and tries again; a user of ours can be told at once.
      return context.account
        ? say(552, '5.2.2', 'mailbox is full')
        : say(452, '4.2.2', 'mailbox is full, try again later')
    case 'loop':
      return say(554, '5.4.6', 'its aliases lead back to themselves')
    case 'too-many':
      return say(554, '5.2.4', 'expands to too many addresses')
  }
}
