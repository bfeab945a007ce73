/** The way of `pennypost sendmail` into the server, over the memory engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { defaultReceptionLimits, type ReceptionOptions } from '@pennypost/reception'
import { createDialer } from '@pennypost/transport'
import { expect, onTestFinished, test } from 'vitest'
import { openLocalSubmissions } from './local-submission.ts'

async function open() {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'pennypost-local-'))
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }))
  const time = { clock: systemClock, deadline: systemDeadline }
  const store = createMemoryStore({ clock: systemClock, random: systemRandom })
  const reception = {
    ...{ hostname: 'mail.one.test', store, ...time, random: systemRandom, log: silentLog, trusted: new Map() },
    mda: {
      expand: async ({ text: forwardPath }: { text: string }) => {
        if (forwardPath.startsWith('nobody')) {
          return { kind: 'refused', reply: { code: 550, enhanced: '5.1.1', text: 'no such mailbox here' } }
        }
        return { kind: 'accepted', deliveries: [{ kind: 'relay', forwardPath, trace: '' }], facts: [] }
      },
    },
    ...{ requireAuth: () => true, offersAuth: () => false, requireTlsForAuth: true },
    ...{ receivedShowsClient: false, rejectBareNewlines: false, sign: async () => '', destination: () => 'two.test' },
    limits: defaultReceptionLimits,
  } as unknown as ReceptionOptions
  const dialer = createDialer({ deadline: systemDeadline })
  const submissions = await openLocalSubmissions({ reception, dataDirectory, dialer, ...time })
  onTestFinished(async () => void (await submissions.close()))
  const submit = (recipients: number, name = 'a') =>
    submissions.submit({
      ...{ reversePath: 'cron@one.test', user: 'cron' },
      forwardPaths: Array.from({ length: recipients }, (_, at) => `${name}${at}@two.test`),
      content: (async function* () {
        yield Buffer.from('From: cron@one.test\r\nSubject: x\r\n\r\nx\r\n')
      })(),
    })
  const queued = async () => {
    let count = 0
    for await (const page of store.queue.list({})) for (const { recipients } of page) count += recipients.length
    return count
  }
  return { submit, queued }
}

test('of more than 100 recipients the first 100 had it, and whoever tried again sent it to them again', async () => {
  const { submit, queued } = await open()
  await submit(150)
  expect(await queued()).toBe(150)
})

test('more recipients than the server takes are refused before anybody has it', async () => {
  const { submit, queued } = await open()
  await expect(submit(1001)).rejects.toMatchObject({ reason: 'limit' })
  expect(await queued()).toBe(0)
})

test('sendmail said of a recipient who is not there that the message was wrong', async () => {
  const { submit } = await open()
  await expect(submit(1, 'nobody')).rejects.toMatchObject({
    reason: 'not-found',
    message: expect.stringContaining('5.1.1'),
  })
})
