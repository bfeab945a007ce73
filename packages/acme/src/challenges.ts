import { chmodSync, existsSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { makeDirectory } from '@pennypost/model'

/**
 * Where the authority looks whether a name is ours: `http://NAME/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3).
 * Nothing else is ever served, and only while an order runs.
 */
export interface ChallengeBoard {
  /** What is put up is seen from now on, until disposed. Rejects when it cannot be put up. */
  post(token: string, keyAuthorization: string): Promise<AsyncDisposable>
}

const path = '/.well-known/acme-challenge/'

/** base64url (RFC 8555 §8.3): a token is also a file name and must be nothing more. */
function requireToken(token: string): void {
  if (!/^[\w-]{1,200}$/.test(token)) throw new Error('the authority sent a token that is none')
}

interface Endpoint {
  /** All of this machine's without. */
  address?: string | undefined
  port: number
}

/** A listener of our own, which is open only while something is posted: usually port 80. */
export function openChallengeListener(endpoint: Endpoint): ChallengeBoard {
  const posted = new Map<string, string>()
  let opened: Promise<{ close(): Promise<void> }> | undefined

  return {
    async post(token, keyAuthorization) {
      requireToken(token)
      posted.set(token, keyAuthorization)
      const take = async (): Promise<void> => {
        posted.delete(token)
        if (posted.size > 0 || !opened) return
        const closing = opened
        opened = undefined
        await (await closing).close()
      }
      opened ??= listen(endpoint, (url) => (url.startsWith(path) ? posted.get(url.slice(path.length)) : undefined))
      try {
        await opened
      } catch (error) {
        opened = undefined
        posted.delete(token)
        const { message } = error as Error
        const { address = 'all addresses,', port } = endpoint
        throw new Error(`cannot answer the authority on ${address} port ${port}: ${message}`)
      }
      return { [Symbol.asyncDispose]: take }
    },
  }
}

async function listen(
  { address, port }: Endpoint,
  find: (url: string) => string | undefined,
): Promise<{ close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    const found = request.method === 'GET' ? find(request.url ?? '') : undefined
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/octet-stream' })
    response.end(found ?? '')
  })
  server.maxConnections = 100
  // All questions of one piece are taken in the same turn of the event loop.
  server.maxRequestsPerSocket = 100
  server.on('dropRequest', (_request, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    // It stays: a connection that could not be accepted later (no file descriptor is left) must not end the process.
    server.on('error', reject)
    server.listen(port, address, resolve)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Files below the root of a web server that has port 80 already. They are for everybody to read, whoever the web server
 * is and whatever the umask of a service says.
 */
export function writeChallengeFiles(webRoot: string): ChallengeBoard {
  const directory = join(webRoot, path)
  const levels = [dirname(directory), directory]
  return {
    async post(token, keyAuthorization) {
      requireToken(token)
      for (const level of levels) makePublic(level)
      const file = join(directory, token)
      await writeFile(file, keyAuthorization)
      await chmod(file, 0o644)
      return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
    },
  }
}

function makePublic(directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(directory)
  chmodSync(directory, 0o755)
}
