import { readBatchStorage } from './batch-storage.js';

const hostOf = (bucket: string): string => `${bucket}.s3.example`;

describe('the location of batches', () => {
  it.each([
    ['s3://my-bucket', '', 'https://my-bucket.s3.example'],
    ['s3://my-bucket/', '', 'https://my-bucket.s3.example'],
    ['s3://my.bucket/batches', 'batches/', 'https://my.bucket.s3.example'],
    ['s3://my-bucket/a/b_c/d.e/', 'a/b_c/d.e/', 'https://my-bucket.s3.example'],
  ])('%s has the prefix %j', (location, prefix, bucketUrl) => {
    const { storage, faults } = readBatchStorage({ batch_location: location }, 's3', hostOf);
    expect(faults).toEqual([]);
    expect(storage).toMatchObject({ prefix, bucketUrl });
  });

  it('may be at an address of its own, in whose path the bucket is', () => {
    const entry = { batch_location: 'gs://b-1/x', batch_storage_endpoint: 'http://127.0.0.1:9000/storage/' };
    const { storage } = readBatchStorage(entry, 'gs', hostOf);
    expect(storage).toEqual({
      scheme: 'gs',
      bucket: 'b-1',
      prefix: 'x/',
      bucketUrl: 'http://127.0.0.1:9000/storage/b-1',
    });
  });

  it.each([
    [{ batch_location: 'gs://my-bucket' }, 'batch_location'],
    [{ batch_location: 'my-bucket' }, 'batch_location'],
    [{ batch_location: 's3://' }, 'batch_location'],
    [{ batch_location: 's3://UPPER' }, 'batch_location'],
    [{ batch_location: 's3://my-bucket/a b' }, 'batch_location'],
    [{ batch_location: 's3://my-bucket/a//b' }, 'batch_location'],
    [{ batch_location: 's3://my-bucket/../b' }, 'batch_location'],
    [{ batch_location: 's3://my-bucket', batch_storage_endpoint: 'http://s3.example' }, 'batch_storage_endpoint'],
    [{ batch_location: 's3://my-bucket', batch_storage_endpoint: 'nonsense' }, 'batch_storage_endpoint'],
    [{ batch_storage_endpoint: 'https://s3.example' }, 'batch_storage_endpoint'],
  ])('%j is a fault', (entry, key) => {
    const { storage, faults } = readBatchStorage(entry, 's3', hostOf);
    expect(storage).toBeUndefined();
    expect(faults.map((fault) => fault.key)).toEqual([key]);
  });

  it('is none where the entry says nothing', () => {
    expect(readBatchStorage({}, 's3', hostOf)).toEqual({ storage: undefined, faults: [] });
  });
});
