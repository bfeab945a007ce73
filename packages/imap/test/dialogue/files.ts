import { readdirSync, readFileSync } from 'node:fs'
import { type Dialogue, parseDialogue } from './parse.ts'

const directory = new URL('../dialogues/', import.meta.url)

/** Paths of all dialogues below `test/dialogues`, in order. */
export function dialogueFiles(): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return names
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.dialogue'))
    .sort()
}

export function readDialogue(file: string): Dialogue {
  return parseDialogue(readFileSync(new URL(file, directory), 'utf8'))
}
