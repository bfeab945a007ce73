import type { Command } from 'commander'
import type { Session } from './session.ts'
import { clean } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `explain QUEUE-ID | MESSAGE-ID [--if dkim=pass …]`. */
export function register(program: Command): void {
  addVerb(program, 'explain <id>', 'why a message was taken, put into Junk or refused')
    .option(
      '--if <fact>',
      'suppose that a check had found something else, e.g. dkim=pass; may be repeated',
      collect,
      [],
    )
    .action(inSession(explain))
}

const collect = (fact: string, before: string[]): string[] => [...before, fact]

async function explain(session: Session, id: string, options: { if: string[] }): Promise<void> {
  const result = await session.call('explain', { id, facts: options.if })
  session.show(result, () => {
    const supposing = result.facts.map(({ name, result: value }) => `${name}=${value}`).join(', ')
    return result.explained
      .map(({ journey, recorded, isForRoles, findings, verdict }) => {
        const { action, reason, detail, reply } = verdict
        const said = reply ? `\n  reply       ${reply.code} ${reply.enhanced} ${clean(reply.lines[0])}` : ''
        const lines = findings.map(({ check, result: found, detail: why }) => {
          return `  ${check.padEnd(12)}${found}${why === '' ? '' : ` (${clean(why)})`}\n`
        })
        const roles = isForRoles ? '  for postmaster or abuse alone: what is known of the client does not count\n' : ''
        return `${journey}
recorded    ${recorded.verdict}, ${recorded.reason}
${lines.join('')}${roles}${supposing === '' ? 'judged now' : `if ${supposing}`}  ${action}, ${reason}: ${clean(detail)}${said}
`
      })
      .join('\n')
  })
}
