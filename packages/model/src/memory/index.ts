export { asciiSearchText } from './ascii-search-text.ts'
export { createMemoryStore, type MemoryStoreOptions } from './store.ts'
