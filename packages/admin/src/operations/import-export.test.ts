import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type FetchedMessage, flagsOf, UidSet } from '@pennypost/model'
import { lostWithPower } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'
import {
  type FiledMessage,
  findMaildirs,
  findMboxFiles,
  frameTaker,
  MaildirTarget,
  MboxTarget,
  readMaildir,
  readMboxFile,
  uploadOf,
} from '../mail-files/index.ts'

const alice = 'alice@one.test'

async function withAccounts(): Promise<TestAdministration> {
  const admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  for (const login of [alice, 'bob@one.test']) await admin.call('account.add', { login })
  return admin
}

const take = (admin: TestAdministration, messages: () => AsyncIterable<FiledMessage>, login = alice) =>
  admin.call('import', { login }, { upload: () => uploadOf(messages()) })

const nothingElse = (path: string): never => {
  throw new Error(`${path} is no regular file`)
}

async function* literal(...messages: (Partial<FiledMessage> & { text: string })[]): AsyncGenerator<FiledMessage> {
  for (const { text, ...rest } of messages) {
    yield {
      mailbox: 'INBOX',
      flags: [],
      internalDate: { at: 5000, offsetMinutes: 60 },
      content: [Buffer.from(text)],
      ...rest,
    }
  }
}

interface Kept {
  mailbox: string
  content: string
  flags: string[]
  at: number
  uidl: string
}

/** Everything that an account has. */
async function everything(admin: TestAdministration, login = alice): Promise<Kept[]> {
  const { mail, directory } = admin.context.store
  const account = await directory.accountByLogin(login)
  const kept: Kept[] = []
  for (const { id, name, keywords } of await mail.mailboxes(account!.id)) {
    const { uids, flags } = await mail.snapshot(id)
    const rows: FetchedMessage[] = []
    const need = { uidl: true, header: true, body: true }
    for await (const page of mail.fetch(id, UidSet.ofSorted(uids), need)) rows.push(...page)
    for (const [index, row] of rows.entries()) {
      let content = row.header!.toString('latin1') + (row.body?.toString('latin1') ?? '')
      if (!row.body) for await (const octets of mail.readBody(row.message)) content += octets.toString('latin1')
      const own = flagsOf(flags[index] ?? 0, keywords)
      kept.push({ mailbox: name, content, flags: own, at: row.internalDate.at, uidl: row.uidl ?? '' })
    }
  }
  return kept
}

test('an import asks for the mailboxes that it needs, not for all that there are', async () => {
  using admin = await withAccounts()
  const { mail } = admin.context.store
  const { mailboxes } = mail
  let lists = 0
  mail.mailboxes = (account) => {
    lists++
    return mailboxes(account)
  }
  await take(admin, () => literal({ text: 'a', mailbox: 'x/one' }, { text: 'b', mailbox: 'x/two' }, { text: 'c' }))
  expect(lists).toBe(0)
  mail.mailboxes = mailboxes
  expect((await everything(admin)).map(({ mailbox }) => mailbox)).toEqual(['INBOX', 'x/one', 'x/two'])
})

test('hundreds of small messages that come at once do not keep others waiting', async () => {
  using admin = await withAccounts()
  let turns = 0
  const turn = (): void => {
    if (++turns < 10_000) setImmediate(turn)
  }
  setImmediate(turn)
  await take(admin, () => literal(...Array.from({ length: 500 }, (_, at) => ({ text: `Subject: ${at}\n\n` }))))
  expect(turns).toBeGreaterThanOrEqual(20)
  turns = 10_000
})

function write(root: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text, 'latin1')
  }
}

const hasMkfifo = spawnSync('mkfifo', ['--version']).error === undefined

describe('import', () => {
  test('keeps dates, flags and UIDLs, makes mailboxes, mends line ends', async () => {
    using admin = await withAccounts()
    const messages = () =>
      literal(
        { text: 'Subject: a\n\nbare\r\nmixed\rlone', flags: ['\\seen', '\\Recent', 'Work'], uidl: 'u1' },
        { text: 'Subject: b\r\n\r\nnul\0', mailbox: 'Old/2019', internalDate: null },
        { text: 'Subject: c\nDate: Thu, 1 Jan 2015 00:00:00 +0000\n\n', mailbox: 'inbox', internalDate: null },
      )
    expect(await take(admin, messages)).toMatchObject({ imported: 3, skipped: 0, mailboxes: ['INBOX', 'Old/2019'] })
    const [a, c, b] = await everything(admin)
    expect(a).toEqual({
      mailbox: 'INBOX',
      content: 'Subject: a\r\n\r\nbare\r\nmixed\rlone',
      flags: ['\\Seen', 'Work'],
      at: 5000,
      uidl: 'u1',
    })
    expect(c).toMatchObject({ mailbox: 'INBOX', at: Date.UTC(2015, 0, 1) })
    expect(b).toMatchObject({ mailbox: 'Old/2019', content: 'Subject: b\r\n\r\nnul\x80', at: admin.clock.now() })
    const names = (await admin.call('account.show', { login: alice })).mailboxes.map(({ name }) => name)
    expect(names).toContain('Old')
  })

  test('repeated, it adds nothing, yet keeps twins of the source', async () => {
    using admin = await withAccounts()
    const twin = { text: 'Subject: twin\n\nx' }
    const messages = () => literal(twin, twin, { text: 'Subject: other\n\n', uidl: 'u' })
    expect(await take(admin, messages)).toMatchObject({ imported: 3, skipped: 0 })
    // It said that nothing had come into INBOX.
    expect(await take(admin, messages)).toMatchObject({ imported: 0, skipped: 3, mailboxes: [] })
    expect(await take(admin, () => literal(twin, twin, twin))).toMatchObject({ imported: 1, skipped: 2 })
  })

  test('a message was passed over for another with its UIDL: those of two old servers may be but numbers', async () => {
    using admin = await withAccounts()
    const one = { text: 'Subject: one\n\n', uidl: '1' }
    const two = { text: 'Subject: two\n\n', uidl: '1' }
    for (const message of [one, two]) {
      expect(await take(admin, () => literal(message))).toMatchObject({ imported: 1, skipped: 0 })
    }
    for (const message of [one, two]) {
      expect(await take(admin, () => literal(message))).toMatchObject({ imported: 0, skipped: 1 })
    }
    const uidls = (await everything(admin)).map(({ uidl }) => uidl)
    expect([uidls[0], new Set(uidls).size]).toEqual(['1', 2])
  })

  test('twins had one UIDL, and whoever fetches by POP3 got one of them', async () => {
    using admin = await withAccounts()
    const twin = { text: 'Subject: twin\n\n', uidl: 'u' }
    expect(await take(admin, () => literal(twin, twin))).toMatchObject({ imported: 2, skipped: 0 })
    expect(await take(admin, () => literal(twin, twin))).toMatchObject({ imported: 0, skipped: 2 })
    expect(new Set((await everything(admin)).map(({ uidl }) => uidl)).size).toBe(2)
  })

  test('each of several equal messages is its own, with its UIDL or without', async () => {
    using admin = await withAccounts()
    const text = 'Subject: twin\n\n'
    expect(await take(admin, () => literal({ text, uidl: 'a' }))).toMatchObject({ imported: 1, skipped: 0 })
    expect(await take(admin, () => literal({ text, uidl: 'b' }))).toMatchObject({ imported: 1, skipped: 0 })
    const three = () => literal({ text }, { text, uidl: 'a' }, { text, uidl: 'b' })
    expect(await take(admin, three)).toMatchObject({ imported: 1, skipped: 2 })
    expect((await everything(admin)).map(({ uidl }) => uidl).slice(0, 2)).toEqual(['a', 'b'])
  })

  test('an import that breaks off keeps nothing half, and goes on when repeated', async () => {
    using admin = await withAccounts()
    async function* broken(): AsyncGenerator<FiledMessage> {
      for (let n = 0; n < 250; n++) yield* literal({ text: `Subject: ${n}\n\nx` })
      async function* half(): AsyncGenerator<Buffer> {
        yield Buffer.from('Subject: half\n\n')
        throw new Error('the disk was pulled out')
      }
      yield* literal({ text: '', content: half() })
    }
    await expect(take(admin, broken)).rejects.toMatchObject({
      message: expect.stringContaining('After 200 messages: the disk was pulled out'),
      advice: expect.stringContaining('goes on'),
    })
    expect(await everything(admin)).toHaveLength(200)
    async function* whole(): AsyncGenerator<FiledMessage> {
      for (let n = 0; n < 251; n++) yield* literal({ text: `Subject: ${n}\n\nx` })
    }
    expect(await take(admin, whole)).toMatchObject({ imported: 51, skipped: 200 })
  })

  test('a wrong head or mailbox name is told, and nothing stays staged', async () => {
    using admin = await withAccounts()
    await expect(take(admin, () => literal({ text: 'a: b\n\n', mailbox: 'a//b' }))).rejects.toMatchObject({
      reason: 'bad-input',
    })
    async function* noHead() {
      yield { octets: Buffer.from('x') }
    }
    await expect(admin.call('import', { login: alice }, { upload: noHead })).rejects.toMatchObject({
      reason: 'bad-input',
    })
    expect(await everything(admin)).toEqual([])
  })

  test('a full account takes what fits and says so', async () => {
    using admin = await withAccounts()
    await admin.call('account.set', { login: alice, quota: 100 })
    await expect(take(admin, () => literal({ text: `a: b\n\n${'x'.repeat(200)}` }))).rejects.toMatchObject({
      reason: 'limit',
      advice: expect.stringContaining('quota'),
    })
  })

  test('an account that is full after some messages is told as full, not as failed', async () => {
    using admin = await withAccounts()
    await admin.call('account.set', { login: alice, quota: 1000 })
    const messages = () => literal({ text: 'a: b\n\n' }, { text: `c: d\n\n${'x'.repeat(2000)}`, mailbox: 'Other' })
    await expect(take(admin, messages)).rejects.toMatchObject({
      reason: 'limit',
      message: expect.stringContaining('After 1 message:'),
      advice: expect.stringMatching(/quota.*goes on/),
    })
  })
})

describe('mbox', () => {
  test('flags, dates and UIDLs are read from its fields, which are taken out', async () => {
    using admin = await withAccounts()
    write(admin.directory, {
      Inbox: `From MAILER-DAEMON Thu Nov 26 09:30:00 2026
X-IMAP: 123 4
Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA

internal

From carol@two.test Thu Nov 26 09:30:00 2026
Subject: one
Status: RO
X-Status: AF
X-Keywords: Work Later
X-UIDL: abc
X-UID: 7

body
>From quoted

From x
Subject: two
Status: open


`,
    })
    const messages = () => readMboxFile(join(admin.directory, 'Inbox'), 'INBOX')
    expect(await take(admin, messages)).toMatchObject({ imported: 2 })
    const [one, two] = await everything(admin)
    expect(one).toEqual({
      mailbox: 'INBOX',
      content: 'Subject: one\r\n\r\nbody\r\nFrom quoted\r\n',
      flags: ['\\Answered', '\\Flagged', '\\Seen', 'Work', 'Later'],
      at: Date.UTC(2026, 10, 26, 9, 30),
      uidl: 'abc',
    })
    expect(two?.content).toBe('Subject: two\r\nStatus: open\r\n\r\n')
    expect(await take(admin, messages)).toMatchObject({ imported: 0, skipped: 2 })
  })

  test('a tree as Thunderbird keeps it becomes mailboxes', async () => {
    using admin = await withAccounts()
    const mbox = 'From - Thu Nov 26 09:30:00 2026\nSubject: x\n\nx\n'
    write(admin.directory, {
      'mail/Inbox': mbox,
      'mail/Inbox.msf': '// mork',
      'mail/Archives.sbd/2024.mbox': mbox,
      'mail/.hidden': mbox,
      'mail/empty': '',
    })
    symlinkSync('127.0.1.1:+4711', join(admin.directory, 'mail', 'lock'))
    symlinkSync('itself', join(admin.directory, 'mail', 'itself'))
    const files = await findMboxFiles(join(admin.directory, 'mail'))
    expect(files.map(({ mailbox }) => mailbox)).toEqual(['Archives/2024', 'Inbox'])
  })

  test('names that Dovecot and Thunderbird had spelled as IMAP does were kept in that spelling', async () => {
    using admin = await withAccounts()
    const mbox = 'From - Thu Nov 26 09:30:00 2026\nSubject: x\n\nx\n'
    write(admin.directory, { 'mail/Gel&APY-scht.sbd/R&D-Team': mbox, 'mail/Größe': mbox })
    const files = await findMboxFiles(join(admin.directory, 'mail'))
    expect(files.map(({ mailbox }) => mailbox)).toEqual(['Gelöscht/R&D-Team', 'Größe'])
  })

  test('a body of many pieces is not held, and comes whole', async () => {
    using admin = await withAccounts()
    const line = `${'y'.repeat(999)}\n`
    write(admin.directory, { big: `From a Thu Nov 26 09:30:00 2026\nSubject: big\n\n${line.repeat(3000)}` })
    await take(admin, () => readMboxFile(join(admin.directory, 'big'), 'INBOX'))
    const [big] = await everything(admin)
    expect(big?.content.length).toBe('Subject: big\r\n\r\n'.length + 3000 * 1001)
  })
})

describe('Maildir', () => {
  test('folders, flags, keywords, dates and UIDLs are read', async () => {
    using admin = await withAccounts()
    const root = join(admin.directory, 'Maildir')
    write(root, {
      'cur/1600000002.b.host,S=20:2,FSa': 'Subject: second\n\n',
      'cur/1600000001.a.host:2,': 'Subject: first\n\n',
      'new/1600000003.c.host': 'Subject: third\n\n',
      'dovecot-keywords': '0 Work\n',
      'dovecot-uidlist': '3 V1700000000 N9 Gabc\n5 P00kept :1600000002.b.host,S=20\n3 :1600000001.a.host\n',
      '.Gel&APY-scht.2019/cur/1500000000.d:2,T': 'Subject: folder\n\n',
      'Nested/Deep/cur/1500000001.e:2,S': 'Subject: nested\n\n',
      '.Empty/cur/.keep': '',
      'tmp/junk': 'x',
    })
    for (const name of ['cur/1600000001.a.host:2,', 'cur/1600000002.b.host,S=20:2,FSa'])
      utimesSync(join(root, name), 1600, 1600.7)
    const folders = await findMaildirs(root)
    expect(folders.map(({ mailbox }) => mailbox)).toEqual(['Empty', 'Gelöscht/2019', 'INBOX', 'Nested/Deep'])
    async function* all() {
      for (const folder of folders) yield* readMaildir(folder, nothingElse)
    }
    expect(await take(admin, all)).toMatchObject({ imported: 5 })
    const found = await everything(admin)
    const line = ({ mailbox, content, flags, uidl }: Kept) =>
      [mailbox, content.slice(9).trim(), flags.join(), uidl].join(' ')
    expect(found.map(line).sort()).toEqual([
      expect.stringMatching(/^Gelöscht\/2019 folder \\Deleted \d+\.\d+$/),
      'INBOX first  000000036553f100',
      'INBOX second \\Flagged,\\Seen,Work 00kept',
      expect.stringMatching(/^INBOX third {2}\d+\.\d+$/),
      expect.stringMatching(/^Nested\/Deep nested \\Seen/),
    ])
    expect(found.find(({ uidl }) => uidl === '00kept')?.at).toBe(1_600_000)
    expect(await take(admin, all)).toMatchObject({ imported: 0, skipped: 5 })
  })

  test('folders without mail were not made', async () => {
    using admin = await withAccounts()
    const mailboxes = ['INBOX', 'Plans/2027', '/', '']
    await admin.call('import', { login: alice, mailboxes }, { upload: () => uploadOf(literal()) })
    const { mail, directory } = admin.context.store
    const account = await directory.accountByLogin(alice)
    expect(await mail.mailboxByName(account!.id, 'Plans/2027')).toMatchObject({ name: 'Plans/2027' })
  })

  test('names of directories in each other were kept as Dovecot spells them (LAYOUT=fs)', async () => {
    using admin = await withAccounts()
    const root = join(admin.directory, 'Maildir')
    const names = ['', 'Gel&APY-scht/A &- B/', 'Gel&APY-scht/Größe/', 'R&D-Team/']
    write(root, Object.fromEntries(names.map((name) => [`${name}cur/.keep`, ''])))
    const mailboxes = (await findMaildirs(root)).map(({ mailbox }) => mailbox)
    expect(mailboxes).toEqual(['Gelöscht/A & B', 'Gelöscht/Größe', 'INBOX', 'R&D-Team'])
  })

  test.skipIf(!hasMkfifo)('a pipe in it kept the import waiting for ever (needs mkfifo)', async () => {
    using admin = await withAccounts()
    const root = join(admin.directory, 'Maildir')
    write(root, { 'cur/1.a:2,': 'Subject: a\n\n', 'new/2.b': 'Subject: b\n\n', 'cur/directory/file': '' })
    execFileSync('mkfifo', [join(root, 'cur', 'pipe')])
    // One that led nowhere ended the import.
    symlinkSync('nowhere', join(root, 'cur', 'link'))
    const others: string[] = []
    const all = () => readMaildir({ path: root, mailbox: 'INBOX' }, (path) => others.push(path))
    expect(await take(admin, all)).toMatchObject({ imported: 2 })
    expect(others).toEqual(['directory', 'link', 'pipe'].map((name) => join(root, 'cur', name)))
  })

  test('folders that symbolic links lead to were left out without a word', async () => {
    using admin = await withAccounts()
    const root = join(admin.directory, 'Maildir')
    write(root, { 'cur/1.a:2,': 'Subject: a\n\n', 'new/.keep': '', '../elsewhere/cur/2.b:2,': 'Subject: b\n\n' })
    symlinkSync('../elsewhere', join(root, '.Archive'))
    symlinkSync('.', join(root, 'round'))
    symlinkSync('nowhere', join(root, '.Gone'))
    // One that leads to itself, or through a file, ended the import.
    symlinkSync('.Itself', join(root, '.Itself'))
    symlinkSync('new/.keep/below', join(root, '.Below'))
    expect((await findMaildirs(root)).map(({ mailbox }) => mailbox)).toEqual(['Archive', 'INBOX'])
  })
})

describe('export', () => {
  const sources = () =>
    literal(
      { text: 'Subject: a\r\n\r\nFrom x\r\n>From y\r\nend', flags: ['\\Seen', 'Work'], uidl: 'u1' },
      { text: `Subject: b\r\n\r\n${'z'.repeat(300_000)}\r\n`, mailbox: 'Arch.ive/Größe', flags: ['\\Draft'] },
      { text: 'Subject: c\r\n\r\n', flags: ['\\Answered', '\\Flagged', '\\Deleted'] },
      // From mbox files it did not come back.
      { text: 'Subject: d\r\n\r\n', mailbox: '.Projects/.secret' },
    )

  test('to mbox files and back gives the same mail in another account', async () => {
    using admin = await withAccounts()
    await take(admin, sources)
    const directory = join(admin.directory, 'out')
    const target = new MboxTarget(directory, false)
    const onFrame = frameTaker(target)
    expect(await admin.call('export', { login: alice }, { onFrame })).toMatchObject({ messages: 4 })
    await target.finish()
    expect(existsSync(join(directory, 'INBOX.mbox.part'))).toBe(false)
    async function* back() {
      for (const { path, mailbox } of await findMboxFiles(directory)) yield* readMboxFile(path, mailbox)
    }
    await take(admin, back, 'bob@one.test')
    const plain = (kept: Kept[]) =>
      kept.map((each) => ({ ...each, content: each.content.replace(/([^\n])$/, '$1\r\n') }))
    expect(plain(await everything(admin, 'bob@one.test'))).toEqual(plain(await everything(admin)))
    const again = frameTaker(new MboxTarget(directory, false))
    await expect(admin.call('export', { login: alice }, { onFrame: again })).rejects.toMatchObject({ reason: 'exists' })
  })

  test('to Maildir and back gives the same octets, and repeating it follows flags and new mail', async () => {
    using admin = await withAccounts()
    await take(admin, sources)
    const directory = join(admin.directory, 'Maildir')
    const run = async () => {
      const target = new MaildirTarget(directory)
      await admin.call('export', { login: alice }, { onFrame: frameTaker(target) })
      await target.finish()
    }
    await run()
    async function* back() {
      for (const folder of await findMaildirs(directory)) yield* readMaildir(folder, nothingElse)
    }
    await take(admin, back, 'bob@one.test')
    expect(await everything(admin, 'bob@one.test')).toEqual(await everything(admin))

    const { mail, directory: accounts } = admin.context.store
    const [inbox] = await mail.mailboxes((await accounts.accountByLogin(alice))!.id)
    await mail.updateFlags(inbox!.id, { uids: UidSet.of(1), mode: 'add', flags: ['\\Flagged'] })
    await take(admin, () => literal({ text: 'Subject: later\r\n\r\n' }))
    const before = statSync(join(directory, 'cur', readdirSync(join(directory, 'cur'))[0]!)).ino
    await run()
    const names = readdirSync(join(directory, 'cur')).sort()
    expect(names.map((name) => name.replace(/.*:2,/, ''))).toEqual(['FSa', 'FRT', ''])
    expect(statSync(join(directory, 'cur', names[0]!)).ino).toBe(before)
    expect(readFileSync(join(directory, 'dovecot-keywords'), 'utf8')).toBe('0 Work\n')
  })

  test('mail whose account was removed after its export was gone from the export after a loss of power', async () => {
    using admin = await withAccounts()
    await take(admin, sources)
    for (const target of [
      new MboxTarget(join(admin.directory, 'out'), false),
      new MaildirTarget(join(admin.directory, 'Maildir')),
    ]) {
      const lost = await lostWithPower(admin.directory, async () => {
        await admin.call('export', { login: alice }, { onFrame: frameTaker(target) })
        await target.finish()
      })
      // Not where messages were written before they got their names, nor files that are empty.
      expect(lost.filter((path) => !/\/tmp\/|\.part$|\/maildirfolder$/.test(path))).toEqual([])
    }
  })

  test('never writes into a Maildir that somebody else uses', async () => {
    using admin = await withAccounts()
    write(admin.directory, { 'Maildir/cur/1600000001.a.host:2,S': 'Subject: theirs\n\n' })
    const onFrame = frameTaker(new MaildirTarget(join(admin.directory, 'Maildir')))
    await expect(admin.call('export', { login: alice }, { onFrame })).rejects.toMatchObject({ reason: 'exists' })
  })

  test('one mailbox, or a clear word that there is none such', async () => {
    using admin = await withAccounts()
    await take(admin, sources)
    const file = join(admin.directory, 'one.mbox')
    const target = new MboxTarget(file, true)
    const result = await admin.call('export', { login: alice, mailbox: 'inbox' }, { onFrame: frameTaker(target) })
    await target.finish()
    expect(result).toMatchObject({ mailboxes: 1, messages: 2 })
    expect(readFileSync(file, 'latin1').match(/^From MAILER-DAEMON/gm)).toHaveLength(2)
    await expect(admin.call('export', { login: alice, mailbox: 'No' })).rejects.toMatchObject({ reason: 'not-found' })
  })
})
