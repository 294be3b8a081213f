import { IpcChannel } from './ipc-channel.js';

function pair(): { near: IpcChannel; far: IpcChannel; messages: unknown[] } {
  const messages: unknown[] = [];
  const near: IpcChannel = new IpcChannel((message) => {
    messages.push(message);
    far.receive(JSON.parse(JSON.stringify(message)));
  });
  const far: IpcChannel = new IpcChannel((message) => near.receive(JSON.parse(JSON.stringify(message))));
  return { near, far, messages };
}

it('sends the frames of one turn in one message, and gives each request its own response', async () => {
  const { near, far, messages } = pair();
  far.handle('double', async (value) => {
    await new Promise((resolve) => setTimeout(resolve, 5 - (value as number)));
    return (value as number) * 2;
  });
  const responses = Promise.all([1, 2, 3, 4].map((value) => near.ask('double', value)));
  expect(await responses).toEqual([2, 4, 6, 8]);
  expect(messages).toHaveLength(1);
});

it('has no response to a request without a handler, a failing request, and a request whose other end has closed', async () => {
  const { near, far } = pair();
  far.handle('fails', () => {
    throw new Error('no');
  });
  far.handle('never', () => new Promise(() => undefined));
  expect(await near.ask('unknown')).toBeUndefined();
  expect(await near.ask('fails')).toBeUndefined();
  const waiting = near.ask('never');
  near.close();
  expect(await waiting).toBeUndefined();
  expect(await near.ask('never')).toBeUndefined();
});

it('takes no notice of messages that are not its own', () => {
  const { near } = pair();
  expect(() => {
    near.receive({ cmd: 'other' });
    near.receive('text');
    near.receive(null);
  }).not.toThrow();
});
