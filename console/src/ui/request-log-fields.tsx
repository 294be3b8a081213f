import type { Schemas } from '../api/client';
import { Field, Input } from './basics';

type Redaction = Schemas['Redaction'];

/** Each redaction with its label; the compiler demands all that the API knows. */
const LABELS: Readonly<Record<Redaction, string>> = {
  prompt: 'Prompts',
  answer: 'Responses',
  files: 'Files and images',
  email: 'E-mail addresses',
  phone: 'Phone numbers',
  card: 'Card numbers',
  iban: 'IBANs',
  ip: 'IP addresses',
  secret: 'Keys and secrets',
};
const REDACTIONS = Object.entries(LABELS) as readonly (readonly [Redaction, string])[];

/** The setting of a key's request log, as it is typed. */
export interface RequestLogText {
  /** Empty where nothing is stored. */
  readonly days: string;
  readonly redact: readonly Redaction[];
}

export function requestLogText(setting: Schemas['RequestLogSetting'] | null): RequestLogText {
  return { days: String(setting?.days ?? ''), redact: setting?.redact ?? [] };
}

/** What the API takes; null stores nothing. */
export function requestLogOf({ days, redact }: RequestLogText): Schemas['RequestLogSetting'] | null {
  return days === '' ? null : { days: Number(days), redact: [...redact] };
}

interface RequestLogFieldsProps {
  readonly value: RequestLogText;
  readonly onChange: (value: RequestLogText) => void;
  /** What the API says against it. */
  readonly error?: string | undefined;
}
export function RequestLogFields({ value, onChange, error }: RequestLogFieldsProps) {
  return (
    <>
      <Field
        label="Days to store prompts and responses"
        hint="They are encrypted; administrators read them under Requests. Empty stores none."
        error={error}
      >
        {(id, describedBy) => (
          <Input
            id={id}
            aria-describedby={describedBy}
            type="number"
            min={1}
            max={365}
            inputMode="numeric"
            placeholder="Not stored"
            value={value.days}
            onChange={(event) => onChange({ ...value, days: event.target.value })}
          />
        )}
      </Field>
      {value.days !== '' && (
        <fieldset>
          <legend className="mb-1.5 text-sm font-medium">Remove before they are stored</legend>
          <div className="grid gap-x-4 gap-y-1.5 min-[420px]:grid-cols-2 sm:grid-cols-3">
            {REDACTIONS.map(([name, label]) => (
              <label key={name} className="flex items-center gap-2">
                <input
                  type="checkbox"
                  className="accent-(--accent)"
                  checked={value.redact.includes(name)}
                  onChange={({ target }) =>
                    onChange({
                      ...value,
                      redact: target.checked ? [...value.redact, name] : value.redact.filter((each) => each !== name),
                    })
                  }
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
      )}
    </>
  );
}
