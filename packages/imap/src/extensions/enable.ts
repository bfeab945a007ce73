import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'

/** `"ENABLE" 1*(SP capability)`; names that cannot be enabled are passed over (RFC 9051 §6.3.1). */
const enable = {
  name: 'ENABLE',
  rfc: 'RFC 9051 §6.3.1',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    const names: string[] = []
    cursor.sp()
    do {
      if (names.length < session.service.limits.parameters) names.push(cursor.word('Capability'))
      else cursor.word('Capability')
    } while (cursor.skip(' '))
    return names
  },
  run(session, names) {
    const enabled: string[] = []
    for (const name of names) {
      const kind = session.service.registry.enables.get(name)
      if (!kind || session.enabled.has(name)) continue
      session.enabled.add(name)
      kind.apply?.(session)
      enabled.push(kind.spelling ?? name)
    }
    session.untagged(['ENABLED', ...enabled].join(' '))
    return undefined
  },
} satisfies Command<string[]>

export const enableExtension: Extension = {
  name: 'ENABLE',
  rfc: 'RFC 5161',
  capabilities: [{ name: 'ENABLE' }],
  commands: [enable],
}
