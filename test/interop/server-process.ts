/**
 * A server in a process of its own, for tests that kill it. Started as `node server-process.ts DIRECTORY [TOML]`: it
 * prints one line of JSON with its ports, serves one.test with alice and bob, and drains on SIGTERM as the program does.
 */
import { startInstance } from '../e2e/instance.ts'

const [, , directory, toml = ''] = process.argv
if (directory === undefined) throw new Error('which directory?')
const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory, toml })
const ports = Object.fromEntries(at.server.listeners.map(({ service, bound }) => [service, bound.port]))
process.once('SIGTERM', () => void at.server.stop(20_000))
process.stdout.write(`${JSON.stringify(ports)}\n`)
