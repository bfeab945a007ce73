import { type MailboxId, superiors } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { expect, test, vi } from 'vitest'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import type { HierarchyName } from '../list/hierarchy.ts'
import { compareNames, type Saying } from './compare-names.ts'

type Ids = Record<string, number>

function mailboxes(ids: Ids): Map<string, VisibleMailbox> {
  return new Map(Object.entries(ids).map(([name, id]) => [name, { id: id as MailboxId, name } as VisibleMailbox]))
}

function hierarchy(ids: Ids): Map<string, HierarchyName> {
  const above = new Set(Object.keys(ids).flatMap(superiors))
  const names = new Map<string, HierarchyName>()
  for (const [name, mailbox] of mailboxes(ids)) {
    names.set(name, { name, mailbox, subscribed: false, inHierarchy: true, hasChildren: above.has(name) })
  }
  return names
}

async function said(before: Ids, now: Ids): Promise<string[]> {
  return (await compareNames(mailboxes(before), hierarchy(now), () => true)).map(print)
}

const print = ({ name, old, gone }: Saying): string => (gone ? `-${name}` : old ? `${old}>${name}` : name)

/** What a client that knew the names before makes of it; -1 for a mailbox of which it knows the name alone. */
function taken(before: Ids, sayings: readonly Saying[], now: Ids): Ids {
  const known = { ...before }
  for (const { name, old, gone } of sayings) {
    if (gone) delete known[name]
    else if (old === undefined) {
      if (name in now) known[name] ??= -1
      else delete known[name]
    } else {
      const moved = Object.entries(known).filter(([each]) => each === old || each.startsWith(`${old}/`))
      for (const [each] of moved) delete known[each]
      for (const [each, id] of moved) known[name + each.slice(old.length)] = id
    }
  }
  return known
}

test('what is not seen any more was taken along by the RENAME of its superior', async () => {
  expect(await said({ A: 1, 'A/x': 2, 'A/y': 3 }, { B: 1, 'B/y': 3 })).toEqual(['-A/x', 'A>B'])
})

test('of two mailboxes that changed their names each was told as the other', async () => {
  expect(await said({ A: 1, B: 2 }, { A: 2, B: 1 })).toEqual(['-B', 'A>B', 'A'])
})

test('what stayed where it was while its superior went elsewhere was taken along', async () => {
  expect(await said({ A: 1, 'A/x': 2 }, { B: 1, 'A/x': 2 })).toEqual(['A>B', 'B/x>A/x'])
})

test('a client that takes all of it, one after the other, knows the names of which it wants to know', async () => {
  const random = seededRandom(18)
  const below = (n: number): number => Math.floor(random.fraction() * n)
  const pool = ['A', 'B', 'C', 'A/x', 'A/y', 'B/x', 'B/y', 'A/x/k', 'B/x/k', 'C/x']
  const draw = (): Ids => {
    const ids = Array.from({ length: 8 }, (_, at) => at + 1)
    const drawn: Ids = {}
    for (const name of pool) if (ids.length > 0 && below(3) > 0) drawn[name] = ids.splice(below(ids.length), 1)[0]!
    return drawn
  }
  for (let run = 0; run < 1000; run++) {
    const before = draw()
    const now = below(2) === 0 ? draw() : { ...before }
    for (let at = below(3); at > 0; at--) delete now[pool[below(pool.length)]!]
    const wanted = new Set(pool.filter(() => run % 2 === 0 || below(3) > 0))
    const known = mailboxes(before)
    const sayings = await compareNames(known, hierarchy(now), (name) => wanted.has(name))
    const result = taken(before, sayings, now)
    for (const name of wanted) {
      const id = known.get(name)?.id === now[name] ? now[name] : -1
      expect(result[name], JSON.stringify([name, before, now, sayings])).toBe(name in now ? id : undefined)
    }
  }
})

test('a superior whose inferiors are to have names of others was looked through anew for each of them', async () => {
  const count = 300
  const before: Ids = { A: 1 }
  const now: Ids = { B: 1 }
  for (let at = 2; at <= count; at++) {
    now[`B/${at}`] = before[`A/${at}`] = at
    now[`C${at}`] = before[`B/${at}`] = count + at
  }
  const known = mailboxes(before)
  const get = vi.spyOn(known, 'get')
  expect(await compareNames(known, hierarchy(now), () => true)).toHaveLength(count)
  expect(get.mock.calls.length).toBeLessThan(40 * count)
})
