import type { Command } from '../command.ts'
import { atrn } from './atrn.ts'
import { auth } from './auth.ts'
import { bdat } from './bdat.ts'
import { data } from './data.ts'
import { etrn } from './etrn.ts'
import { ehlo, helo, lhlo } from './hello.ts'
import { mail } from './mail.ts'
import { rcpt } from './rcpt.ts'
import { help, noop, quit, rset, turn, verb } from './simple.ts'
import { startTls } from './starttls.ts'
import { expn, vrfy } from './verify.ts'
import { xclient, xforward } from './xclient.ts'

const all: readonly Command[] = [
  helo,
  ehlo,
  lhlo,
  startTls,
  auth,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  expn,
  help,
  etrn,
  atrn,
  turn,
  verb,
  xclient,
  xforward,
  quit,
]

/** Every command that reception knows, by verb. */
export const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.verb, command]))
