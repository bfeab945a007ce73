import type { Command } from '../command.ts'
import { mayShowPassword, offeredMechanisms } from './authorization.ts'

/** Commands of both states: CAPA, UTF8, LANG, QUIT. */

export const capa = {
  keyword: 'CAPA',
  rfc: 'RFC 2449 §5',
  states: ['authorization', 'transaction'],
  run(session) {
    const tags = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER']
    if (mayShowPassword(session)) tags.push('USER')
    const mechanisms = offeredMechanisms(session)
    if (mechanisms.length > 0) tags.push(`SASL ${mechanisms.join(' ')}`)
    if (session.options.offersTls && !session.connection.tls) tags.push('STLS')
    tags.push('UTF8 USER', 'LANG', 'IMPLEMENTATION Pennypost')
    session.say(['+OK', ...tags, '.'].join('\r\n'))
  },
} as const satisfies Command

export const utf8 = {
  keyword: 'UTF8',
  rfc: 'RFC 6856 §2.1',
  states: ['authorization'],
  run(session) {
    session.utf8 = true
    session.say('+OK UTF-8 it is')
  },
} as const satisfies Command

export const lang = {
  keyword: 'LANG',
  rfc: 'RFC 6856 §3',
  states: ['authorization', 'transaction'],
  run(session, argument) {
    if (argument === '') return session.say('+OK\r\ni-default English, for everybody\r\nen English\r\n.')
    const known = /^(\*|i-default|en(-.*)?)$/i.test(argument)
    if (known) session.say('+OK en English it is')
    else session.refuse('That language is not available')
  },
} as const satisfies Command

export const quit = {
  keyword: 'QUIT',
  rfc: 'RFC 1939 §6',
  states: ['authorization', 'transaction'],
  async run(session) {
    const { maildrop } = session
    if (!maildrop) return session.end('+OK Bye')
    try {
      const removed = await maildrop.update()
      session.end(removed === 0 ? '+OK Bye' : `+OK ${removed} ${removed === 1 ? 'message' : 'messages'} deleted, bye`)
    } catch (error) {
      session.log.error({ session: session.id, err: error }, 'maildrop not updated')
      session.end('-ERR [SYS/TEMP] Some deleted messages were not removed')
    }
  },
} as const satisfies Command
