import type { MailboxId } from '@pennypost/model'
import { expect, test } from 'vitest'
import type { HierarchyName } from '../list/hierarchy.ts'
import type { Session } from '../session/session.ts'
import type { Wanted } from './groups.ts'
import { OtherMailboxes } from './other-mailboxes.ts'
import { OwnChanges } from './own-changes.ts'
import { ToldNames } from './told-names.ts'

function named(...names: string[]): Map<string, HierarchyName> {
  return new Map(
    names.map((name, index) => {
      const mailbox = { id: (index + 1) as MailboxId, name } as HierarchyName['mailbox']
      return [name, { name, mailbox, subscribed: false, inHierarchy: true, hasChildren: false }]
    }),
  )
}

test('each change of a name asked a hundred groups about every name of the account, in one go', async () => {
  let asked = 0
  class Asked extends Set<string> {
    override has(name: string): boolean {
      asked++
      return super.has(name)
    }
  }
  const event = { messages: false, flags: false, subscriptions: false, metadata: false, serverMetadata: false }
  const groups: Wanted['groups'] = [
    { filter: 'mailboxes', mailboxes: new Asked(['nowhere']), ...event, names: true },
    { filter: 'subtree', mailboxes: new Asked(['new']), ...event, names: true },
  ]
  const said: string[] = []
  const session = { untagged: (text: string) => void said.push(text), utf8Names: true } as unknown as Session
  const others = new OtherMailboxes(session, groups, new ToldNames(), new OwnChanges(session))
  const before = Array.from({ length: 300 }, (_, index) => `box${index}`)
  const names = named(...before)
  expect(await others.watched(names)).toBe(0)
  others.begin(names, false)
  const more = named(...before, 'new')
  expect(await others.watched(more)).toBe(1)
  asked = 0
  await others.tell(more)
  expect(said).toEqual(['LIST (\\HasNoChildren) "/" new'])
  expect(asked).toBeLessThan(10)
})
