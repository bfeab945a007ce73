import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatTable } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `dkim list|rotate|retire`. */
export function register(program: Command): void {
  const group = program.command('dkim').description('the keys that sign what a domain sends')
  addVerb(group, 'list [domain]', 'keys, and whether the DNS has them').action(inSession(list))
  addVerb(group, 'rotate <domain>', 'make a new pair of keys').action(inSession(rotate))
  addVerb(group, 'retire <domain> <selector>', 'sign no more with an old key')
    .option('--force', 'though no other key is known to be published')
    .action(inSession(retire))
}

async function list(session: Session, domain: string | undefined): Promise<void> {
  const keys = await session.call('dkim.list', { domain })
  const text = formatTable(
    keys,
    [
      { title: 'DOMAIN', value: (key) => key.domain },
      { title: 'SELECTOR', value: ({ selector }) => selector },
      { title: 'KIND', value: ({ algorithm }) => algorithm },
      { title: 'PUBLISHED', value: ({ published }) => published },
    ],
    'No keys: `pennypost domain add NAME` makes the first, `pennypost dkim rotate NAME` new ones.',
  )
  const missing = keys.filter(({ published }) => published === 'no' || published === 'different')
  session.show(keys, missing.length === 0 ? text : `${text}\nTo publish:\n${missing.map(recordLine).join('')}`)
}

async function rotate(session: Session, domain: string): Promise<void> {
  const rotated = await session.call('dkim.rotate', { domain })
  const old = rotated.old.map((selector) => `  pennypost dkim retire ${domain} ${selector}\n`)
  const what =
    rotated.kind === 'relay' ? `New keys for ${domain} seal what is handed on, and sign` : `New keys for ${domain} sign`
  const retiring =
    old.length === 0
      ? ''
      : `2. Then sign no more with the old ones:
${old.join('')}3. A week later, remove their records from the DNS.
`
  session.show(
    rotated,
    `${what} from now on${old.length === 0 ? '' : ', beside the old ones'}.
Next:
1. Publish, and wait until \`pennypost dkim list ${domain}\` says so:
${rotated.publish.map(recordLine).join('')}${retiring}`,
  )
}

async function retire(session: Session, domain: string, selector: string, options: { force?: true }): Promise<void> {
  const retired = await session.call('dkim.retire', { domain, selector, force: options.force ?? false })
  session.show(
    retired,
    `${selector} signs no more. Leave ${retired.record} in the DNS for a week: mail on its way is signed with it.\n`,
  )
}

/** The text in strings of at most 255 octets, as zone files have it. */
function recordLine({ name, value }: { name: string; value: string }): string {
  const strings = value.match(/.{1,255}/g) ?? []
  return `   ${name}. IN TXT ${strings.map((text) => `"${text}"`).join(' ')}\n`
}
