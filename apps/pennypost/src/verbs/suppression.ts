import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatTable, formatTime } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `suppression list|add|remove`. */
export function register(program: Command): void {
  const group = program.command('suppression').description('recipients elsewhere to whom nothing is relayed any more')
  addVerb(group, 'list', 'who is on the list, and why').action(inSession(list))
  addVerb(group, 'add <address>', 'relay nothing more to it: mail for it comes back at once')
    .option('--reason <text>', 'what senders are told')
    .action(inSession(add))
  addVerb(group, 'remove <address>', 'relay to it again').action(inSession(remove))
}

async function list(session: Session): Promise<void> {
  const rows = await session.call('suppression.list', {})
  type Row = (typeof rows)[number]
  const columns = [
    { title: 'ADDRESS', value: ({ address }: Row) => address },
    { title: 'SINCE', value: ({ since }: Row) => formatTime(since) },
    { title: 'REASON', value: ({ reason }: Row) => reason },
  ]
  session.show(rows, formatTable(rows, columns, 'Nobody is suppressed.'))
}

async function add(session: Session, address: string, { reason = '' }: { reason?: string }): Promise<void> {
  const added = await session.call('suppression.add', { address, reason })
  session.show(added, `Nothing more is relayed to ${added.address}.\n`)
}

async function remove(session: Session, address: string): Promise<void> {
  const removed = await session.call('suppression.remove', { address })
  session.show(removed, `${removed.address} gets mail again.\n`)
}
