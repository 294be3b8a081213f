/** An event as OpenAI sends those of images and sound. */
export function eventFrame(type: string, fields: object): Buffer {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
}
