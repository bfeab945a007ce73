/**
 * The dialogues for whoever has an engine: each storage engine's tests play all of them on it.
 *
 *     for (const file of dialogueFiles()) test(file, () => playDialogue(readDialogue(file), makeStore))
 */
export { dialogueFiles, readDialogue } from './files.ts'
export { type Dialogue, parseDialogue } from './parse.ts'
export { playDialogue } from './player.ts'
export { type EngineFactory, memoryEngine } from './server.ts'
