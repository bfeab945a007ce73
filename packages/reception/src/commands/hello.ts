import { parseHelloArgument, type Reply, reply } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'
import { offeredMechanisms } from './auth.ts'
import { xclientAttributes, xforwardAttributes } from './xclient.ts'

/** What EHLO and LHLO offer now; each keyword stands here only while the session would honour it. */
function offers(session: Session): string[] {
  const lines = session.service === 'odmr' ? offersForFetching(session) : offersForMail(session)
  if (session.secure) {
    if (session.service !== 'odmr') lines.push('REQUIRETLS')
  } else if (session.options.offersTls(session.service)) lines.push('STARTTLS')
  const mechanisms = offeredMechanisms(session)
  if (mechanisms.length > 0) {
    lines.push(`AUTH ${mechanisms.join(' ')}`)
    // Outlook Express 4 and its age read only this form.
    lines.push(`AUTH=${mechanisms.join(' ')}`)
  }
  if (session.service === 'odmr') lines.push('HELP')
  else if (!session.isLmtp) {
    if (session.options.mayTurn) lines.push('ETRN')
    if (session.account && session.options.verify !== 'nobody') lines.push('EXPN')
    lines.push('VRFY', 'HELP')
  }
  if (session.mayNameClient) {
    lines.push(`XCLIENT ${xclientAttributes.join(' ')}`, `XFORWARD ${xforwardAttributes.join(' ')}`)
  }
  return lines
}

function offersForFetching({ options: { turnRound } }: Session): string[] {
  return ['ENHANCEDSTATUSCODES', ...(turnRound ? ['ATRN'] : [])]
}

function offersForMail({ options: { limits } }: Session): string[] {
  return [
    'PIPELINING',
    `SIZE ${limits.messageSize}`,
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'ENHANCEDSTATUSCODES',
    'DSN',
    `LIMITS RCPTMAX=${limits.recipients} MAILMAX=${limits.transactionsPerConnection}`,
  ]
}

function greet(session: Session, argument: string, extended: boolean): Reply {
  const name = parseHelloArgument(argument)
  if (!name.ok) return name.reply
  session.reset()
  session.hello = name.value
  session.extended = extended
  session.screening?.hello(name.value)
  const { hostname } = session.options
  return extended ? reply(250, null, hostname, ...offers(session)) : reply(250, null, hostname)
}

export const helo = {
  verb: 'HELO',
  rfc: 'RFC 5321 §4.1.1.1',
  syntax: 'HELO host',
  services: ['smtp', 'submission', 'submissions', 'odmr'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run: (session, argument) => greet(session, argument, false),
} as const satisfies Command

export const ehlo = {
  verb: 'EHLO',
  rfc: 'RFC 5321 §4.1.1.1',
  syntax: 'EHLO host',
  services: ['smtp', 'submission', 'submissions', 'odmr'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run: (session, argument) => greet(session, argument, true),
} as const satisfies Command

export const lhlo = {
  verb: 'LHLO',
  rfc: 'RFC 2033 §4.1',
  syntax: 'LHLO host',
  services: ['lmtp'],
  needsHello: false,
  needsAuth: false,
  idle: true,
  run: (session, argument) => greet(session, argument, true),
} as const satisfies Command
