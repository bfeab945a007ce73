import type { Command } from '../command.ts'
import type { MaildropMessage } from '../maildrop.ts'
import type { Session } from '../session.ts'

/** The TRANSACTION state, reading apart (`retrieve.ts`): STAT, LIST, UIDL, DELE, RSET, NOOP. */

/** The message that `argument` numbers, with spaces around it too; refuses and gives undefined when there is none. */
export function numbered(session: Session, argument: string): MaildropMessage | undefined {
  if (!/^ *0*\d{1,10} *$/.test(argument)) {
    session.refuse('A message number is needed')
    return undefined
  }
  const message = session.maildrop?.message(Number(argument))
  if (!message) session.refuse('No such message')
  return message
}

export const stat = {
  keyword: 'STAT',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  run(session) {
    let count = 0
    let octets = 0
    for (const [, message] of session.maildrop?.remaining() ?? []) {
      count++
      octets += message.size
    }
    session.say(`+OK ${count} ${octets}`)
  },
} as const satisfies Command

/** Lines of a listing that are said before the client must have taken them. */
const linesAtOnce = 1000

type Value = (message: MaildropMessage) => string | number

/** LIST and UIDL: one line for one message, or all in a multi-line response. */
function listing(session: Session, argument: string, value: Value): void | Promise<void> {
  if (argument === '') return listAll(session, value)
  const message = numbered(session, argument)
  if (message) session.say(`+OK ${Number(argument)} ${value(message)}`)
}

async function listAll(session: Session, value: Value): Promise<void> {
  session.midResponse = true
  const lines = ['+OK']
  for (const [number, message] of session.maildrop?.remaining() ?? []) {
    lines.push(`${number} ${value(message)}`)
    if (lines.length < linesAtOnce) continue
    session.say(lines.splice(0).join('\r\n'))
    await session.drained()
    if (session.ended) return
  }
  session.say([...lines, '.'].join('\r\n'))
  session.midResponse = false
}

export const list = {
  keyword: 'LIST',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  run: (session, argument) => listing(session, argument, (message) => message.size),
} as const satisfies Command

export const uidl = {
  keyword: 'UIDL',
  rfc: 'RFC 1939 §7',
  states: ['transaction'],
  run: (session, argument) => listing(session, argument, (message) => message.uidl),
} as const satisfies Command

export const dele = {
  keyword: 'DELE',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  run(session, argument) {
    const message = numbered(session, argument)
    if (!message) return
    message.deleted = true
    session.say('+OK Deleted when you QUIT')
  },
} as const satisfies Command

export const rset = {
  keyword: 'RSET',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  run(session) {
    for (const message of session.maildrop?.messages ?? []) message.deleted = false
    session.say('+OK')
  },
} as const satisfies Command

export const noop = {
  keyword: 'NOOP',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  run: (session) => session.say('+OK'),
} as const satisfies Command
