import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, Server } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openChallengeListener, writeChallengeFiles } from './challenges.ts'

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

test('the listener answers what is posted, and nothing else, and is gone with the last of it', async () => {
  const port = await freePort()
  const board = openChallengeListener({ address: '127.0.0.1', port })
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/${path}`, { method })
    return [response.status, await response.text()]
  }
  await expect(ask('token-1')).rejects.toThrow()
  const first = await board.post('token-1', 'token-1.thumbprint')
  const second = await board.post('token_2', 'token_2.thumbprint')
  expect(await ask('token-1')).toEqual([200, 'token-1.thumbprint'])
  expect(await ask('token_2')).toEqual([200, 'token_2.thumbprint'])
  expect(await ask('token-3')).toEqual([404, ''])
  expect(await ask('..%2f..%2fetc%2fpasswd')).toEqual([404, ''])
  expect(await ask('token-1', 'POST')).toEqual([404, ''])
  await first[Symbol.asyncDispose]()
  expect(await ask('token-1')).toEqual([404, ''])
  await second[Symbol.asyncDispose]()
  await expect(ask('token_2')).rejects.toThrow()
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

test.skipIf(!hasIpv6)('an authority that asks by IPv6 was not answered (needs IPv6 on loopback)', async () => {
  const port = await freePort()
  await using _posted = await openChallengeListener({ port }).post('token-1', 'token-1.thumbprint')
  for (const host of ['[::1]', '127.0.0.1']) {
    const response = await fetch(`http://${host}:${port}/.well-known/acme-challenge/token-1`)
    expect(await response.text()).toBe('token-1.thumbprint')
  }
})

test('very many questions of one piece are not answered', async () => {
  const port = await freePort()
  const board = openChallengeListener({ address: '127.0.0.1', port })
  await using _posted = await board.post('token', 'x')
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  let received = ''
  socket.on('data', (chunk) => (received += String(chunk)))
  socket.write('GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000))
  await new Promise((resolve) => socket.once('close', resolve))
  expect(received.split('200 OK').length).toBeLessThan(102)
})

test('a port that is taken is said by its number', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as { port: number }
  const board = openChallengeListener({ address: '127.0.0.1', port })
  await expect(board.post('token', 'x')).rejects.toThrow(`cannot answer the authority on 127.0.0.1 port ${port}`)
})

test('a second connection that could not be accepted, for want of file descriptors, ended the process', async () => {
  const listen = vi.spyOn(Server.prototype, 'listen')
  onTestFinished(() => listen.mockRestore())
  const port = await freePort()
  await using _posted = await openChallengeListener({ address: '127.0.0.1', port }).post('token', 'x')
  const server = listen.mock.contexts.at(-1) as Server
  const refused = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  for (let nth = 0; nth < 2; nth++) expect(server.emit('error', refused)).toBe(true)
})

test('files go below the root of the web server, by names that are tokens', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pennypost-acme-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const board = writeChallengeFiles(root)
  const posted = await board.post('token', 'token.thumbprint')
  const file = join(root, '.well-known/acme-challenge/token')
  expect(readFileSync(file, 'utf8')).toBe('token.thumbprint')
  await posted[Symbol.asyncDispose]()
  expect(existsSync(file)).toBe(false)
  await expect(board.post('../../up', 'x')).rejects.toThrow('a token that is none')
  await expect(board.post('', 'x')).rejects.toThrow('a token that is none')
})

test('the umask of the service kept the web server from the file and its directories', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pennypost-acme-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const mask = process.umask(0o077)
  onTestFinished(() => void process.umask(mask))
  await using _posted = await writeChallengeFiles(root).post('token', 'token.thumbprint')
  const paths = ['.well-known', '.well-known/acme-challenge', '.well-known/acme-challenge/token']
  expect(paths.map((path) => (statSync(join(root, path)).mode & 0o777).toString(8))).toEqual(['755', '755', '644'])
})
