import { describeStore, type OpenEngine } from '../contract/index.ts'
import { createMemoryStore } from './store.ts'

const open: OpenEngine = async (options) => createMemoryStore(options)

describeStore('memory', open)
