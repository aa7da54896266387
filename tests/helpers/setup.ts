import '../../src/cli/node-platform.ts'
