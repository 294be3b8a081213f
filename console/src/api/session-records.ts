import { api, bodyOf, type Schemas } from './client';

type UsageRecord = Schemas['UsageRecord'];

const PAGE_ROWS = 100;
/** Pages of a session that are read: the latest of its requests. */
const MAX_PAGES = 5;

/** A request, and its attempts that were abandoned for another deployment. */
export interface SessionCall {
  readonly record: UsageRecord;
  readonly retried: readonly UsageRecord[];
}
/** An agent within the session, with its requests in the order of time. */
export interface SessionAgent {
  readonly agentId: string;
  readonly calls: readonly SessionCall[];
}
/** The main agent's requests and, where the first request of each is, the other agents. */
export type SessionNode = SessionCall | SessionAgent;

export interface SessionRecords {
  /** In the order of time. */
  readonly records: readonly UsageRecord[];
  /** Whether there are earlier ones that were not read. */
  readonly isCut: boolean;
}

/** The latest records of a session. @param isOwn of the own key, or the own keys, alone */
export async function readSession(sessionId: string, isOwn: boolean): Promise<SessionRecords> {
  const records: UsageRecord[] = [];
  let after: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const params = {
      query: { session_id: sessionId, start: 0, limit: PAGE_ROWS, ...(after !== undefined && { after }) },
    };
    const list = await (isOwn
      ? bodyOf(api.GET('/v1/key/usage/records', { params }))
      : (bodyOf(api.GET('/v1/admin/usage/records', { params })) as Promise<Schemas['UsageRecordList']>));
    records.push(...list.data);
    if (list.next === null) return { records: records.reverse(), isCut: false };
    after = list.next;
  }
  return { records: records.reverse(), isCut: true };
}

/** @param records in the order of time */
export function sessionTree(records: readonly UsageRecord[]): readonly SessionNode[] {
  const retried = grouped(
    records.filter(({ status }) => status === 'retried'),
    (record) => record.request_id,
  );
  const calls = records
    .filter(({ status }) => status !== 'retried')
    .map((record) => ({ record, retried: retried.get(record.request_id) ?? [] }));
  const agents = grouped(calls, ({ record }) => record.agent_id);
  return calls.flatMap((call): SessionNode[] => {
    const { agent_id: agentId } = call.record;
    if (agentId === null) return [call];
    const ofAgent = agents.get(agentId) ?? [];
    return ofAgent[0] === call ? [{ agentId, calls: ofAgent }] : [];
  });
}

function grouped<Item, Name>(items: readonly Item[], nameOf: (item: Item) => Name): ReadonlyMap<Name, readonly Item[]> {
  const groups = new Map<Name, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}
