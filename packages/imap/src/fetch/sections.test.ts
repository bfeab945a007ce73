import type { FetchedMessage } from '@pennypost/model'
import { expect, test } from 'vitest'
import type { Section } from '../grammar/section.ts'
import type { Session } from '../session/session.ts'
import { Octets } from './octets.ts'
import { sectionOctets } from './sections.ts'

test('a header in UTF-8 was put in ASCII for each item, and again before it was written', () => {
  const header = Buffer.from('Subject: ü\r\n\r\n')
  const row = { message: 1, size: header.length, header } as unknown as FetchedMessage
  const session = { utf8Messages: false } as Session
  const shown = (text: Section['text']) => {
    const octets = sectionOctets(session, row, { part: [], text, fields: [] })
    return octets instanceof Octets ? octets.stretches[0] : undefined
  }
  expect(String(shown('HEADER'))).toBe('Subject: =?utf-8?Q?=C3=BC?=\r\n\r\n')
  expect(shown('ALL')).toBe(shown('HEADER'))
})
