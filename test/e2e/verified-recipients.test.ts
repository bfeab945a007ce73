/** A server in front of an office's own, which is asked at RCPT whether it takes a recipient. */
import { ScriptedServer } from '@pennypost/smtp/scripted-server'
import { expect, test } from 'vitest'
import { openDialogue } from './full-disk-dialogue.ts'
import { eventually, type Instance, startInstance, throughHop } from './instance.ts'

/** Knows bob, and puts dan off; once we are on its list, it takes nobody from us. */
const office = (list = { hasUs: false }): ScriptedServer =>
  new ScriptedServer({
    capabilities: ['ENHANCEDSTATUSCODES'],
    script: {
      RCPT: (argument) => {
        if (list.hasUs) return '550 5.7.1 You are listed'
        if (argument.startsWith('TO:<bob@')) return undefined
        return argument.startsWith('TO:<dan@') ? '450 4.7.1 Greylisted' : '550 5.1.1 Who is that?'
      },
    },
  })

async function inFrontOf(target: string): Promise<Instance> {
  const at = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: throughHop(9) })
  const domain = { name: 'office.test', kind: 'relay', target, catchAll: '' } as const
  await at.server.store.directory.addDomain({ ...domain, verifyRecipients: true })
  return at
}

const letter = Buffer.from('From: x@elsewhere.test\r\nSubject: hello\r\n\r\nhi\r\n')

/** The newest journey, as far as it tells of the question and what came of it. */
async function told({ server: { store } }: Instance): Promise<string[]> {
  const [id] = await store.flow.recent(1)
  const events = (await store.flow.journey(id!))?.events ?? []
  return events.flatMap((event) => {
    if (event.kind === 'verified') return [`${event.answer} ${event.reply}`]
    return event.kind === 'refused' || event.kind === 'delivered' ? [`${event.kind} ${event.reply}`] : []
  })
}

test('a backup MX took mail for everybody, and sent bounces to senders who were none', async () => {
  const list = { hasUs: false }
  await using hop = office(list)
  await using at = await inFrontOf(`127.0.0.1:${await hop.listen()}`)
  using smtp = await openDialogue(at.port('smtp'), 'EHLO client.test')
  const words = '550 5.1.1 <eve@office.test>: its server says 550 5.1.1 Who is that?'
  expect(await smtp.deliver('eve@office.test', letter)).toBe(`${words}\r\n`)
  await expect.poll(() => told(at)).toEqual(['refused 550 5.1.1 Who is that?', `refused ${words}`])
  expect(await smtp.deliver('bob@office.test', letter)).toMatch(/^250 /)
  await eventually(async () => hop.transactions.length === 1 || undefined, 'the letter to bob arrives')
  const journey = await eventually(async () => {
    const events = await told(at)
    return events.length > 1 ? events : undefined
  }, 'the journey tells of it')
  expect(journey).toEqual(['known 250 2.1.5 Ok', expect.stringMatching(/^delivered 250 /)])
  expect(await smtp.deliver('dan@office.test', letter)).toMatch(/^250 /)
  expect((await told(at))[0]).toBe('unsaid 450 4.7.1 Greylisted')
  list.hasUs = true
  const putOff = '450 4.7.1 <staff@office.test>: its server says 550 5.7.1 You are listed'
  expect(await smtp.deliver('staff@office.test', letter)).toBe(`${putOff}\r\n`)
  await expect.poll(() => told(at)).toEqual(['refused-us 550 5.7.1 You are listed', `refused ${putOff}`])
  const questions = hop.sessions.flatMap(({ commands }) => commands.filter((line) => line === 'MAIL FROM:<>'))
  expect(questions).toHaveLength(6)
})

test('while the server of the office is down, mail for it is taken', async () => {
  await using at = await inFrontOf('127.0.0.1:1')
  using smtp = await openDialogue(at.port('smtp'), 'EHLO client.test')
  for (const to of ['bob@office.test', 'eve@office.test']) expect(await smtp.deliver(to, letter)).toMatch(/^250 /)
  expect((await told(at))[0]).toMatch(/^unsaid 451 4\.4\.1 /)
})
