import { writeSync } from 'node:fs'
import {
  type AccountId,
  createJourneyId,
  type MailboxId,
  silentLog,
  systemClock,
  systemDeadline,
  systemRandom,
  UidSet,
} from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import { openSqliteStore } from '../src/index.ts'

/**
 * Writes to a store as fast as it can and says on standard output what was acknowledged, until somebody kills it:
 * `node crash-child.ts DIRECTORY WRITER KEEPER SEARCH`.
 */
const [, , directory = '', writer = '', keeper = '', search = ''] = process.argv
const store = await openSqliteStore({
  directory,
  clock: systemClock,
  deadline: systemDeadline,
  random: systemRandom,
  log: silentLog,
  searchThread: new URL(search),
  workers: { writer: new URL(writer), keeper: new URL(keeper) },
  limits: { inlineOctets: 4096, checkpointFrames: 64, searchIndexDelayMs: 0 },
})
const { id: account } = (await store.directory.accountByLogin('alice@one.test')) as { id: AccountId }
const inbox = (await store.mail.mailboxes(account))[0]?.id as MailboxId
// What it gets is indexed.
store.mail.watch(account, () => {})
/** At once, so that what was said is known to the parent whenever it kills; a full pipe is waited for. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

async function accept(n: number): Promise<void> {
  const journey = createJourneyId(systemClock.now(), systemRandom)
  // Every fifth is large enough for a file.
  const message = await sampleMessage(store.mail, `Subject: ${n}\n\n${'body\n'.repeat(n % 5 ? 10 : 2000)}`)
  const delivery = Buffer.from('Return-Path: <>\r\n')
  await store.mail.accept([
    {
      journey,
      acceptedAt: systemClock.now(),
      reversePath: '',
      message,
      memory: [],
      flow: [],
      filings: [{ account, mailbox: 'INBOX', delivery, flags: [], forwardPaths: ['alice@one.test'] }],
      queue:
        n % 3
          ? []
          : [
              {
                destination: `d${n % 7}.test`,
                route: 'remote',
                envelope: { reversePath: '', smtpUtf8: false, requireTls: false, autoSubmitted: false },
                recipients: [{ forwardPath: 'bob@two.test' }],
              },
            ],
    },
  ])
  say(`accepted ${journey}`)
}

async function change(n: number): Promise<void> {
  const { uidNext = 1 } = (await store.mail.mailbox(inbox)) ?? {}
  const uids = UidSet.of(1 + (n % uidNext), 1 + ((n * 7) % uidNext))
  await store.mail.updateFlags(inbox, { uids, mode: n % 2 ? 'add' : 'remove', flags: ['\\Seen', `key${n % 5}`] })
  const { highestModSeq = 0 } = (await store.mail.mailbox(inbox)) ?? {}
  say(`modseq ${highestModSeq}`)
}

for (let n = 0; ; n += 4) await Promise.all([accept(n), accept(n + 1), accept(n + 2), change(n)])
