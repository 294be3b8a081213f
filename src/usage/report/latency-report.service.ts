import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Database } from '../../database/database.js';
import { timeSlices, type TimeSpan } from '../../database/time-slices.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { UsageRecord } from '../records/usage-record.entity.js';
import { binOf, percentilesOf } from './latency-bins.js';
import type { LatencyQueryDto, LatencyRowDto, LatencyRowListDto } from './latency.dto.js';
import { bucketOf, filteredRecords, spanOf } from './record-filter.js';

const MAX_ROWS = 1_000;
const GROUP_COLUMNS = { model: 'record.model', provider: 'record.provider', none: 'NULL' } as const;

interface BinRow {
  readonly bucket: string | number;
  readonly grp: string | null;
  readonly first: number | null;
  readonly whole: number;
  readonly records: string | number;
}

/** The measurements of a row, counted by bin. */
interface Counts {
  readonly bucket: number;
  readonly group: string | null;
  requests: number;
  readonly first: Map<number, number>;
  readonly whole: Map<number, number>;
}

/** How long requests took. The database counts them in bins, so that no list of measurements is sorted. */
@Injectable()
export class LatencyReport {
  constructor(
    @InjectRepository(UsageRecord) private readonly records: Repository<UsageRecord>,
    private readonly database: Database,
  ) {}

  /** @param gone aborted when the client has left, which ends the reading */
  async rows(query: LatencyQueryDto, gone: AbortSignal): Promise<LatencyRowListDto> {
    const span = spanOf(query);
    const merged = new Map<string, Counts>();
    if (this.database.isSqlite) {
      for await (const slice of timeSlices(span, gone)) this.addTo(merged, await this.binsOf(query, slice, span.start));
    } else this.addTo(merged, await this.binsOf(query, span, span.start));
    const rows = [...merged.values()].sort((one, other) => other.bucket - one.bucket || other.requests - one.requests);
    return {
      object: 'list',
      data: rows.slice(0, MAX_ROWS).map(toRow),
      has_more: rows.length > MAX_ROWS,
      next: null,
    };
  }

  /** @param from where the only bucket begins when there are no intervals */
  private binsOf(query: LatencyQueryDto, span: TimeSpan, from: number): Promise<BinRow[]> {
    const { group_by: groupBy = 'none' } = query;
    return filteredRecords(this.records, query, span, this.database.isSqlite)
      .andWhere(`record.status = 'succeeded' AND record.source = 'live'`)
      .select(bucketOf(query), 'bucket')
      .setParameters({ from })
      .addSelect(GROUP_COLUMNS[groupBy], 'grp')
      .addSelect(`CASE WHEN record.isStream THEN ${binOf('record.firstByteMs')} END`, 'first')
      .addSelect(binOf('record.durationMs'), 'whole')
      .addSelect('COUNT(*)', 'records')
      .groupBy('1')
      .addGroupBy('2')
      .addGroupBy('3')
      .addGroupBy('4')
      .getRawMany<BinRow>();
  }

  private addTo(merged: Map<string, Counts>, rows: readonly BinRow[]): void {
    for (const { bucket, grp, first, whole, records } of rows) {
      const id = JSON.stringify([bucket, grp]);
      let counts = merged.get(id);
      if (counts === undefined) {
        counts = { bucket: Number(bucket), group: grp, requests: 0, first: new Map(), whole: new Map() };
        merged.set(id, counts);
      }
      const count = Number(records);
      counts.requests += count;
      if (first !== null) counts.first.set(first, (counts.first.get(first) ?? 0) + count);
      counts.whole.set(whole, (counts.whole.get(whole) ?? 0) + count);
    }
  }
}

function toRow({ bucket, group, requests, first, whole }: Counts): LatencyRowDto {
  return {
    bucket: toUnixSeconds(bucket),
    group,
    requests,
    first_byte_ms: percentilesOf(first),
    duration_ms: percentilesOf(whole),
  };
}
