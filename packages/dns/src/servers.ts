/**
 * Which name servers to ask: the configuration's way of writing one, and the system's list. The composition root calls
 * `readSystemServers` when the configuration names none; the resolver itself reads no file.
 */
import { getServers } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP, isIPv6 } from 'node:net'
import { isLoopback } from '@pennypost/model'

export interface NameServer {
  address: string
  port: number
  /** As in logs and reasons: `192.0.2.1:53`, `[2001:db8::1]:53`. */
  label: string
  /** Nobody between us and it can change its AD bit. */
  loopback: boolean
}

/** Reads `address`, `address:port` or `[v6]:port`; the port is 53 unless given. Throws TypeError saying what is wrong. */
export function parseServer(text: string): NameServer {
  const match = /^\[([^\]]+)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text)
  const address = match?.[1] ?? text
  const port = Number(match?.[2] ?? 53)
  if (isIP(address) === 0) throw new TypeError(`not the address of a name server: ${JSON.stringify(text)}`)
  if (port < 1 || port > 65535) throw new TypeError(`not a port: ${JSON.stringify(text)}`)
  const label = `${isIPv6(address) ? `[${address}]` : address}:${port}`
  return { address, port, label, loopback: isLoopback(address) }
}

/** The name servers of a resolv.conf(5), in its order, the first three as libc takes them; without any, this machine's. */
export function parseResolvConf(text: string): string[] {
  const servers: string[] = []
  for (const line of text.split('\n')) {
    const address = /^nameserver[ \t]+(\S+)/.exec(line)?.[1]
    if (address !== undefined && isIP(address) !== 0) servers.push(parseServer(address).label)
  }
  return servers.length > 0 ? servers.slice(0, 3) : ['127.0.0.1:53']
}

/** The system's name servers, for `servers` of `createResolver`. Where there is no resolv.conf, Node's list of them. */
export async function readSystemServers(file = '/etc/resolv.conf'): Promise<string[]> {
  try {
    return parseResolvConf(await readFile(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return getServers().map((server) => parseServer(server).label)
  }
}
