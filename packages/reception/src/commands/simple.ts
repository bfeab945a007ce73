import { parseForwardPath, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'

/** The commands that change little: QUIT, RSET, NOOP, HELP, VRFY, and those that we know and refuse. */

export const quit = {
  verb: 'QUIT',
  rfc: 'RFC 5321 §4.1.1.10',
  syntax: 'QUIT',
  needsHello: false,
  needsAuth: false,
  bare: true,
  run(session) {
    session.end(replies.closing)
    return undefined
  },
} as const satisfies Command

export const rset = {
  verb: 'RSET',
  rfc: 'RFC 5321 §4.1.1.5',
  syntax: 'RSET',
  needsHello: false,
  needsAuth: false,
  bare: true,
  idle: true,
  run(session) {
    session.reset()
    return replies.ok
  },
} as const satisfies Command

export const noop = {
  verb: 'NOOP',
  rfc: 'RFC 5321 §4.1.1.9',
  syntax: 'NOOP [string]',
  needsHello: false,
  needsAuth: false,
  idle: true,
  run: () => replies.ok,
} as const satisfies Command

export const help = {
  verb: 'HELP',
  rfc: 'RFC 5321 §4.1.1.8',
  syntax: 'HELP [verb]',
  needsHello: false,
  needsAuth: false,
  run(session, argument) {
    const known = (command: Command) => !command.services || command.services.includes(session.service)
    if (argument === '') {
      const verbs = [...session.commands.values()].filter(known).map((command) => command.verb)
      return reply(214, '2.0.0', 'Pennypost knows these commands:', verbs.join(' '), 'HELP verb tells more')
    }
    const command = session.commands.get(argument.toUpperCase())
    if (!command || !known(command)) return withText({ ...replies.badArgument, code: 504 }, 'No help for that')
    return reply(214, '2.0.0', command.syntax, command.rfc)
  },
} as const satisfies Command

export const vrfy = {
  verb: 'VRFY',
  rfc: 'RFC 5321 §4.1.1.6',
  syntax: 'VRFY address',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  run(session, argument) {
    // The same answer for every address: whether it exists is told by RCPT, where it can be counted (RFC 5321 §7.3).
    const path = parseForwardPath(argument.startsWith('<') ? argument : `<${argument}>`, { smtpUtf8: session.extended })
    return path.ok || /^[^\s<>@]+$/.test(argument)
      ? replies.cannotVerify
      : withText(replies.badArgument, 'VRFY address')
  },
} as const satisfies Command

export const turn = {
  verb: 'TURN',
  rfc: 'RFC 5321 §F.1',
  syntax: 'TURN: not here; it hands mail to whoever connects. Use ETRN or ATRN.',
  services: ['smtp'],
  needsHello: false,
  needsAuth: false,
  run: () => withText(replies.notImplemented, 'TURN is unsafe and not implemented, see HELP TURN'),
} as const satisfies Command

export const expn = {
  verb: 'EXPN',
  rfc: 'RFC 5321 §4.1.1.7',
  syntax: 'EXPN list: not offered',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: false,
  needsAuth: false,
  run: () => withText(replies.notImplemented, 'EXPN is not offered'),
} as const satisfies Command
