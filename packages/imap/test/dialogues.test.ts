import { describe, test } from 'vitest'
import { dialogueFiles, readDialogue } from './dialogue/files.ts'
import { playDialogue } from './dialogue/player.ts'

describe('dialogues', () => {
  for (const file of dialogueFiles()) test(file, () => playDialogue(readDialogue(file)))
})
