import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/** RFC 1985: a host that is not always there asks for what waits for it. It goes to the host's MX, not to who asks. */
export const etrn = {
  verb: 'ETRN',
  rfc: 'RFC 1985 §5',
  syntax: 'ETRN domain',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: true,
  needsAuth: false,
  idle: true,
  isOffered: (session) => session.options.mayTurn !== undefined,
  async run(session, argument) {
    const { mayTurn } = session.options
    if (!mayTurn) return replies.notImplemented
    if (session.transaction) return replies.badSequence
    const [, node] = /^@?([A-Za-z0-9_.-]{1,255})$/.exec(argument) ?? []
    if (node === undefined) return withText(replies.badArgument, 'Syntax: ETRN domain')
    const { account, client } = session
    try {
      const destinations = await mayTurn(node.toLowerCase(), { address: client.address, account })
      if (!destinations) return reply(459, '4.7.1', `Node ${node} not allowed`)
      return report(node, await wake(session, destinations))
    } catch (error) {
      session.log.error({ err: error }, 'queue not started')
      return replies.etrnUnavailable
    }
  },
} as const satisfies Command

/** Makes what waits for the destinations due now; gives how many entries. */
async function wake({ options }: Session, destinations: readonly string[]): Promise<number> {
  let woken = 0
  for (const destination of destinations) {
    for await (const page of options.store.queue.list({ destination, held: false })) {
      const entries = page.map(({ id }) => id)
      woken += await options.store.queue.retryNow(entries, options.clock.now())
    }
  }
  return woken
}

/** RFC 1985 §5.3 */
function report(node: string, woken: number): Reply {
  return woken === 0
    ? reply(251, '2.0.0', `No messages waiting for node ${node}`)
    : reply(253, '2.0.0', `${woken} pending messages for node ${node} started`)
}
