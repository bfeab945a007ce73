import { replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'

/** The commands that change little: QUIT, RSET, NOOP, HELP, VERB, and TURN, which we know and refuse. */

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
  idle: true,
  run(session, argument) {
    const known = (command: Command) => !command.services || command.services.includes(session.service)
    if (argument === '') {
      const verbs = [...session.commands.values()]
        .filter((command) => known(command) && command.isOffered?.(session) !== false)
        .map((command) => command.verb)
      return reply(214, '2.0.0', 'Pennypost knows these commands:', verbs.join(' '), 'HELP verb tells more')
    }
    const command = session.commands.get(argument.toUpperCase())
    if (!command || !known(command)) return reply(504, '5.5.4', 'No help for that')
    // Replies are ASCII (RFC 5321 §4.2).
    return reply(214, '2.0.0', command.syntax, command.rfc.replace('§', 'section '))
  },
} as const satisfies Command

export const verb = {
  verb: 'VERB',
  rfc: 'Sendmail',
  syntax: 'VERB [ON|OFF]: known and without effect',
  services: ['smtp'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  // Old programs that ask for a chatty delivery give up at 5yz; what happens to a message is in its journey.
  isOffered: () => false,
  run: () => withText(replies.ok, 'Nothing is told here, see HELP VERB'),
} as const satisfies Command

export const turn = {
  verb: 'TURN',
  rfc: 'RFC 5321 §F.1',
  syntax: 'TURN: not here; it hands mail to whoever connects. Use ETRN or ATRN.',
  services: ['smtp'],
  needsHello: false,
  needsAuth: false,
  isOffered: () => false,
  run: () => withText(replies.notImplemented, 'TURN is unsafe and not implemented, see HELP TURN'),
} as const satisfies Command
