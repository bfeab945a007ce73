/** Called by `large-mailbox.sh`: port, process id, login, password, messages. Prints a table. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as rest } from 'node:timers/promises'
import { cpuOf, memoryOf, percentiles, WireClient } from './wire.ts'

const [port, pid, , , messages] = process.argv.slice(2).map(Number) as [number, number, number, number, number]
const [, , , , login, password] = process.argv as unknown as [string, string, string, string, string, string]
const open = (): Promise<WireClient> => WireClient.open(port, login, password)

console.log('| what | ms | server CPU ms |')
console.log('|---|---|---|')

async function measure(what: string, work: () => Promise<unknown>, times = 1): Promise<void> {
  const cpu = cpuOf(pid)
  const spent: number[] = []
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    await work()
    spent.push(performance.now() - start)
  }
  console.log(`| ${what} | ${percentiles(spent).p50.toFixed(1)} | ${((cpuOf(pid) - cpu) / times).toFixed(1)} |`)
}

await fill()
await latencies()

await sessions()
await commands()
process.exit(0)

/** Letters of 2 KB in threads of ten, two hundred in a command; none when the mailbox has them already. */
async function fill(): Promise<void> {
  const client = await open()
  const count = async (): Promise<number> =>
    Number(/MESSAGES (\d+)/.exec(await client.run('STATUS INBOX (MESSAGES)'))?.[1])
  if ((await count()) === messages) return client.close()
  const body = `${'The quick brown fox jumps over the lazy dog.'.padEnd(70, '.')}\r\n`.repeat(22)
  for (let sent = 0; sent < messages; ) {
    let command = `fill${sent} APPEND INBOX`
    for (let i = 0; i < 200 && sent < messages; i++, sent++) {
      const first = sent - (sent % 10)
      const reference =
        sent === first ? '' : `In-Reply-To: <m${first}@load.test>\r\nReferences: <m${first}@load.test>\r\n`
      const date = new Date(Date.UTC(2026, 0, 1) + ((sent * 7919) % 8_000_000) * 1000)
        .toUTCString()
        .replace('GMT', '+0000')
      const letter = `From: "Sender ${sent % 50}" <sender${sent % 50}@load.test>\r\nTo: ${login}\r\nSubject: ${sent === first ? '' : 'Re: '}topic ${first}\r\nDate: ${date}\r\nMessage-ID: <m${sent}@load.test>\r\n${reference}\r\n${body}`
      command += ` {${letter.length}+}\r\n${letter}`
    }
    client.send(`${command}\r\n`)
    await client.run('NOOP')
  }
  if ((await count()) !== messages) throw new Error('the mailbox has not been filled')
  client.close()
}

/** How long another session's NOOP takes, first alone, then while each of the commands runs. */
async function latencies(): Promise<void> {
  const worker = await open()
  await worker.run('SELECT INBOX')
  const bystander = fork(new URL('./bystander.ts', import.meta.url), [String(port), login, password])
  const [ready] = await once(bystander, 'message')
  if (ready !== 'ready') throw new Error('the bystander does not stand by')
  const commands = [
    '',
    'FETCH 1:* (UID FLAGS)',
    'FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)',
    'FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])',
    'FETCH 1:* (BODY.PEEK[])',
    'SEARCH UNDELETED SINCE 1-Jan-2020',
    'SEARCH HEADER SUBJECT nowhere',
    'SEARCH TEXT nowhere',
    'SORT (REVERSE DATE) UTF-8 ALL',
    'SORT (SUBJECT) UTF-8 ALL',
    'THREAD REFERENCES UTF-8 ALL',
    'THREAD REFERENCES UTF-8 ALL',
    'STORE 1:* +FLAGS.SILENT (\\Answered)',
  ]
  for (const command of commands) {
    bystander.send('begin')
    await (command === '' ? rest(2000) : worker.run(command))
    bystander.send('end')
    const [waits] = (await once(bystander, 'message')) as [number[]]
    const { p50, p99, max } = percentiles(waits)
    const beside = command === '' ? 'alone' : `beside ${command}`
    console.log(`| NOOP ${beside}: p50 / p99 / max | ${p50.toFixed(1)} / ${p99.toFixed(1)} / ${max.toFixed(1)} | |`)
  }
  bystander.kill()
  worker.close()
}

async function sessions(): Promise<void> {
  const before = memoryOf(pid)
  const clients: WireClient[] = []
  for (let i = 0; i < 10; i++) {
    const client = await open()
    await client.run('SELECT INBOX')
    clients.push(client)
  }
  console.log(`| the mailbox open in ten sessions, KB | ${memoryOf(pid) - before} | |`)
  for (const client of clients) client.close()
}

async function commands(): Promise<void> {
  const client = await open()
  await measure('SELECT, warm', () => client.run('SELECT INBOX'), 20)
  await client.run('ENABLE QRESYNC')
  const selected = await client.run('SELECT INBOX')
  const code = (name: string): string => new RegExp(`\\[${name} (\\d+)`).exec(selected)?.[1] ?? ''
  const known = `(${code('UIDVALIDITY')} ${code('HIGHESTMODSEQ')})`
  await measure('SELECT with QRESYNC, nothing changed', () => client.run(`SELECT INBOX (QRESYNC ${known})`), 20)
  for (let i = 1; i <= 100; i++) await client.run(`STORE ${i * 1000} +FLAGS.SILENT (\\Flagged)`)
  await measure('SELECT with QRESYNC, 100 flags changed', () => client.run(`SELECT INBOX (QRESYNC ${known})`), 20)
  let sign = '+'
  const store = (what: string): Promise<string> => {
    sign = sign === '+' ? '-' : '+'
    return client.run(`STORE ${what} ${sign}FLAGS (\\Draft)`)
  }
  await measure('STORE one', () => store('77777'), 200)
  for (const command of [
    'FETCH 1:* (UID FLAGS)',
    'FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)',
    'SEARCH UNDELETED SINCE 1-Jan-2020',
    'SORT (REVERSE DATE) UTF-8 ALL',
    'THREAD REFERENCES UTF-8 ALL',
  ]) {
    await measure(command, () => client.run(command), 3)
  }
  await measure('STORE 1:*', () => store('1:*'), 2)
}
