import { describe, expect, test } from 'vitest'
import { parseSendmailArguments } from './sendmail-arguments.ts'
import {
  argumentRecipients,
  completeHeader,
  headerRecipients,
  normalizeInput,
  splitMessage,
} from './sendmail-message.ts'

const parse = (line: string) => parseSendmailArguments(line.split(' ').filter((word) => word !== ''))

describe('arguments of sendmail', () => {
  test.each([
    // cron, PHP, git send-email, mutt, logwatch as they call it.
    ['-FCronDaemon -i -B8BITMIME -oem alice', { senderName: 'CronDaemon', ignoreDots: true, recipients: ['alice'] }],
    ['-t -i', { fromHeader: true, ignoreDots: true, recipients: [] }],
    ['-i a@one.test b@one.test', { recipients: ['a@one.test', 'b@one.test'] }],
    [
      '-oem -oi -f alice@one.test -- -odd@one.test',
      { sender: 'alice@one.test', ignoreDots: true, recipients: ['-odd@one.test'] },
    ],
    ['-ti -f<bob@one.test>', { sender: 'bob@one.test', fromHeader: true, ignoreDots: true }],
    ['-f <> x', { sender: '', recipients: ['x'] }],
    ['-o i -odb -N never -R hdrs x', { ignoreDots: true, recipients: ['x'] }],
    ['-bs', { mode: 'smtp-session' }],
    ['-bp', { mode: 'list-queue' }],
    ['-q30m', { mode: 'run-queue' }],
    ['--config /etc/x.toml -bm x', { configFile: '/etc/x.toml', mode: 'deliver' }],
  ] as const)('%s', (line, expected) => {
    expect(parse(line)).toMatchObject(expected)
  })

  test('what is none is refused', () => {
    for (const line of ['-Z', '-f', '--verbose', '-bx']) expect(() => parse(line), line).toThrow()
  })
})

describe('message of sendmail', () => {
  const normal = (text: string, ignoreDots = false) => normalizeInput(Buffer.from(text), ignoreDots).toString('latin1')

  test('line ends become CRLF, and a lone dot ends the message unless told otherwise', () => {
    expect(normal('a: b\n\nx\r\ny')).toBe('a: b\r\n\r\nx\r\ny\r\n')
    expect(normal('a: b\n\nx\n.\ny\n')).toBe('a: b\r\n\r\nx\r\n')
    expect(normal('a: b\n\nx\n.\ny\n', true)).toBe('a: b\r\n\r\nx\r\n.\r\ny\r\n')
    expect(normal('a: b\n\n..\n.x\n')).toBe('a: b\r\n\r\n..\r\n.x\r\n')
    expect(normal('.\nx')).toBe('\r\n')
  })

  test('a text without header is a body', () => {
    expect(normal('Job failed: see log\n')).toBe('\r\nJob failed: see log\r\n')
    expect(normal('From root Thu Jan  1 00:00:00 1970\nSubject: x\n\n')).toBe('Subject: x\r\n\r\n')
  })

  test('recipients come from To, Cc and Bcc, folded, grouped, commented, or from their Resent kin', () => {
    const header = Buffer.from(
      'To: "Doe, John" <john@one.test>,\r\n list: a@one.test, b@one.test;\r\nCc: root (admin)\r\nBcc: secret@one.test\r\n\r\n',
    )
    expect(headerRecipients(header)).toEqual(['john@one.test', 'a@one.test', 'b@one.test', 'root', 'secret@one.test'])
    const resent = Buffer.from('To: a@one.test\r\nResent-To: c@one.test\r\nResent-Bcc: d@one.test\r\n\r\n')
    expect(headerRecipients(resent)).toEqual(['c@one.test', 'd@one.test'])
  })

  test('a list of recipients in one argument was taken for one address', () => {
    expect(argumentRecipients('a@one.test, Bob <b@one.test>,root')).toEqual(['a@one.test', 'b@one.test', 'root'])
    for (const one of ['alice', 'a@one.test', '"a b"@one.test', 'a@b@c', ','])
      expect(argumentRecipients(one)).toEqual([one])
  })

  test('a local part in quotes lost them on its way out of the header', () => {
    expect(headerRecipients(Buffer.from('To: "a b"@one.test\r\n\r\n'))).toEqual(['"a b"@one.test'])
  })

  test('a name without an address was MISSING_MAILBOX, whose mail the administrator gets', () => {
    const header = Buffer.from('To: Alice Miller, Bob <>, <>, <@one.test>\r\n\r\n')
    expect(headerRecipients(header)).toEqual(['Alice Miller <@>', 'Bob <@>', '<@one.test>'])
  })

  test('Bcc is taken out, a missing From is set, everything else stays', () => {
    const header = Buffer.from('Subject: x\r\nBCC: a@one.test,\r\n b@one.test\r\nTo: c@one.test\r\n\r\n')
    expect(completeHeader(header, { name: '', address: 'me@one.test' }).toString()).toBe(
      'From: me@one.test\r\nSubject: x\r\nTo: c@one.test\r\n\r\n',
    )
    const own = Buffer.from('From: x@one.test\r\n\r\n')
    expect(completeHeader(own, { name: '', address: 'me@one.test' })).toEqual(own)
    expect(completeHeader(Buffer.from('\r\n'), { name: 'Cron, Daemon', address: 'root@one.test' }).toString()).toBe(
      'From: "Cron, Daemon" <root@one.test>\r\n\r\n',
    )
  })

  test('header and body are told apart, also where one is missing', () => {
    const split = (text: string) => Object.values(splitMessage(Buffer.from(text))).map(String)
    expect(split('a: b\r\n\r\nbody')).toEqual(['a: b\r\n\r\n', 'body'])
    expect(split('\r\nbody\r\n\r\nmore')).toEqual(['\r\n', 'body\r\n\r\nmore'])
    expect(split('a: b\r\n')).toEqual(['a: b\r\n', ''])
  })
})
