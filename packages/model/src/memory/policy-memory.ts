/** Facts that policy needs later, by kind and key, each with its expiry. */
import { type MemoryKind, type MemoryNote, memoryLimits, type PolicyMemory } from '../ports/policy-memory.ts'
import { commit, compareText, refuse, requireOpen, type State } from './state.ts'

export function createPolicyMemory(state: State): PolicyMemory {
  return {
    async note(notes) {
      commit(state, () => {
        checkNotes(notes)
        applyNotes(state, notes)
      })
    },
    async recall(kind, key, now) {
      requireOpen(state)
      const row = state.memory.get(rowKey(kind, key))
      if (!row || row.expiresAt <= now) return undefined
      const { expiresAt: _, ...memory } = row
      return memory
    },
    async list(kind, now, { limit, after = '' }) {
      requireOpen(state)
      const prefix = rowKey(kind, '')
      return [...state.memory]
        .filter(([key, row]) => key.startsWith(prefix) && row.expiresAt > now)
        .map(([key, { expiresAt: _, ...memory }]) => ({ key: key.slice(prefix.length), ...memory }))
        .filter(({ key }) => compareText(key, after) > 0)
        .sort((a, b) => compareText(a.key, b.key))
        .slice(0, limit)
    },
    async forget(kind, key) {
      commit(state, () => state.memory.delete(rowKey(kind, key)))
    },
    async prune(now) {
      return commit(state, () => {
        const expired = [...state.memory].filter(([, row]) => row.expiresAt <= now)
        for (const [key] of expired) state.memory.delete(key)
        return expired.length
      })
    },
  }
}

export function checkNotes(notes: readonly MemoryNote[]): void {
  for (const { key, value = '' } of notes) {
    if (key.length > memoryLimits.key) refuse('limit', `A key can have ${memoryLimits.key} characters.`)
    if (value.length > memoryLimits.value) refuse('limit', `A value can have ${memoryLimits.value} characters.`)
  }
}

export function applyNotes(state: State, notes: readonly MemoryNote[]): void {
  for (const { kind, key, at, expiresAt, value, count = 1 } of notes) {
    const old = state.memory.get(rowKey(kind, key))
    const living = old && old.expiresAt > at ? old : { value: '', count: 0, firstAt: at }
    state.memory.set(rowKey(kind, key), {
      value: value ?? living.value,
      count: living.count + count,
      firstAt: living.firstAt,
      lastAt: at,
      expiresAt,
    })
  }
}

const rowKey = (kind: MemoryKind, key: string): string => `${kind} ${key}`
