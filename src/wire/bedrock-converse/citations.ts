import type { Extras } from '../../operations/chat/canonical/blocks.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';

/**
 * Citations of a text, in Anthropic's form, and web pages in OpenAI's as well; undefined for none.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html
 */
export function readCitations(list: unknown): Extras | undefined {
  const given = Array.isArray(list) ? list.filter(isObject) : [];
  const citations = given.map(readCitation);
  if (citations.length === 0) return undefined;
  const annotations = citations.flatMap(({ type, url, title }) =>
    type === 'web_search_result_location'
      ? [{ type: 'url_citation', url_citation: { url, title, start_index: 0, end_index: 0 } }]
      : [],
  );
  return { anthropic: { citations }, ...(annotations.length > 0 && { 'openai-chat': { annotations } }) };
}

/** The text of a block with citations. */
export function citedText(content: unknown): string {
  const parts = Array.isArray(content) ? content.filter(isObject) : [];
  return parts.map(({ text }) => nonEmptyString(text) ?? '').join('');
}

function readCitation(citation: JsonObject): JsonObject {
  const { title, source, sourceContent, location } = citation;
  const places = objectOf(location);
  const cited = { cited_text: citedText(sourceContent) };
  const { web, documentChar, documentPage, documentChunk, searchResultLocation: result } = places;
  if (isObject(web)) {
    const url = nonEmptyString(web['url']) ?? '';
    return { type: 'web_search_result_location', ...cited, url, title: nonEmptyString(title) ?? url };
  }
  if (isObject(result)) {
    return {
      type: 'search_result_location',
      ...cited,
      source: nonEmptyString(source) ?? '',
      title: nonEmptyString(title) ?? null,
      search_result_index: result['searchResultIndex'] ?? 0,
      start_block_index: result['start'] ?? 0,
      end_block_index: result['end'] ?? 0,
    };
  }
  const of = (place: JsonObject, type: string, unit: string): JsonObject => ({
    type,
    ...cited,
    document_index: place['documentIndex'] ?? 0,
    document_title: nonEmptyString(title) ?? null,
    [`start_${unit}`]: place['start'] ?? 0,
    [`end_${unit}`]: place['end'] ?? 0,
  });
  if (isObject(documentPage)) return of(documentPage, 'page_location', 'page_number');
  if (isObject(documentChunk)) return of(documentChunk, 'content_block_location', 'block_index');
  return of(objectOf(documentChar), 'char_location', 'char_index');
}
