import { Injectable } from '@nestjs/common';
import { keyOfGroup, laneGroup, modelOfGroup } from './lanes.js';
import { JobGate } from './control/job-gate.js';
import { isNativeLane } from './native/tiers.js';
import { OutcomeWriter } from './outcome-writer.js';
import { ReadyLanes } from './ready-lanes.js';
import { lanesOfTurn, tasksPerLane } from './lanes-of-turn.js';
import { ModelRoom } from './model-room.js';
import { shareSlots } from './share-slots.js';
import type { LaneShare } from './task-claims.js';

/** Groups per query, and queries per search: bounds its cost however many keys wait. */
const GROUPS_PER_QUERY = 256;
const MAX_QUERIES = 4;
const LANES_PER_GROUP = 64;
/** Most tasks that are claimed ahead for each slot. */
export const AHEAD_PER_SLOT = 2;

/** The load of this process: tasks in flight and claimed tasks that wait for a slot. */
export interface HeldLoad {
  readonly perKey: ReadonlyMap<string, number>;
  /** By `ModelRoom.nameOf`. */
  readonly perModel: ReadonlyMap<string, number>;
  /** By `laneGroup` of key and `ModelRoom.nameOf`. */
  readonly perGroup: ReadonlyMap<string, number>;
}

/** The load of this process, by which lanes are picked. */
export interface PickOptions {
  readonly slots: number;
  /** Tasks that may be claimed ahead of free slots of a model. */
  readonly ahead: number;
  readonly load: HeldLoad;
  /** Considers only groups of which this process holds nothing. */
  readonly onlyIdle: boolean;
}

/** Decides what to claim: a share for each key, without models that have no free slot, by priority and the oldest first. */
@Injectable()
export class LanePicker {
  /** The group after which the next query begins, so that all groups take turns when there are many. */
  private after = '';
  /** Where among the groups the first query begins, from 0 to 1, so that processes start at different groups. */
  private readonly start = Math.random();
  private hasLooked = false;

  constructor(
    private readonly lanes: ReadyLanes,
    private readonly room: ModelRoom,
    private readonly gate: JobGate,
    private readonly writer: OutcomeWriter,
  ) {}

  async pick(options: PickOptions): Promise<LaneShare[]> {
    const { slots, load } = options;
    for (let look = 0; look < MAX_QUERIES; look += 1) {
      // If a query found nothing to take, the next one reads as many groups as there are slots.
      const perLane = options.onlyIdle || look > 0 ? 1 : tasksPerLane(options.ahead);
      const page = await this.nextGroups();
      const open = page.groups.filter((group) => this.roomOf(group, options) > 0);
      // Keys with the fewest running tasks come first; ties take turns.
      open.sort((a, b) => (load.perKey.get(keyOfGroup(a)) ?? 0) - (load.perKey.get(keyOfGroup(b)) ?? 0));
      const groups = open.slice(0, Math.ceil(slots / perLane));
      if (groups.length > 0) {
        if (groups.length < open.length) this.after = groups.at(-1) ?? '';
        const shares = await this.share(groups, perLane, options);
        if (shares.length > 0) return shares;
      }
      if (page.isLast && groups.length === open.length) break;
    }
    return [];
  }

  private async nextGroups(): Promise<{ groups: string[]; isLast: boolean }> {
    const { after } = this;
    const groups = [...(await this.lanes.groups(after, GROUPS_PER_QUERY))];
    if (groups.length === GROUPS_PER_QUERY) {
      this.after = groups.at(-1) ?? '';
      return { groups, isLast: false };
    }
    this.after = '';
    if (after !== '') {
      const first = await this.lanes.groups('', GROUPS_PER_QUERY - groups.length);
      groups.push(...first.filter((group) => group <= after));
    }
    if (!this.hasLooked && groups.length > 0) {
      this.hasLooked = true;
      groups.push(...groups.splice(0, Math.floor(this.start * groups.length)));
    }
    return { groups, isLast: true };
  }

  private async share(groups: readonly string[], perLane: number, options: PickOptions): Promise<LaneShare[]> {
    const { slots, load, onlyIdle } = options;
    const perGroup = Math.min(LANES_PER_GROUP, Math.ceil((2 * slots) / groups.length));
    const ready = await this.lanes.ready(groups, perGroup);
    const lanes = lanesOfTurn(
      ready.filter(({ jobId }) => !this.gate.isBlocked(jobId) && !this.writer.returning.isReturning(jobId)),
      { slots, perLane },
    );
    const rooms = new Map<string, number>();
    const byId = new Map(lanes.map((lane) => [`${lane.jobId} ${lane.model}`, lane]));
    const requests = [...byId].map(([id, { keyId, priority, waiting, model, group }]) => {
      const name = this.room.nameOf(model);
      const modelName = `model ${name}`;
      const groupName = `group ${laneGroup(keyId, name)}`;
      rooms.set(modelName, Math.max(rooms.get(modelName) ?? 0, this.roomOfModel(keyId, model, options)));
      rooms.set(groupName, onlyIdle ? 1 : this.roomOf(group, options));
      return { id, keyId, priority, room: waiting, shares: [modelName, groupName] };
    });
    const shares = shareSlots(requests, slots, { perKey: load.perKey, rooms });
    return [...shares].flatMap(([id, count]) => {
      const lane = byId.get(id);
      return lane === undefined ? [] : [{ jobId: lane.jobId, model: lane.model, count }];
    });
  }

  /** Tasks that may be claimed from a group now. */
  private roomOf(group: string, options: PickOptions): number {
    const [keyId, model] = [keyOfGroup(group), modelOfGroup(group)];
    // Tasks that become a part of a provider's batch take no slot.
    if (isNativeLane(model)) return 0;
    const held = options.load.perGroup.get(laneGroup(keyId, this.room.nameOf(model))) ?? 0;
    if (options.onlyIdle && held > 0) return 0;
    return Math.min(
      this.roomOfModel(keyId, model, options),
      free(this.room.ofGroup(keyId, model), held, options.ahead),
    );
  }

  private roomOfModel(keyId: string, model: string, { load, ahead }: PickOptions): number {
    return free(this.room.ofModel(keyId, model), load.perModel.get(this.room.nameOf(model)) ?? 0, ahead);
  }
}

/** Claims ahead are bounded by what runs at once, so that a slow model does not take slots that others could use. */
function free(limit: number, held: number, ahead: number): number {
  return limit === 0 ? 0 : Math.max(0, limit + Math.min(AHEAD_PER_SLOT * limit, ahead) - held);
}
