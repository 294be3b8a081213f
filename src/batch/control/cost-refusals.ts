import { boundNanoDollars, toDollars, type NanoDollars } from '../../runtime/nano-dollars.js';

/** The error, as JSON text, of a task whose highest cost does not fit in what is left of `max_cost_usd`. */
export function beyondCost(maxCost: NanoDollars, spent: number, most: NanoDollars): string {
  return errorOf(
    `The job may cost ${toDollars(maxCost)} dollars. ${toDollars(boundNanoDollars(spent))} are spent, and this task may cost ${toDollars(most)}, so it was not run. Retry it with a higher max_cost_usd or a lower max_tokens.`,
    'cost_limit_reached',
    'max_cost_usd',
  );
}

/** The error, as JSON text, of a task whose price is not known although `max_cost_usd` holds. */
export function unpriced(model: string): string {
  return errorOf(
    `The price of the model '${model}' is not known, so max_cost_usd does not cover it. Set its price in the configuration, or leave max_cost_usd out.`,
    'model_unpriced',
    'max_cost_usd',
  );
}

function errorOf(message: string, code: string, param: string): string {
  return JSON.stringify({ message, type: 'invalid_request_error', param, code });
}
