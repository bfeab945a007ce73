/** Every dialogue file of SMTP, LMTP and POP3, against each engine. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { describe, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import { openHost } from './host.ts'

const here = import.meta.dirname

describe.each(['smtp', 'lmtp', 'pop3'])('%s', (protocol) => {
  for (const file of readdirSync(join(here, protocol)).filter((name) => name.endsWith('.dialogue'))) {
    it(file.replace('.dialogue', ''), async () => {
      await using host = await openHost(async (clock) => createMemoryStore({ clock, random: seededRandom(2) }))
      await playDialogue(readFileSync(join(here, protocol, file), 'utf8'), host)
    })
  }
})
