/** The way of `pennypost sendmail` into the server, over the memory engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { NoServer } from '@pennypost/admin/client'
import { silentLog, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { defaultReceptionLimits, type ReceptionOptions } from '@pennypost/reception'
import { createDialer } from '@pennypost/transport'
import { expect, onTestFinished, test } from 'vitest'
import { submissionSocket } from '../config/place.ts'
import { sendmailSession } from '../verbs/sendmail-session.ts'
import { openLocalSubmissions } from './local-submission.ts'

const refusals = [
  { name: 'nobody', code: 550, enhanced: '5.1.1', lines: ['no such mailbox here'] },
  { name: 'full', code: 452, enhanced: '4.2.2', lines: ['mailbox full'] },
  { name: 'closed', code: 550, enhanced: '5.7.1', lines: ['not for you'] },
]

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `a${at}@two.test`)

async function open() {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'pennypost-local-'))
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }))
  const time = { clock: systemClock, deadline: systemDeadline }
  const store = createMemoryStore({ clock: systemClock, random: systemRandom })
  const reception = {
    hostname: 'mail.one.test',
    store,
    ...time,
    random: systemRandom,
    log: silentLog,
    trusted: new Map(),
    mda: {
      expand: async ({ text: forwardPath }: { text: string }) => {
        const refusal = refusals.find(({ name }) => forwardPath.startsWith(name))
        if (refusal) return { kind: 'refused', reply: refusal }
        return { kind: 'accepted', deliveries: [{ kind: 'relay', forwardPath, trace: '' }], facts: [] }
      },
    },
    requireAuth: () => true,
    offersAuth: () => false,
    requireTlsForAuth: true,
    receivedShowsClient: false,
    rejectBareNewlines: false,
    sign: async () => '',
    destination: () => 'two.test',
    limits: defaultReceptionLimits,
  } as unknown as ReceptionOptions
  const dialer = createDialer({ deadline: systemDeadline })
  const submissions = await openLocalSubmissions({ reception, dataDirectory, dialer, ...time })
  onTestFinished(async () => void (await submissions.close()))
  const submit = (...forwardPaths: string[]) =>
    submissions.submit({
      reversePath: 'cron@one.test',
      user: 'cron',
      forwardPaths,
      content: (async function* () {
        yield Buffer.from('From: cron@one.test\r\nSubject: x\r\n\r\nx\r\n')
      })(),
    })
  const queued = async () => {
    let count = 0
    for await (const page of store.queue.list({})) for (const { recipients } of page) count += recipients.length
    return count
  }
  return { submit, queued, socket: submissionSocket({ dataDirectory }) }
}

test('of more than 100 recipients the first 100 had it, and whoever tried again sent it to them again', async () => {
  const { submit, queued } = await open()
  await submit(...many(150))
  expect(await queued()).toBe(150)
})

test('more recipients than the server takes are refused before anybody has it', async () => {
  const { submit, queued } = await open()
  await expect(submit(...many(1001))).rejects.toMatchObject({ reason: 'limit' })
  expect(await queued()).toBe(0)
})

test('sendmail said of a recipient who is not there that the message was wrong', async () => {
  const { submit } = await open()
  await expect(submit('nobody@two.test')).rejects.toMatchObject({
    reason: 'not-found',
    message: expect.stringContaining('5.1.1'),
  })
})

test('of several recipients the first that was refused was named alone, and the others had it without a word', async () => {
  const { submit, queued } = await open()
  const outcome = await submit('a@two.test', 'nobody@two.test', 'full@two.test', 'b@two.test', 'nobody2@two.test')
  expect(await queued()).toBe(2)
  const text = '550 5.1.1 no such mailbox here'
  expect(outcome).toEqual({
    journey: expect.any(String),
    refused: [
      { forwardPath: 'nobody@two.test', reason: 'not-found', text },
      { forwardPath: 'full@two.test', reason: 'unavailable', text: '452 4.2.2 mailbox full' },
      { forwardPath: 'nobody2@two.test', reason: 'not-found', text },
    ],
  })
})

test('where nobody has it, whoever may have it later is told apart from who never will', async () => {
  const { submit } = await open()
  expect(await submit('nobody@two.test', 'full@two.test')).toMatchObject({
    refused: [{ reason: 'not-found' }, { reason: 'unavailable' }],
  })
  await expect(submit('nobody@two.test', 'closed@two.test', 'nobody2@two.test')).rejects.toMatchObject({
    reason: 'bad-input',
    message: `Not taken for <nobody@two.test>, <nobody2@two.test>: 550 5.1.1 no such mailbox here
Not taken for <closed@two.test>: 550 5.7.1 not for you`,
  })
})

/** What `sendmail -bs` answers to this input. */
async function talk(socket: string, ...said: string[]): Promise<string> {
  const input = new PassThrough()
  const output = new PassThrough()
  for (const piece of said) input.write(piece)
  input.end()
  const answer = text(output)
  await sendmailSession(socket, input, output)
  output.end()
  return answer
}

test('the mailers of PHP frameworks, which speak SMTP with sendmail -bs, could send nothing', async () => {
  const { socket, queued } = await open()
  // As Symfony has it, in one piece: each reply is there before the end.
  const letter = 'DATA\r\nSubject: x\r\n\r\n..\r\n.\r\n'
  const to = 'RCPT TO:<nobody@two.test>\r\nRCPT TO:<bob@two.test>\r\n'
  const said = `EHLO [127.0.0.1]\r\nMAIL FROM:<www@one.test>\r\n${to}${letter}QUIT\r\n`
  const codes = (await talk(socket, said)).split('\r\n').flatMap((line) => /^\d{3}(?= )/.exec(line) ?? [])
  expect(codes).toEqual(['220', '250', '250', '550', '250', '354', '250', '221'])
  expect(await queued()).toBe(1)
  expect(await talk(socket, 'NOOP\r\n')).toMatch(/^220 .*\r\n250 .*\r\n$/)
  await expect(talk(`${socket}.none`, '')).rejects.toBeInstanceOf(NoServer)
})

test('a script, which ends its lines with LF, had its message taken for one that does not end', async () => {
  const { socket, queued } = await open()
  const said = 'EHLO x\nMAIL FROM:<www@one.test>\nRCPT TO:<bob@two.test>\nDATA\nSubject: x\n\n..\r\n.\nQUIT\n'
  expect(await talk(socket, said)).toMatch(/\r\n250 2\.0\.0 Ok: queued as \w+\r\n221 [^\n]*\r\n$/)
  // However it is cut.
  expect(await talk(socket, ...said)).toMatch(/\r\n250 2\.0\.0 Ok: queued as \w+\r\n221 [^\n]*\r\n$/)
  expect(await queued()).toBe(2)
})
