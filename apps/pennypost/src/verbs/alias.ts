import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatTable, nobody } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `alias add|list|remove`. */
export function register(program: Command): void {
  const group = program.command('alias').description('addresses that stand for others, here or elsewhere')
  addVerb(group, 'add <address> <targets...>', 'let mail for an address go to others')
    .option('--replace', 'take the place of an alias that is there', false)
    .action(inSession(add))
  addVerb(group, 'list', 'all aliases')
    .option('--domain <domain>', 'of this domain only')
    .option('--to <address>', 'with this target only')
    .action(inSession(list))
  addVerb(group, 'remove <address>', 'take an alias away').action(inSession(remove))
}

async function add(session: Session, address: string, targets: string[], options: { replace: boolean }): Promise<void> {
  const added = await session.call('alias.add', { address, targets, replace: options.replace })
  session.show(added, `${added.address} → ${added.targets.join(', ')}\n${nobody(added)}${circle(added)}`)
}

const circle = ({ circle: way }: { circle: readonly string[] }): string =>
  way.length === 0
    ? ''
    : `Its aliases lead back to it (${way.join(' → ')}): mail for it is refused unless another target leads to somebody.\n`

async function list(session: Session, { domain, to }: { domain?: string; to?: string }): Promise<void> {
  const aliases = await session.call('alias.list', { domain, target: to })
  const columns = [
    { title: 'ALIAS', value: ({ address }: (typeof aliases)[number]) => address },
    { title: 'TARGETS', value: ({ targets }: (typeof aliases)[number]) => targets.join(', ') },
  ]
  session.show(aliases, formatTable(aliases, columns, 'No aliases.'))
}

async function remove(session: Session, address: string): Promise<void> {
  const removed = await session.call('alias.remove', { address })
  session.show(removed, `${removed.address} removed.\n`)
}
