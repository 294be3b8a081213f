import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { ownModel } from './own-model.js';
import type { NewTask } from './submission-store.js';

/** Lengths in characters at which prompts are compared: each is a part of the key by which tasks are sorted. */
const PREFIX_CHARACTERS = [256, 1_024, 4_096, 16_384, 65_536, 262_144];
const HASH_CHARACTERS = 8;
const TASKS_PER_INSERT = 1_000;
/** Members in the order in which providers put them before the model. */
const PROMPT_MEMBERS = ['tools', 'functions', 'system', 'instructions', 'messages', 'input', 'prompt', 'query'];

/** A task in the order in which it runs. */
export interface RankedTask {
  readonly taskIndex: number;
  readonly model: string;
  /** From 1. */
  readonly rank: number;
}

/** Sorts tasks so that those whose prompts begin alike run after each other, and find each other's prompt in a provider's cache. */
export class PrefixOrder {
  private readonly tasks: { readonly taskIndex: number; readonly model: string; readonly key: string }[] = [];
  private index = 0;

  constructor(private readonly jobModel: string) {}

  /** Adds the next tasks of the job. */
  add(group: readonly NewTask[]): void {
    for (const { request, operation = 'chat', dialect, sameAs } of group) {
      const taskIndex = this.index;
      this.index += 1;
      if (sameAs !== undefined) continue;
      const model = ownModel(request, this.jobModel) ?? this.jobModel;
      this.tasks.push({ taskIndex, model, key: `${operation} ${dialect ?? ''} ${prefixKey(request)}` });
    }
  }

  /** All tasks in their order, in groups that fit one insert. */
  *groups(): Generator<RankedTask[]> {
    // Groups begin in the order in which the first task of each was submitted.
    const firsts = new Map<string, number>();
    const firstOf = (key: string, part: number): number => {
      const name = key.slice(0, key.length - part * HASH_CHARACTERS);
      return firsts.get(name) ?? 0;
    };
    const parts = PREFIX_CHARACTERS.length;
    for (const { key, taskIndex } of this.tasks) {
      for (let part = 0; part < parts; part += 1) {
        const name = key.slice(0, key.length - part * HASH_CHARACTERS);
        if (!firsts.has(name)) firsts.set(name, taskIndex);
      }
    }
    this.tasks.sort((a, b) => {
      for (let part = parts - 1; part >= 0; part -= 1) {
        const order = firstOf(a.key, part) - firstOf(b.key, part);
        if (order !== 0) return order;
      }
      return a.taskIndex - b.taskIndex;
    });
    for (let start = 0; start < this.tasks.length; start += TASKS_PER_INSERT) {
      yield this.tasks
        .slice(start, start + TASKS_PER_INSERT)
        .map(({ taskIndex, model }, offset) => ({ taskIndex, model, rank: start + offset + 1 }));
    }
  }
}

/** Hashes of the beginnings of a prompt: two tasks share as many of them, from the left, as their prompts have in common. */
function prefixKey(request: string): string {
  const body = JSON.parse(request) as unknown;
  const prompt = isObject(body) ? promptOf(body) : '';
  return PREFIX_CHARACTERS.map((length) =>
    createHash('sha256').update(prompt.slice(0, length)).digest('base64').slice(0, HASH_CHARACTERS),
  ).join('');
}

function promptOf(body: JsonObject): string {
  return PROMPT_MEMBERS.map((name) => (body[name] === undefined ? '' : JSON.stringify(body[name]))).join('');
}
