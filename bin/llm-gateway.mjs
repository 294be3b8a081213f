#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Plain JavaScript that every Node.js with ES modules can read, so that an old one is told what it lacks.
const [major, minor] = process.versions.node.split('.').map(Number);
const entry = new URL('../dist/command.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`llm-gateway needs Node.js 20.19 or later; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else if (existsSync(entry)) {
  await import(entry.href);
} else {
  console.error('llm-gateway is not built here. Run: npm ci && npm run build');
  process.exitCode = 1;
}
