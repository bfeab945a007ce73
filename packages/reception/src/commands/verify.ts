import { lookupAddress } from '@pennypost/model'
import { type Mailbox, parseForwardPath, type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/**
 * VRFY and EXPN tell who has logged in what is known. Strangers get the same answer for every address: whether one
 * exists is told by RCPT, where it can be counted (RFC 5321 §7.3). Addresses beyond ASCII are told to who says SMTPUTF8
 * (RFC 6531 §3.7.4.2).
 */
export const vrfy = {
  verb: 'VRFY',
  rfc: 'RFC 5321 §4.1.1.6',
  syntax: 'VRFY address [SMTPUTF8]',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run(session, argument) {
    const asked = questionOf(session, argument)
    if (!asked) return withText(replies.badArgument, 'Syntax: VRFY address')
    return mayBeTold(session) ? tell(session, asked, verify(session, asked.path)) : replies.cannotVerify
  },
} as const satisfies Command

export const expn = {
  verb: 'EXPN',
  rfc: 'RFC 5321 §4.1.1.7',
  syntax: 'EXPN list [SMTPUTF8] (for those who have logged in)',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  isOffered: mayBeTold,
  run(session, argument) {
    const asked = questionOf(session, argument)
    if (!asked) return withText(replies.badArgument, 'Syntax: EXPN list')
    if (mayBeTold(session)) return tell(session, asked, expand(session, asked.path.text))
    if (session.account) return replies.notImplemented
    return session.options.offersAuth(session.service) ? replies.authRequired : replies.notImplemented
  },
} as const satisfies Command

function mayBeTold({ account, options }: Session): boolean {
  return account !== undefined && options.verify !== 'nobody'
}

interface Question {
  path: Mailbox
  /** The reply may have UTF-8. */
  smtpUtf8: boolean
}

/** The address as written, or a local part of the account's own domain, or of this host. */
function questionOf({ account, options, extended }: Session, argument: string): Question | undefined {
  const smtpUtf8 = /[ \t]SMTPUTF8$/i.test(argument)
  const asked = smtpUtf8 ? argument.slice(0, -' SMTPUTF8'.length).trimEnd() : argument
  const bare = asked.replace(/^<(.*)>$/, '$1')
  const home = account ? account.login.slice(account.login.lastIndexOf('@') + 1) : options.hostname
  const path = parseForwardPath(`<${bare.includes('@') ? bare : `${bare}@${home}`}>`, { smtpUtf8: extended })
  return path.ok ? { path: path.value, smtpUtf8 } : undefined
}

/** The reply as far as the client takes it; undefined when it has been said. */
async function tell(session: Session, { smtpUtf8 }: Question, answer: Promise<Reply>): Promise<Reply | undefined> {
  const found = await answer
  if (found.code !== 250 || /^[\x00-\x7f]*$/.test(found.lines.join(''))) return found
  if (!smtpUtf8) return reply(252, '2.6.8', 'The reply has UTF-8, say SMTPUTF8')
  session.say(found, true)
  return undefined
}

async function verify(session: Session, path: Mailbox): Promise<Reply> {
  const { account, options } = session
  const found = await options.mda.expand(path, { reversePath: '', account, size: 0, mayRelay: false })
  if (found.kind === 'accepted') return reply(250, '2.1.5', `<${path.text}>`)
  return found.reply.enhanced === '5.7.1' ? replies.cannotVerify : found.reply
}

async function expand({ options }: Session, text: string): Promise<Reply> {
  const key = lookupAddress(text)
  const alias = key === undefined ? undefined : await options.store.directory.alias(key)
  if (alias) {
    const shown = alias.targets.slice(0, options.limits.recipients).map((target) => `<${target}>`)
    const hidden = alias.targets.length - shown.length
    return reply(250, '2.1.5', ...shown, ...(hidden > 0 ? [`and ${hidden} more`] : []))
  }
  const account = key === undefined ? undefined : await options.store.directory.accountByLogin(key)
  return account && account.removedAt === null ? reply(250, '2.1.5', `<${account.login}>`) : replies.noSuchUser
}
