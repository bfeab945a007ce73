import { describeReply, type Reply, replies, splitCommandLine, withText } from '@pennypost/smtp'
import type { Outcome } from './command.ts'
import type { Session } from './session.ts'

/**
 * What a line of the client is: a command that its columns let run now, or why it is refused.
 *
 * What must never break: no command sees a session in which its columns say that it may not run.
 * Who calls it: the session, for each line.
 */
export function runCommand(session: Session, line: Buffer): Outcome {
  const { service, options } = session
  if (line.length > options.limits.commandLine && !/^AUTH /i.test(line.toString('latin1', 0, 5))) {
    return replies.lineTooLong
  }
  const split = splitCommandLine(line)
  if (!split.ok) return split.reply
  const { verb, argument } = split.value
  const command = session.commands.get(verb)
  if (!command || (command.services && !command.services.includes(service))) return unknown(verb, argument)
  if (command.needsHello && session.hello === undefined) return sayHelloFirst(session)
  if (command.needsAuth && session.account === undefined && options.requireAuth(service)) {
    const refusal = session.secure || !options.requireTlsForAuth ? replies.authRequired : replies.tlsRequired
    // A device that was set up without its login: nothing else tells why it does not send.
    if (verb === 'MAIL') {
      session.log.info({ remote: session.client.address, argument, reply: describeReply(refusal) }, 'sender refused')
    }
    return refusal
  }
  if (command.bare && argument !== '') return replies.badArgument
  if (command.idle && session.isStranger && session.errors.idled() === 'spent') return replies.tooManyErrors
  return command.run(session, argument)
}

/** Names the hello that the service knows. */
export function sayHelloFirst({ isLmtp }: Session): Reply {
  return isLmtp ? replies.sayLhloFirst : replies.sayHelloFirst
}

function unknown(verb: string, argument: string): Reply {
  if (/^(GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|TRACE|PATCH)$/.test(verb) && / HTTP\/\d/.test(argument)) {
    // A browser made to talk to us: nothing it says is meant for a mail server.
    return withText(replies.serviceUnavailable, 'This is not a web server')
  }
  return replies.unknownCommand
}
