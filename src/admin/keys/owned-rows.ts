/**
 * Tables whose rows belong to a key by their column `key_id`, and what becomes of these rows when the key is purged. `kept`: they say
 * what was spent or done, for reports and audits, until their own retention is over. `deleted`: only the key could ever read them.
 * A test holds this list to the entities, so that a new table is not forgotten.
 */
export const OWNED_ROWS = {
  usage_record: 'kept',
  batch_job: 'kept',
  batch_part: 'kept',
  request_log: 'kept',
  console_session: 'deleted',
  stored_file: 'deleted',
  file_upload: 'deleted',
  stored_response: 'deleted',
  stored_response_event: 'deleted',
} as const satisfies Readonly<Record<string, 'kept' | 'deleted'>>;

/** Tables of which a purged key leaves no row. */
export const DELETED_WITH_KEY: readonly string[] = Object.entries(OWNED_ROWS)
  .filter(([, fate]) => fate === 'deleted')
  .map(([table]) => table);
