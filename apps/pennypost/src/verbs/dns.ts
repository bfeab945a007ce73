import type { PublishedRecord } from '@pennypost/admin'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatTable } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `dns records|check`. */
export function register(program: Command): void {
  const group = program.command('dns').description('what a domain must publish')
  addVerb(group, 'records [domain]', 'every record to publish, and the PTR to ask for').action(inSession(records))
  addVerb(group, 'check [domain]', 'compare with what the DNS says').action(inSession(check))
}

async function records(session: Session, domain: string | undefined): Promise<void> {
  const domains = await session.call('dns.records', { domain })
  session.show(domains, () => domains.map((each) => recordsText(each.domain, each.records)).join('\n'))
}

/** Records as lines of a zone file, each under the reason for it. */
export function recordsText(domain: string, records: readonly PublishedRecord[]): string {
  const lines = records.map(({ name, type, value, why, need }) => {
    const label = need === 'required' || need === 'ask' ? '' : `${need}: `
    const owner = type === 'PTR' ? name : `${name}.`
    // A record that cannot be published as it stands must not look like one.
    const mark = type === 'PTR' || value.includes('<') ? ';   ' : ''
    return `; ${label}${why}\n${mark}${owner} ${type === 'PTR' ? '' : 'IN '}${type} ${value}\n`
  })
  return `; DNS records for ${domain}\n\n${lines.join('\n')}`
}

async function check(session: Session, domain: string | undefined): Promise<void> {
  const domains = await session.call('dns.check', { domain })
  session.show(domains, () =>
    domains
      .map(({ domain: name, records: checked }) => {
        const table = formatTable(
          checked,
          [
            { title: 'STATE', value: ({ state }) => state },
            { title: 'NEED', value: ({ need }) => (need === 'ask' ? 'required' : need) },
            { title: 'TYPE', value: ({ type }) => type },
            { title: 'NAME', value: (record) => record.name },
            { title: 'WHAT TO DO', value: ({ advice }) => advice },
          ],
          '',
        )
        const different = checked
          .filter(({ state }) => state === 'different')
          .map(
            ({ name: of, type, value, found }) =>
              `${of} ${type}\n  is      ${found.join('\n          ')}\n  should  ${value}\n`,
          )
        return `${name}\n${table}${different.length > 0 ? `\n${different.join('\n')}` : ''}`
      })
      .join('\n'),
  )
  const isBad = domains.some(({ records: checked }) =>
    checked.some(({ state, need }) => (need === 'required' || need === 'ask') && state !== 'ok'),
  )
  if (isBad) process.exitCode = 1
}
