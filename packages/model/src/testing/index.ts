export * from './lost-with-power.ts'
export * from './sample-message.ts'
export * from './seeded-random.ts'
export * from './virtual-clock.ts'
