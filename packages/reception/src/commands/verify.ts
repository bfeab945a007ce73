import { lookupAddress } from '@pennypost/model'
import { type Mailbox, parseForwardPath, type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/**
 * VRFY and EXPN tell who has logged in what is known. Strangers get the same answer for every address: whether one
 * exists is told by RCPT, where it can be counted (RFC 5321 §7.3).
 */
export const vrfy = {
  verb: 'VRFY',
  rfc: 'RFC 5321 §4.1.1.6',
  syntax: 'VRFY address',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run(session, argument) {
    const path = addressOf(session, argument)
    if (!path) return withText(replies.badArgument, 'Syntax: VRFY address')
    return mayBeTold(session) ? verify(session, path) : replies.cannotVerify
  },
} as const satisfies Command

export const expn = {
  verb: 'EXPN',
  rfc: 'RFC 5321 §4.1.1.7',
  syntax: 'EXPN list (for those who have logged in)',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run(session, argument) {
    const path = addressOf(session, argument)
    if (!path) return withText(replies.badArgument, 'Syntax: EXPN list')
    if (mayBeTold(session)) return expand(session, path.text)
    if (session.account) return replies.notImplemented
    return session.options.offersAuth(session.service) ? replies.authRequired : replies.notImplemented
  },
} as const satisfies Command

function mayBeTold({ account, options }: Session): boolean {
  return account !== undefined && options.verify !== 'nobody'
}

/** The address as written, or a local part of the account's own domain, or of this host. */
function addressOf(session: Session, argument: string): Mailbox | undefined {
  const bare = argument.replace(/^<(.*)>$/, '$1')
  const { account, options } = session
  const home = account ? account.login.slice(account.login.lastIndexOf('@') + 1) : options.hostname
  const path = parseForwardPath(`<${bare.includes('@') ? bare : `${bare}@${home}`}>`, { smtpUtf8: session.extended })
  return path.ok ? path.value : undefined
}

async function verify(session: Session, path: Mailbox): Promise<Reply> {
  const { account, options } = session
  const found = await options.mda.expand(path, { reversePath: '', account, size: 0, mayRelay: false })
  if (found.kind === 'accepted') return reply(250, '2.1.5', `<${path.text}>`)
  const { code, enhanced, text } = found.reply
  return enhanced === '5.7.1' ? replies.cannotVerify : reply(code, enhanced, text)
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
