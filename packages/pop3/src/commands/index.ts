import type { Command } from '../command.ts'
import { auth, pass, stls, user } from './authorization.ts'
import { capa, lang, quit, utf8 } from './both-states.ts'
import { retr, top } from './retrieve.ts'
import { dele, list, noop, rset, stat, uidl } from './transaction.ts'

const all: readonly Command[] = [
  user,
  pass,
  auth,
  stls,
  capa,
  utf8,
  lang,
  quit,
  stat,
  list,
  uidl,
  retr,
  top,
  dele,
  rset,
  noop,
]

/** Every command that the server knows, by keyword. */
export const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.keyword, command]))
