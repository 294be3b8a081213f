import { type SubmitEvent, useState } from 'react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ApiError, bodyOf } from '../api/client';
import { Button, Code, ErrorNote, Field, Input, Select } from '../ui/basics';
import { Dialog } from '../ui/dialog';
import { RequestLogFields, requestLogOf, requestLogText } from '../ui/request-log-fields';
import { SpendingFields, spendingOf, spendingText } from '../ui/spending-fields';

/** Unix seconds at the end of a day of the viewer. */
function endOf(day: string): number {
  return Math.floor(new Date(`${day}T23:59:59`).getTime() / 1_000);
}

/** Names of models, one a line or separated by commas; null is every model. */
export function modelsOf(text: string): string[] | null {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  return names.length === 0 ? null : names;
}

export function CreateKey({ onClose }: { readonly onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [isAdmin, setAdmin] = useState(false);
  const [models, setModels] = useState('');
  const [group, setGroup] = useState('');
  const [until, setUntil] = useState('');
  const [owner, setOwner] = useState('');
  const [spending, setSpending] = useState(spendingText(null, null));
  const [requestLog, setRequestLog] = useState(requestLogText(null));
  const groups = useQuery({
    queryKey: ['groups', 'choice'],
    queryFn: () => bodyOf(api.GET('/v1/admin/groups', { params: { query: { limit: 100 } } })),
  });
  const create = useMutation({
    mutationFn: () =>
      bodyOf(
        api.POST('/v1/admin/keys', {
          body: {
            name,
            scopes: isAdmin ? ['inference', 'admin'] : ['inference'],
            allowed_models: modelsOf(models),
            ...(group !== '' && { group_id: group }),
            ...(owner.trim() !== '' && { owner }),
            ...(until !== '' && { expires_at: endOf(until) }),
            ...spendingOf(spending),
            request_log: requestLogOf(requestLog),
          },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
  });
  const faultOf = (field: string): string | undefined =>
    create.error instanceof ApiError && create.error.param?.startsWith(field) === true
      ? create.error.message
      : undefined;
  const isPlaced = ['name', 'allowed_models', 'expires_at', 'owner', 'request_log'].some(
    (field) => faultOf(field) !== undefined,
  );

  if (create.data !== undefined) {
    return (
      <Dialog
        title="Copy the key now"
        about="The gateway keeps only a hash of it and cannot show it again."
        onClose={onClose}
        footer={
          <Button variant="primary" onClick={onClose}>
            I have copied it
          </Button>
        }
      >
        <Code label={`Key of ${create.data.name}`} text={create.data.key} />
        <p className="mt-4 mb-2 text-muted">Try it:</p>
        <Code
          label="A first request"
          text={`curl ${location.origin}/v1/chat/completions \\\n  -H "Authorization: Bearer ${create.data.key}" \\\n  -H "Content-Type: application/json" \\\n  -d '{"model": "sandbox/echo", "messages": [{"role": "user", "content": "Hello"}]}'`}
        />
      </Dialog>
    );
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog
      title="Create a key"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button changes type="submit" form="create-key" variant="primary" busy={create.isPending}>
            Create the key
          </Button>
        </>
      }
    >
      <form id="create-key" onSubmit={submit} className="space-y-4">
        <Field label="Name" hint="What will use it, such as “checkout service”." error={faultOf('name')}>
          {(id, describedBy) => (
            <Input
              id={id}
              aria-describedby={describedBy}
              required
              maxLength={200}
              data-autofocus
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Group">
            {(id) => (
              <Select id={id} className="w-full" value={group} onChange={(event) => setGroup(event.target.value)}>
                <option value="">None</option>
                {groups.data?.data.map((each) => (
                  <option key={each.id} value={each.id}>
                    {each.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Works until" error={faultOf('expires_at')}>
            {(id) => <Input id={id} type="date" value={until} onChange={(event) => setUntil(event.target.value)} />}
          </Field>
          <Field label="Owner" hint="An e-mail address; who signs in with it sees the key." error={faultOf('owner')}>
            {(id, describedBy) => (
              <Input
                id={id}
                aria-describedby={describedBy}
                maxLength={200}
                placeholder="Nobody"
                value={owner}
                onChange={(event) => setOwner(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Field
          label="Models"
          hint="Names or prefixes such as openai/*, separated by commas. Empty is every model."
          error={faultOf('allowed_models')}
        >
          {(id, describedBy) => (
            <Input
              id={id}
              aria-describedby={describedBy}
              placeholder="Every model"
              value={models}
              onChange={(event) => setModels(event.target.value)}
            />
          )}
        </Field>
        <SpendingFields value={spending} onChange={setSpending} />
        <RequestLogFields value={requestLog} onChange={setRequestLog} error={faultOf('request_log')} />
        <label className="flex items-start gap-2.5">
          <input
            type="checkbox"
            className="mt-1 accent-(--accent)"
            checked={isAdmin}
            onChange={(event) => setAdmin(event.target.checked)}
          />
          <span>
            Admin key
            <span className="block text-xs text-muted">
              It may do everything in this console. Clients do not need it.
            </span>
          </span>
        </label>
        {create.error !== null && !isPlaced && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  );
}
