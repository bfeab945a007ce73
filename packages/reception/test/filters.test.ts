/** Filters beside the server, against scripted peers: what they are sent, and what becomes of every kind of answer. */
import type { Duplex } from 'node:stream'
import type { Finding } from '@pennypost/message-auth'
import { type Dialer, systemDeadline } from '@pennypost/model'
import { createDuplexPair } from '@pennypost/transport/duplex-pair'
import { describe, expect, test } from 'vitest'
import { createClamav } from '../src/filters/clamav.ts'
import { askFilter, type ContentFilter, type MailToLookAt } from '../src/filters/filter.ts'
import { createHttpHook } from '../src/filters/http-hook.ts'
import { createRspamd } from '../src/filters/rspamd.ts'

const message = Buffer.from(`From: a@two.test\r\nSubject: Grüße\r\n\r\n${'body '.repeat(50_000)}\r\n`)

async function* inPieces(size = 50_001): AsyncGenerator<Buffer> {
  for (let from = 0; from < message.length; from += size) yield message.subarray(from, from + size)
}

const mail: MailToLookAt = {
  journey: 'J1',
  service: 'smtp',
  clientAddress: '192.0.2.7',
  clientName: 'mail.two.test',
  helo: 'mail.two.test',
  account: '',
  reversePath: 'ä@two.test',
  forwardPaths: ['bob@one.test', 'carol@one.test'],
  size: message.length,
  content: () => inPieces(),
  header: message.subarray(0, message.indexOf('\r\n\r\n') + 4),
  findings: [],
}

/** A dialer to a peer that is played by `play`. */
function dialerTo(play: (stream: Duplex) => void): Dialer {
  return {
    async connect() {
      const { client, server } = createDuplexPair()
      for (const end of [client, server]) end.on('error', () => {})
      play(server)
      return client
    },
    secure: () => Promise.reject(new Error('no TLS here')),
  }
}

const refusing: Dialer = {
  connect: () => Promise.reject(new Error('connect ECONNREFUSED')),
  secure: () => Promise.reject(new Error('no TLS here')),
}

const settings = {
  name: 'f',
  services: ['smtp'] as const,
  limitMs: 5_000,
  maxSize: 1_000_000,
  endpoint: { address: '127.0.0.1', port: 1 },
}

const ask = (filter: ContentFilter, facts = mail, signal = new AbortController().signal): Promise<Finding> =>
  askFilter(filter, facts, { deadline: systemDeadline, signal })

/** Takes a whole request by chunks or by length, then answers. */
function httpPeer(answer: string, seen: { request: string } = { request: '' }): (stream: Duplex) => void {
  return (stream) => {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => {
      pieces.push(piece)
      const request = Buffer.concat(pieces)
      const body = request.indexOf('\r\n\r\n') + 4
      const length = Number(/content-length: (\d+)/i.exec(request.toString('latin1', 0, body))?.[1] ?? -1)
      const isWhole =
        length < 0 ? request.subarray(-5).toString('latin1') === '0\r\n\r\n' : request.length - body >= length
      if (body < 4 || !isWhole) return
      seen.request = request.toString('utf8')
      stream.end(answer)
    })
  }
}

const ok = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

describe('rspamd', () => {
  const rspamd = (answer: string, seen?: { request: string }) =>
    createRspamd({ ...settings, hostname: 'mail.one.test', password: 'q1', dialer: dialerTo(httpPeer(answer, seen)) })

  test('is told of the envelope and shown the message', async () => {
    const seen = { request: '' }
    const symbols = { A: { name: 'BAYES_SPAM', score: 5.1 }, B: { name: 'R_SPF_ALLOW', score: -0.2 } }
    const answer = JSON.stringify({ action: 'add header', score: 7.5, required_score: 15, symbols })
    expect(await ask(rspamd(ok(answer), seen))).toEqual({
      check: 'spam',
      result: 'quarantine',
      detail: 'f: add header, 7.5 of 15: BAYES_SPAM 5.1, R_SPF_ALLOW -0.2',
      filter: 'f',
      text: '',
    })
    const [head = '', body] = seen.request.split(/\r\n\r\n(.*)/s)
    expect(head).toContain('POST /checkv2 HTTP/1.1')
    for (const field of ['IP: 192.0.2.7', 'Helo: mail.two.test', 'Hostname: mail.two.test', 'From: <ä@two.test>']) {
      expect(head.split('\r\n')).toContain(field)
    }
    expect(head.match(/^Rcpt: /gm)).toHaveLength(2)
    expect(body).toBe(message.toString('utf8'))
  })

  test.each([
    ['no action', 'accept'],
    ['rewrite subject', 'quarantine'],
    ['greylist', 'defer'],
    ['soft reject', 'defer'],
    ['reject', 'reject'],
  ])('%s is %s', async (action, result) => {
    const found = await ask(rspamd(ok(JSON.stringify({ action, score: 1, required_score: 2 }))))
    expect(found.result).toBe(result)
  })

  test('its own words reach the client', async () => {
    const answer = { action: 'reject', score: 20, required_score: 15, messages: { smtp_message: 'Gtube pattern' } }
    expect(await ask(rspamd(ok(JSON.stringify(answer))))).toMatchObject({ result: 'reject', text: 'Gtube pattern' })
  })

  test.each([
    ['HTTP/1.1 500 Internal\r\nContent-Length: 0\r\n\r\n', /status 500/],
    [ok('not json'), /f: /],
    [ok('[]'), /no object/],
    [ok('{"action":"dance"}'), /unknown action: dance/],
    ['garbage\r\n\r\n', /f: /],
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /status 101/],
    ['', /f: /],
  ])('%j is unavailable', async (answer, detail) => {
    expect(await ask(rspamd(answer))).toMatchObject({ result: 'unavailable', detail: expect.stringMatching(detail) })
  })

  test('an answer without end is not kept', async () => {
    const flood = (stream: Duplex): void => {
      stream.resume()
      stream.write('HTTP/1.1 200 OK\r\n\r\n')
      const go = (): void => {
        if (stream.destroyed) return
        stream.write(Buffer.alloc(65_536, 32))
        setImmediate(go)
      }
      go()
    }
    const filter = createRspamd({ ...settings, hostname: 'x', dialer: dialerTo(flood) })
    expect(await ask(filter)).toMatchObject({
      result: 'unavailable',
      detail: 'f: the answer is longer than 1048576 octets',
    })
  })
})

describe('ClamAV', () => {
  /** Reads the stream as clamd does, then answers. */
  function clamd(answer: string, seen: Buffer[] = []): (stream: Duplex) => void {
    return (stream) => {
      let all = Buffer.alloc(0)
      stream.on('data', (piece: Buffer) => {
        all = Buffer.concat([all, piece])
        const chunks: Buffer[] = []
        let at = 'zINSTREAM\0'.length
        while (at + 4 <= all.length) {
          const length = all.readUInt32BE(at)
          if (length === 0) {
            seen.push(all.subarray(0, 10), Buffer.concat(chunks))
            stream.end(answer)
            return
          }
          if (at + 4 + length > all.length) return
          chunks.push(all.subarray(at + 4, at + 4 + length))
          at += 4 + length
        }
      })
    }
  }
  const clamav = (play: (stream: Duplex) => void) => createClamav({ ...settings, dialer: dialerTo(play) })

  test('gets every octet, and says what it found', async () => {
    const seen: Buffer[] = []
    expect(await ask(clamav(clamd('stream: Win.Test.EICAR_HDB-1 FOUND\0', seen)))).toEqual({
      check: 'virus',
      result: 'infected',
      detail: 'f: Win.Test.EICAR_HDB-1',
      filter: 'f',
      signature: 'Win.Test.EICAR_HDB-1',
    })
    expect(seen[0]?.toString()).toBe('zINSTREAM\0')
    expect(seen[1]?.equals(message)).toBe(true)
  })

  test('finds nothing', async () => {
    expect(await ask(clamav(clamd('stream: OK\0')))).toMatchObject({ result: 'clean' })
  })

  test('a listener stayed for each time that clamd was slower than the message came', async () => {
    let most = 0
    const { connect, secure } = dialerTo(clamd('stream: OK\0'))
    const counting: Dialer = {
      secure,
      async connect(...to) {
        const stream = await connect(...to)
        return stream.on('drain', () => {
          most = Math.max(most, stream.listenerCount('close'))
        })
      },
    }
    const filter = createClamav({ ...settings, dialer: counting })
    const content = async function* () {
      for (let nth = 0; nth < 40; nth++) yield Buffer.alloc(70_000, 'x')
    }
    expect(await ask(filter, { ...mail, content })).toMatchObject({ result: 'clean' })
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(10)
  })

  test('an answer before the end counts, though no more is read', async () => {
    const early = (stream: Duplex): void => {
      stream.once('data', () => stream.end('INSTREAM size limit exceeded. ERROR\0'))
    }
    expect(await ask(clamav(early))).toMatchObject({
      result: 'unavailable',
      detail: 'f: INSTREAM size limit exceeded. ERROR',
    })
  })

  test('one that hangs up, and one that is not there', async () => {
    expect(await ask(clamav((stream) => stream.destroy()))).toMatchObject({ result: 'unavailable' })
    expect(await ask(createClamav({ ...settings, dialer: refusing }))).toMatchObject({
      result: 'unavailable',
      detail: 'f: connect ECONNREFUSED',
    })
  })
})

describe('the hook', () => {
  const hook = (answer: string, seen?: { request: string }, sendsContent = false) =>
    createHttpHook({ ...settings, path: '/mail', sendsContent, dialer: dialerTo(httpPeer(answer, seen)) })

  /** The body of a request in chunks, put together. */
  function bodyOf(request: string): { content?: unknown } {
    let octets = Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4))
    let text = ''
    for (;;) {
      const line = octets.indexOf('\r\n')
      const length = Number.parseInt(octets.toString('latin1', 0, line), 16)
      if (length === 0) return JSON.parse(text) as { content?: unknown }
      text += octets.toString('utf8', line + 2, line + 2 + length)
      octets = octets.subarray(line + 2 + length + 2)
    }
  }

  test('is told everything that is known, and shown the header section', async () => {
    const seen = { request: '' }
    const found = await ask(hook(ok('{"action":"reject","text":"not today"}'), seen))
    expect(found).toEqual({ check: 'hook', result: 'reject', detail: 'f: not today', filter: 'f', text: 'not today' })
    expect(bodyOf(seen.request)).toEqual({
      journey: 'J1',
      service: 'smtp',
      clientAddress: '192.0.2.7',
      clientName: 'mail.two.test',
      helo: 'mail.two.test',
      account: '',
      reversePath: 'ä@two.test',
      forwardPaths: ['bob@one.test', 'carol@one.test'],
      size: message.length,
      findings: [],
      header: mail.header.toString('utf8'),
    })
  })

  test('is shown the content where it wants it', async () => {
    const seen = { request: '' }
    expect(await ask(hook(ok('{"action":"accept"}'), seen, true))).toMatchObject({ result: 'accept' })
    expect(Buffer.from(String(bodyOf(seen.request).content), 'base64').equals(message)).toBe(true)
  })

  test('nonsense is unavailable', async () => {
    expect(await ask(hook(ok('{"action":"explode"}')))).toMatchObject({ result: 'unavailable' })
    expect(await ask(hook(ok('null')))).toMatchObject({ result: 'unavailable' })
  })
})

test('a filter that does not answer is left when its time is over, and when the session ends', async () => {
  const silent = createClamav({ ...settings, limitMs: 20, dialer: dialerTo((stream) => stream.resume()) })
  expect(await ask(silent)).toMatchObject({ result: 'unavailable', detail: 'f: not known after 20 ms' })
  const gone = new AbortController()
  const asking = ask(createClamav({ ...settings, dialer: dialerTo((stream) => stream.resume()) }), mail, gone.signal)
  gone.abort(new Error('the session has ended'))
  expect(await asking).toMatchObject({ result: 'unavailable', detail: 'f: the session has ended' })
})

test('what is too large is not shown', async () => {
  const filter = createClamav({ ...settings, maxSize: 100, dialer: refusing })
  expect(await ask(filter)).toMatchObject({ result: 'skipped' })
})
