import { once } from 'node:events'
import { existsSync, linkSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { silentLog } from '@pennypost/model'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { TestAdministration } from '../../test/admin-context.ts'
import { type Operation, operation, type Progress } from '../operation.ts'
import { operations } from '../operations.ts'
import { callAdmin, NoServer } from './client.ts'
import type { Frame } from './frames.ts'
import { type AdminServer, createAdminServer } from './server.ts'

const echo = operation({
  name: 'echo',
  kind: 'read',
  input: z.strictObject({ text: z.string() }),
  async run(_context, { text }, { upload, send, progress }) {
    let octets = 0
    for await (const frame of upload) {
      if ('octets' in frame) octets += frame.octets.length
      await send(frame)
      progress({ done: octets, unit: 'octets' })
    }
    return { text, octets }
  },
})

const broken = operation({
  name: 'broken',
  kind: 'read',
  input: z.strictObject({}),
  run: async () => Promise.reject(new TypeError('x is undefined')),
})

let started: ((signal: AbortSignal) => void) | undefined
const endless = operation({
  name: 'endless',
  kind: 'read',
  input: z.strictObject({}),
  async run(_context, _input, { signal }) {
    started?.(signal)
    if (!signal.aborted) await once(signal, 'abort')
    return {}
  },
})

describe('admin socket', () => {
  let admin: TestAdministration
  let server: AdminServer | undefined
  let path: string

  beforeEach(() => {
    admin = new TestAdministration()
    path = join(admin.directory, 'admin.sock')
  })
  afterEach(async () => {
    await server?.close(AbortSignal.abort())
    server = undefined
    admin[Symbol.dispose]()
  })

  const open = async (more: readonly Operation[] = []): Promise<AdminServer> => {
    const all = [...operations, ...more] as readonly Operation[]
    server = await createAdminServer({ operations: all, context: admin.context, path, log: silentLog })
    return server
  }
  const call = (name: string, input: unknown, options = {}) => callAdmin(path, name, input, 'alice', options)

  test('carries operations, their refusals with advice, and who called', async () => {
    await open()
    await call('domain.add', { name: 'one.test' })
    expect(await call('domain.list', {})).toMatchObject([{ name: 'one.test', accounts: 0 }])
    await expect(call('domain.add', { name: 'one.test' })).rejects.toMatchObject({ reason: 'exists' })
    await expect(call('account.add', { login: 'a@two.test' })).rejects.toMatchObject({
      reason: 'not-found',
      advice: expect.stringContaining('domain list'),
    })
    await expect(call('domain.add', { nam: 1 })).rejects.toMatchObject({ reason: 'bad-input' })
    await expect(call('domain.burn', {})).rejects.toMatchObject({ reason: 'no-such-operation' })
    expect(admin.audited.map(({ actor, outcome }) => `${actor} ${outcome}`)).toEqual([
      'alice done',
      'alice refused',
      'alice refused',
    ])
  })

  test('is open to its owner alone, and gone when it is closed', async () => {
    const opened = await open()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await opened.close(AbortSignal.abort())
    server = undefined
    expect(existsSync(path)).toBe(false)
    await expect(call('domain.list', {})).rejects.toBeInstanceOf(NoServer)
  })

  test('nobody answers an upload either, however much of it there is', async () => {
    async function* upload(): AsyncGenerator<Frame> {
      for (let number = 0; number < 5_000; number++) yield { head: { text: 'x'.repeat(100) } }
    }
    await expect(call('account.import', {}, { upload })).rejects.toBeInstanceOf(NoServer)
  })

  test('streams uploads, answers and progress in both directions at once', async () => {
    await open([echo])
    const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(50_000, index))
    async function* upload(): AsyncGenerator<Frame> {
      for (const octets of pieces) yield { octets }
      yield { end: true }
    }
    const seen: Frame[] = []
    const steps: Progress[] = []
    const result = await call(
      'echo',
      { text: 'hi' },
      {
        upload,
        onFrame: (frame: Frame) => void seen.push(frame),
        onProgress: (at: Progress) => void steps.push(at),
      },
    )
    expect(result).toEqual({ text: 'hi', octets: 2_000_000 })
    expect(seen).toHaveLength(41)
    expect(steps.at(-1)?.done).toBeLessThanOrEqual(2_000_000)
    expect(steps.length).toBeGreaterThan(0)
  })

  test('a line of 64 MB was parsed while all sessions waited; an answer may be as long', async () => {
    const long = operation({
      name: 'long',
      kind: 'read',
      input: z.strictObject({ text: z.string() }),
      run: async () => 'x'.repeat(2_000_000),
    })
    await open([long])
    expect(await call('long', { text: 'x'.repeat(1_000_000) })).toHaveLength(2_000_000)
    await expect(call('long', { text: 'x'.repeat(1_050_000) })).rejects.toMatchObject({
      reason: 'bad-input',
      message: expect.stringContaining('longer than 1048576 octets'),
    })
  })

  test('an operation that refuses early does not wait for the upload', async () => {
    await open([echo])
    async function* endlessUpload(): AsyncGenerator<Frame> {
      for (;;) yield { octets: Buffer.alloc(60_000) }
    }
    await expect(call('echo', { text: 5 }, { upload: endlessUpload })).rejects.toMatchObject({ reason: 'bad-input' })
  })

  test('an upload whose source fails fails the call with that error', async () => {
    await open([echo])
    async function* failing(): AsyncGenerator<Frame> {
      yield { head: {} }
      throw new Error('the file went away')
    }
    await expect(call('echo', { text: '' }, { upload: failing })).rejects.toThrow('the file went away')
  })

  test.each(['ENOENT', 'EACCES'])('a file that could not be written (%s) was taken for a server gone', async (code) => {
    await open([echo])
    const fault = Object.assign(new Error('the disk said so'), { code, path: '/nowhere/mail.mbox' })
    async function* one(): AsyncGenerator<Frame> {
      yield { head: {} }
    }
    const onFrame = () => Promise.reject(fault)
    await expect(call('echo', { text: '' }, { upload: one, onFrame })).rejects.toBe(fault)
  })

  test('a fault inside an operation ends that call only', async () => {
    await open([broken])
    await expect(call('broken', {})).rejects.toMatchObject({ reason: 'failed' })
    expect(await call('domain.list', {})).toEqual([])
  })

  test('answers arrive however quickly the server gives them', async () => {
    await open()
    for (let round = 0; round < 100; round++) expect(await call('domain.list', {})).toEqual([])
  })

  test('an operation hears that its caller has gone', async () => {
    await open([endless])
    const running = new Promise<AbortSignal>((resolve) => {
      started = resolve
    })
    const leave = new AbortController()
    const answer = call('endless', {}, { signal: leave.signal }).catch((error: Error) => error.message)
    const signal = await running
    leave.abort()
    if (!signal.aborted) await once(signal, 'abort')
    expect(await answer).toMatch(/abort/i)
  })

  test('a stale socket is replaced, a live one is not', async () => {
    // What a killed server leaves behind: a socket that nobody listens on.
    const dead = createServer().listen(path)
    await once(dead, 'listening')
    const linked = join(admin.directory, 'kept.sock')
    linkSync(path, linked)
    dead.close()
    await once(dead, 'close')
    linkSync(linked, path)
    await expect(call('domain.list', {})).rejects.toBeInstanceOf(NoServer)
    await open()
    expect(await call('domain.list', {})).toEqual([])
    const second = createAdminServer({ operations: [], context: admin.context, path, log: silentLog })
    await expect(second).rejects.toMatchObject({ reason: 'exists' })
    expect(await call('domain.list', {})).toEqual([])
  })

  test.each(['no json\n', '{"call":5}\n', '{"octets":3}\nabc', '[]\n', '\n'])(
    '%j is answered with an error',
    async (text) => {
      await open()
      const socket = connect({ path, allowHalfOpen: true })
      socket.end(text)
      let answer = ''
      for await (const chunk of socket) answer += chunk
      expect(JSON.parse(answer).error).toMatchObject({ reason: 'bad-input' })
    },
  )

  test('a line that is no frame ends the upload with an error', async () => {
    await open([echo])
    const socket = connect({ path, allowHalfOpen: true })
    socket.end('{"call":"echo","input":{"text":""}}\n{"other":1}\n')
    let answer = ''
    for await (const chunk of socket) answer += chunk
    expect(JSON.parse(answer).error).toMatchObject({ reason: 'bad-input', text: expect.stringContaining('no frame') })
  })

  test('more calls than the limit are told to come again', async () => {
    const all = [endless] as readonly Operation[]
    server = await createAdminServer({
      operations: all,
      context: admin.context,
      path,
      log: silentLog,
      limits: { calls: 1 },
    })
    const running = new Promise<AbortSignal>((resolve) => {
      started = resolve
    })
    const leave = new AbortController()
    const first = call('endless', {}, { signal: leave.signal }).catch(() => {})
    await running
    await expect(call('endless', {})).rejects.toMatchObject({ reason: 'unavailable' })
    leave.abort()
    await first
  })

  test('calls that could not be accepted ended the process', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    const logged: unknown[][] = []
    const log = { ...silentLog, error: (...line: unknown[]) => logged.push(line) }
    server = await createAdminServer({ operations, context: admin.context, path, log })
    const [opened] = listen.mock.contexts as Server[]
    listen.mockRestore()
    opened?.emit('error', new Error('accept ENOMEM'))
    expect(logged).toEqual([[{ service: 'admin', error: 'accept ENOMEM' }, 'cannot accept']])
  })

  test('connections that say nothing do not take the open files that mail needs', async () => {
    const all = [] as readonly Operation[]
    server = await createAdminServer({
      operations: all,
      context: admin.context,
      path,
      log: silentLog,
      limits: { calls: 2 },
    })
    const silent = Array.from({ length: 5 }, () => connect(path).on('error', () => {}))
    onTestFinished(() => {
      for (const socket of silent) socket.destroy()
    })
    await once(silent[4] as Socket, 'close')
    silent[3]?.write('{"call":"x","input":{}}\n')
    expect(String(await once(silent[3] as Socket, 'data'))).toContain('"unavailable"')
  })

  test('what follows a call that has its answer was read line by line, while mail waited', async () => {
    await open()
    const parse = vi.spyOn(JSON, 'parse')
    onTestFinished(() => parse.mockRestore())
    const socket = connect(path)
    socket.write('{"call":"x","input":{}}\n')
    const answer = String(await once(socket, 'data'))
    parse.mockClear()
    socket.end('{}\n'.repeat(100_000))
    socket.resume()
    await once(socket, 'close')
    expect(answer).toContain('"no-such-operation"')
    expect(parse.mock.calls.length).toBeLessThan(10)
  })

  test('a path that no Unix socket can have is refused with what to do', async () => {
    path = join(admin.directory, 'x'.repeat(120), 'admin.sock')
    await expect(open()).rejects.toMatchObject({ reason: 'limit', advice: expect.stringContaining('data_dir') })
  })

  test('a file that is no socket is not taken for one', async () => {
    writeFileSync(path, 'precious')
    await expect(open()).rejects.toThrow()
    expect(existsSync(path)).toBe(true)
  })
})
