/** Results that are kept, in mailboxes of many messages. */
import { UidSet } from '@pennypost/model'
import { expect, test } from 'vitest'
import type { SearchFound } from '../extension.ts'
import type { Session } from '../session/session.ts'
import { ResultContexts } from './result-contexts.ts'

test('one expunge looked up every message of every result that is kept', () => {
  const count = 10_000
  let lookUps = 0
  const said: string[] = []
  const uids = Uint32Array.from({ length: count }, (_, index) => index + 1)
  const open = {
    uids,
    count,
    removals: 0,
    indexOf: (uid: number) => {
      lookUps++
      return open.uids.indexOf(uid)
    },
  }
  const told = { modSeq: 1, removals: 0 }
  const selected = { open, uids, count, told, lastUid: count, seqOf: (uid: number) => uid }
  const session = { selected, tag: '', untagged: (text: string) => void said.push(text) }
  const contexts = new ResultContexts()
  const all = UidSet.ofRanges([[1, count]])
  for (let n = 0; n < 3; n++) {
    session.tag = `t${n}`
    const sorted = n === 0 ? { sorted: [...all].reverse(), criteria: [] } : {}
    const found = { by: 'sequence', uids: all, ...sorted } as unknown as SearchFound
    contexts.keep(session as unknown as Session, found, [])
  }
  open.uids = uids.filter((uid) => uid !== 50 && uid !== count)
  open.count = count - 2
  open.removals++
  contexts.tellRemovals(session as unknown as Session)
  expect(said).toEqual([
    `ESEARCH (TAG "t0") REMOVEFROM (1 ${count} ${count - 50} 50)`,
    `ESEARCH (TAG "t1") REMOVEFROM (0 50,${count})`,
    `ESEARCH (TAG "t2") REMOVEFROM (0 50,${count})`,
  ])
  expect(lookUps).toBe(0)
})
