import type { TierFactors } from '../../runtime/price-tier.js';
import type { BatchFormat } from './types/batch-format.js';
import type { ChatFormat } from './types/chat-format.js';
import type { CloudKey, Connection, ConnectionInput, OperationTarget } from './types/connection.js';
import type { FieldRules, Quirks } from './types/field-rules.js';
import type { OperationFormats } from './types/operation-formats.js';

/** How a provider authenticates requests. */
export type CredentialsKind =
  /** `authorization: Bearer <api key>`; nothing without a key, as for servers on the own machine. */
  | 'bearer'
  /** The API key in the header `x-api-key`. */
  | 'x-api-key'
  /** The API key in the header `api-key`. */
  | 'api-key'
  /** The API key in the header `x-goog-api-key`. */
  | 'x-goog-api-key'
  /** An API key as a bearer token, otherwise a signature (SigV4) with AWS keys: `readAwsLogin` finds them. */
  | 'aws'
  /** An API key in `x-goog-api-key`, otherwise a token of a credentials file or of the machine's own login: `readGoogleLogin`. */
  | 'google-cloud'
  /** An API key in the header `api-key`, otherwise a token of Microsoft Entra ID: `readEntraLogin`. */
  | 'api-key-or-entra'
  /** The same format with the API key in the header `x-api-key`. */
  | 'x-api-key-or-entra'
  | 'none';

/** The published price of a model that is not billed by tokens, in US dollars. */
export interface UnitPrice {
  readonly charactersPerMillion?: number;
  /** The entry that names most of what the image has applies. */
  readonly images?: readonly { readonly size?: string; readonly quality?: string; readonly perImage: number }[];
}

/** A variable that entries of one type read; it becomes a row of docs/configuration.md. Texts are Markdown. */
export interface ProviderVariable {
  /** What the variable is, as a noun phrase without a full stop. */
  readonly description: string;
  readonly default?: string;
  /** What holds where the variable is not set and there is no default. Default: `none`. */
  readonly without?: string;
  readonly example?: string;
  /** The form of the value, if "text" is not precise enough. */
  readonly form?: string;
  readonly secret?: true;
}

/** OpenAI's format at the provider. */
export interface CompatibleFormat {
  readonly quirks?: Pick<Quirks, 'tokenLimit' | 'developerRole' | 'streamOptions'>;
  /** Rules of what it takes. An entry chooses them by the provider's name in `quirks.accepts`. */
  readonly fields?: FieldRules;
  /** False where it has no list of models that can be called. */
  readonly hasModelList?: false;
  /** Whether an entry of this name at another address may be a server of any kind, so that only `fields` hold for it. */
  readonly nameIsGeneric?: true;
  /** Prefixes, in lower case, of the headers of its responses that clients of OpenAI's formats get. Default: those of OpenAI. */
  readonly responseHeaders?: readonly string[];
}

/** What a provider does with the beginning of its response as the last turn. */
export interface PrefillRule {
  /** The servers for which the rule holds, by host name. Absent: entries of the provider's name at unknown hosts. */
  readonly hosts?: RegExp;
  /**
   * `none`: it responds to the turn as to any other. `prefix`: it continues a turn that has `prefix: true`. `continue`: it
   * continues the turn of a request with `continue_final_message`.
   */
  readonly form: 'none' | 'prefix' | 'continue';
}

/**
 * All that the gateway knows of one provider. Each is a file of its own in this folder, and nothing else names the provider:
 * the registry reads the folder.
 */
export interface ProviderDefinition {
  /** The usual name of an entry under `providers:`. */
  readonly name: string;
  /** The value of `type` that chooses the provider's own format. Default: the name, where there is such a format. */
  readonly type?: string;
  /** The provider's own spelling of its name. */
  readonly title: string;
  /** Where the facts of the definition come from. */
  readonly documentation: string;
  /** The variable that turns the provider on without a file. */
  readonly keyVariable?: `${Uppercase<string>}_API_KEY`;
  /** Where it is unless an entry says otherwise; absent where each customer has another address. */
  readonly baseUrl?: string;
  /** The variable that moves the base URL, where the vendor's own clients have one. */
  readonly baseUrlVariable?: `${Uppercase<string>}_BASE_URL`;
  /** Whether it lists its models to anyone, so that the list says nothing of a key. */
  readonly hasPublicModelList?: true;
  /** Hosts that are this provider's, where they differ by region or customer. */
  readonly hosts?: RegExp;
  /** A server that people run on their own machine, which `discover: true` looks for. */
  readonly isLocal?: true;
  /** Its name in the price catalogue; absent where that does not have it. */
  readonly priceId?: string;
  /** What tiers of service cost against the list price, by model. A tier that the model does not have is absent. */
  readonly tierFactors?: (upstreamModel: string) => TierFactors;
  /** Models that cost nothing, where the price catalogue does not have them. */
  readonly freeModels?: RegExp;
  /** US dollars for a search of the web that the provider makes for a chat call. */
  readonly webSearchPrice?: (upstreamModel: string) => number;
  /** Prices by model, where the price catalogue does not have them. */
  readonly unitPrices?: Readonly<Record<string, UnitPrice>>;
  /** Its name in the catalogue of context lengths; absent where that does not have it. */
  readonly catalogueId?: string;
  /** `gen_ai.provider.name` of spans. Default: the configured name. */
  readonly telemetryName?: string;
  readonly credentials: CredentialsKind;
  /** OpenAI's format. An entry that has the provider's name and no `type` speaks it. */
  readonly compatible?: CompatibleFormat;
  /** A wire format of its own, by the gateway's own reader and writer. */
  readonly chat?: ChatFormat;
  /** Where its Responses API is; absent where it has none. An entry of OpenAI's format may say that its server has one. */
  readonly responsesUrl?: (target: OperationTarget) => string;
  /** Absent for none; for an unknown server the gateway tries every OpenAI-compatible format. */
  readonly operations?: OperationFormats;
  /** Its own batch API; absent where it has none. */
  readonly batches?: BatchFormat;
  /** The URL of a path that a wire format wrote, for operations beside chat. Default: below the base URL. */
  readonly operationUrl?: (target: OperationTarget) => (path: string, upstreamModel: string) => string;
  /** How its servers take the beginning of a response as the last turn. Default: as any other turn of the assistant. */
  readonly prefill?: PrefillRule;
  /** Which adapter serves the provider. Default: by format. */
  readonly adapter?: 'built-in';
  /** Keys of an entry that belong to this provider's type. */
  readonly cloudKeys?: readonly CloudKey[];
  /** Variables that `connect` reads, by name. */
  readonly variables?: Readonly<Record<string, ProviderVariable>>;
  /** Reads address and credentials of an entry of this type. Default: a base URL and an API key, which is required. */
  readonly connect?: (input: ConnectionInput) => Connection;
}
