import { delimiter, superiors, turnTaking } from '@pennypost/model'
import { type Command, loggedIn } from '../command.ts'
import { listPattern, printMailbox } from '../grammar/mailbox.ts'
import { nameMatcher, namesPerTurn } from '../list/pattern.ts'

/** Subscribed names; with `%`, a name above one is shown as \Noselect though it is not subscribed itself. */
export const lsub = {
  name: 'LSUB',
  rfc: 'RFC 3501 §6.3.9',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    cursor.sp()
    const reference = cursor.astring('Reference')
    cursor.sp()
    const mailbox = cursor.listMailbox()
    return mailbox === '' ? '' : listPattern(reference + mailbox, session.utf8Names)
  },
  async run(session, pattern) {
    if (pattern === '') {
      session.untagged(`LSUB (\\Noselect) "${delimiter}" ""`)
      return undefined
    }
    const matches = nameMatcher([pattern], session.utf8Names)
    const subscribed = await session.service.mail.subscriptions(session.user.id)
    const names = new Map<string, boolean>()
    const turnOfMatching = turnTaking(namesPerTurn([pattern]))
    for (const name of subscribed) {
      const othersTurn = turnOfMatching()
      if (othersTurn) await othersTurn
      if (matches(name)) names.set(name, true)
      else if (pattern.includes('%')) {
        const above = superiors(name).filter((superior) => matches(superior))
        for (const superior of above) names.set(superior, names.get(superior) ?? false)
      }
    }
    const turn = turnTaking()
    for (const [name, itself] of names) {
      const othersTurn = turn()
      if (othersTurn) await othersTurn
      const attributes = itself ? '' : '\\Noselect'
      session.untagged(`LSUB (${attributes}) "${delimiter}" ${printMailbox(name, session.utf8Names)}`)
    }
    return undefined
  },
} satisfies Command<string>
