import type { ChildProcess } from 'node:child_process';

export function noteProcesses(): void;
export function noteProcess(child: ChildProcess): void;
export function endProcesses(): void;
