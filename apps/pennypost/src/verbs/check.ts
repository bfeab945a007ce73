import type { StoreFault } from '@pennypost/model'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { clean, plural } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `check`: reads everything, repairs nothing. */
export function register(program: Command): void {
  addVerb(program, 'check', 'read the whole store and report what does not fit together').action(inSession(check))
}

async function check(session: Session): Promise<void> {
  const result = await session.call('check', {})
  const { faults } = result
  const sum = result.more ? 'More faults are there.\n' : `${plural(faults.length, 'fault')}.\n`
  session.show(result, faults.length === 0 ? 'All is well.\n' : `${faultLines(faults)}${sum}`)
  if (faults.length > 0) process.exitCode = 1
}

/** What was found and what to do about it. */
export function faultLines(faults: readonly StoreFault[]): string {
  return faults.map(({ fault, where, advice }) => `${fault}: ${clean(where)}\n  ${clean(advice)}\n`).join('')
}
