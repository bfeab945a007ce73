export * from './mda.ts'
